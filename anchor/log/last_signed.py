"""What this log key signed last, in a file beside it: the memory that tells an old backup of the database.

A log that starts again from an old backup would sign a second history for sizes that it signed before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog.checkpoint import Checkpoint
from deedlog.registry import strict_json
from deedlog.registry.errors import DeedlogError, InvalidData
from deedlog.registry.files import read_file, write_atomically
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_hex
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from pathlib import Path

    from deedlog.registry.store.database import Transactions


MAXIMUM_FILE = 1024


def path_beside(log_key_file: Path) -> Path:
    """Return the file's path."""
    return log_key_file.with_name(log_key_file.name + ".last-signed")


def remember(path: Path, size: int, root: bytes) -> None:
    """Note a head whose commit has returned, durably; a file that names a larger one is left as it is.

    Workers that share a folder each write here, and one of them may have been paused since it read its head.
    """
    noted = _read(path)
    if noted is not None and noted.size >= size:
        return
    head = json.dumps({"size": size, "root": to_hex(root)}) + "\n"
    write_atomically(path, head.encode("ascii"), replaces=True)


def check(path: Path, database: Transactions) -> None:
    """Raise `InvalidData` (`log.database_behind`) if the database lacks the head that was signed last."""
    head = _read(path)
    if head is None:
        return
    with database.read() as connection:
        own = log_store.checkpoint_of_size(connection, head.size)
        current = log_store.state(connection).size
    if own is None or own[0] != head.root:
        raise InvalidData("log.database_behind", signed=head.size, database=current, path=str(path))


def _read(path: Path) -> Checkpoint | None:
    """Return the head that the file names, None if there is no file; raise `InvalidData` if it is unreadable."""
    if not path.exists():
        return None
    try:
        last = members(strict_json.loads(read_file(path, MAXIMUM_FILE), MAXIMUM_FILE), ("size", "root"), "")
        return Checkpoint("last-signed", last["size"], from_hex(last["root"], HASH_SIZE, "root"))
    except DeedlogError as error:
        raise InvalidData("log.last_signed_unreadable", path=str(path)) from error
