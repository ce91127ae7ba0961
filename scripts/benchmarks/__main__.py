"""`python -m benchmarks [NAME…] [--json | --markdown]`: run benchmarks and print a line for each figure."""

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


HEADS = ("name", "figure", "peer", "ratio", "aim", "met")


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Each figure beside its peer, in the same run.")
    parser.add_argument("name", nargs="*", choices=[[], *NAMES], help=f"of {', '.join(NAMES)}; default: all")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument("--markdown", action="store_true", help="the machine and the table of docs/benchmarks.md")
    options = parser.parse_args()
    show = _as_json if options.json else _as_markdown if options.markdown else _as_text
    if not options.json:
        print(place.description())
    if options.markdown:
        print(f"\n| {' | '.join([*HEADS, 'what'])} |\n|{'---|' * (len(HEADS) + 1)}", flush=True)
    elif not options.json:
        print(_row(HEADS), flush=True)
    for figure in _measured(options.name or NAMES):
        print(show(figure), flush=True)


def _measured(names: Sequence[str]) -> Iterator[Figure]:
    for name in names:
        yield from importlib.import_module(f"benchmarks.measures.{name.replace('-', '_')}").measure()


def _as_json(figure: Figure) -> str:
    return json.dumps(figure.to_json())


def _as_text(figure: Figure) -> str:
    row = _row(_cells(figure))
    return f"{row}\n    {figure.note}" if figure.note else row


def _as_markdown(figure: Figure) -> str:
    name, *cells = _cells(figure)
    return f"| `{name}` | {' | '.join([*cells, figure.note])} |"


def _cells(figure: Figure) -> tuple[str, str, str, str, str, str]:
    """Return name, figure, peer, ratio, aims, and whether the aims are met."""
    aims = [aim for aim in AIMS if aim.concerns(figure)]
    return (
        figure.name,
        f"{_number(figure.figure)} {figure.unit}",
        "" if figure.peer is None else f"{figure.peer}: {_number(figure.peer_figure or 0)}",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        ", ".join(str(aim) for aim in aims),
        "" if not aims else "yes" if all(aim.met(figure) for aim in aims) else "NO",
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"  # noqa: PLR2004 - of large ones all digits, without point


def _row(cells: Sequence[str]) -> str:
    name, figure, peer, ratio, aim, met = cells
    return f"{name:<21} {figure:<22} {peer:<42} {ratio:>6}  {aim:<14} {met}"


if __name__ == "__main__":
    main()
