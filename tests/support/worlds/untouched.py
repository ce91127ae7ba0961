"""Whether a command has changed anything: every file of a folder, with its bytes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from deedlog.api.texts import text

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 2**26
"""Bytes of a file beyond which its content is taken to be as it was."""


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
def untouched(folder: Path) -> Iterator[None]:
    """Claim that what is done here changes nothing under the folder."""
    before = snapshot(folder)
    yield
    assert snapshot(folder) == before


def refused(done, code: str, english: str, chinese: str) -> None:
    """Claim that a command, called with `--lang zh` and `--json`, ended with this error, which says this.

    The English text comes from the same code and parameters; a process for each would only take twice as long.
    """
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    assert chinese in done.stderr, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == code, error
    said = text("en", code, error["params"])
    assert english in said, said
    assert "<" not in said, "a parameter of the text was not given"


def _rows(path: Path) -> str:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            # Who does what, and what the chain looked like, is written by the clock and not by what is asked.
            passing = ('INSERT INTO "lease"', 'INSERT INTO "alarm"', 'INSERT INTO "chain_status"')
            rows = "\n".join(line for line in connection.iterdump() if not line.startswith(passing))
    except sqlite3.DatabaseError:
        return "damaged"
    return hashlib.sha256(rows.encode()).hexdigest()
