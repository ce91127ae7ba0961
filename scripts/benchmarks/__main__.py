"""`python -m benchmarks [NAME…] [--json]`: run benchmarks and print a line for each figure."""

from __future__ import annotations

import argparse
import importlib
import json

from benchmarks import NAMES


def main() -> None:
    """Run what was named, or everything."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Each figure beside its peer, in the same run.")
    parser.add_argument("name", nargs="*", choices=[[], *NAMES], help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    for name in options.name or NAMES:
        for figure in importlib.import_module(f"benchmarks.{name.replace('-', '_')}").measure():
            if options.json:
                print(json.dumps(figure.to_json()), flush=True)
                continue
            against = (
                "" if figure.ratio is None else f"  {figure.ratio:6.3f} × {figure.peer} ({figure.peer_figure:,.4g})"
            )
            print(f"{figure.name:<22} {figure.figure:>12,.4g} {figure.unit}{against}  {figure.note}", flush=True)


if __name__ == "__main__":
    main()
