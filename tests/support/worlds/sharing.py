"""How the tests of a folder are shared out among processes (`--dist loadgroup --no-loadscope-reorder`).

What takes long begins first, so that no process works alone at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.worlds.databases import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path


def share_out(
    items: list[pytest.Item], folder: Path, first: Iterable[str] = (), one_by_one: Collection[str] = ()
) -> None:
    """Keep together the tests of a file on one dialect, but those of the files `one_by_one`; begin with `first`.

    Files are named without their ending.
    """
    rank = {name: number for number, name in enumerate(first)}
    for item in items:
        name = item.path.stem
        if item.path.parent == folder and name not in one_by_one:
            item.add_marker(pytest.mark.xdist_group(f"{name} {_dialect_of(item)}"))
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def _dialect_of(item: pytest.Item) -> str:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return next((value for value in parameters if value in DIALECTS), "")
