"""`python -m benchmarks [NAME…] [--json]`: run benchmarks and print a line for each figure."""

from __future__ import annotations

import argparse
import importlib
import json
from typing import TYPE_CHECKING

from benchmarks import NAMES, place
from benchmarks.figure import AIMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.figure import Figure


def main() -> None:
    """Run what was named, or everything."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Each figure beside its peer, in the same run.")
    parser.add_argument("name", nargs="*", choices=[[], *NAMES], help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    if not options.json:
        print(place.description())
        print(_row("name", "figure", "peer", "ratio", "aim", "met"), flush=True)
    for figure in _measured(options.name or NAMES):
        print(json.dumps(figure.to_json()) if options.json else _shown(figure), flush=True)


def _measured(names: Sequence[str]) -> Iterator[Figure]:
    for name in names:
        yield from importlib.import_module(f"benchmarks.{name.replace('-', '_')}").measure()


def _shown(figure: Figure) -> str:
    aims = [aim for aim in AIMS if aim.concerns(figure)]
    row = _row(
        figure.name,
        f"{_number(figure.figure)} {figure.unit}",
        "" if figure.peer is None else f"{figure.peer} {_number(figure.peer_figure or 0)}",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        ", ".join(str(aim) for aim in aims),
        "" if not aims else "yes" if all(aim.met(figure) for aim in aims) else "NO",
    )
    return f"{row}\n    {figure.note}" if figure.note else row


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - of large ones all digits, without point


def _row(name: str, figure: str, peer: str, ratio: str, aim: str, met: str) -> str:
    return f"{name:<21} {figure:<22} {peer:<42} {ratio:>6}  {aim:<14} {met}"


if __name__ == "__main__":
    main()
