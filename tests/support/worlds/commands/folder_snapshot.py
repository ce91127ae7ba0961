"""Snapshots of a folder, to show that a command changed nothing in it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 2**26
"""Bytes; a larger file is not hashed."""


def snapshot(folder: Path) -> dict[str, str]:
    """Return what stands under a folder: each file's SHA-256; of a SQLite file its rows, whatever pages they are on."""
    found = {}
    for place, _, names in os.walk(folder):
        found[place] = "folder"
        for name in names:
            path = Path(place) / name
            if path.suffix == ".sqlite":
                found[str(path)] = _rows(path)
            elif not path.is_file():
                found[str(path)] = "no file"
            elif path.stat().st_size > LARGE:
                found[str(path)] = "large"
            elif not name.endswith(("-wal", "-shm")):
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@contextlib.contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Assert that the block changes nothing under the folder."""
    before = snapshot(folder)
    yield
    assert snapshot(folder) == before


def _rows(path: Path) -> str:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            # Who does what, and what the chain looked like, is written by the clock and not by what is asked.
            passing = ('INSERT INTO "lease"', 'INSERT INTO "alarm"', 'INSERT INTO "chain_status"')
            rows = "\n".join(line for line in connection.iterdump() if not line.startswith(passing))
    except sqlite3.DatabaseError:
        return "damaged"
    return hashlib.sha256(rows.encode()).hexdigest()
