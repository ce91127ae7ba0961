"""Which tests below a folder run in one process of pytest-xdist (`--dist loadgroup --no-loadscope-reorder`).

Long tests begin first, so that no process works alone at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.worlds.databases.dialects import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path


def group_tests(
    items: list[pytest.Item], folder: Path, first: Iterable[str] = (), one_by_one: Collection[str] = ()
) -> None:
    """Give the tests of a file on one SQL dialect one group, except in the files `one_by_one`; put `first` first.

    This is for the files in `folder` and below it. They are named by their stems, of which none is there twice.
    """
    rank = {name: number for number, name in enumerate(first)}
    for item in items:
        name = item.path.stem
        if folder in item.path.parents and name not in one_by_one:
            item.add_marker(pytest.mark.xdist_group(f"{name} {_dialect_of(item)}"))
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def _dialect_of(item: pytest.Item) -> str:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return next((value for value in parameters if value in DIALECTS), "")
