"""The last head that the log key signed, in a file beside the key. It reveals a database from an old backup.

A log that continues from an old backup would sign a second history for sizes that it has signed before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog.checkpoint import Checkpoint
from deedlog.registry import strict_json
from deedlog.registry.errors import DeedlogError, InvalidData
from deedlog.registry.files import locked_folder, read_file, write_atomically
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_hex
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from pathlib import Path

    from deedlog.registry.store.database import Transactions


MAXIMUM_FILE = 1024


def path_beside(log_key_file: Path) -> Path:
    """Return the path of the last-signed file that belongs to a log key file."""
    return log_key_file.with_name(log_key_file.name + ".last-signed")


def remember(path: Path, size: int, root: bytes) -> None:
    """Write a committed head to the file, durably. A file that names a head of at least this size is left unchanged.

    Workers that share a folder all write this file, and one of them may have been paused after its commit.
    """
    with locked_folder(path):
        noted = _read(path)
        if noted is not None and noted.size >= size:
            return
        head = json.dumps({"size": size, "root": to_hex(root)}) + "\n"
        write_atomically(path, head.encode("ascii"), replaces=True)


def check(path: Path, database: Transactions) -> None:
    """Raise `InvalidData` (`log.database_behind`) if the database lacks the last signed head.

    Also raises `InvalidData` (`log.last_signed_unreadable`). Does nothing if there is no file.
    """
    head = _read(path)
    if head is None:
        return
    with database.read() as connection:
        own = log_store.checkpoint_of_size(connection, head.size)
        current = log_store.state(connection).size
    if own is None or own[0] != head.root:
        raise InvalidData("log.database_behind", signed=head.size, database=current, path=str(path))


def _read(path: Path) -> Checkpoint | None:
    """Return the head in the file; None without a file. Raises `InvalidData` (`log.last_signed_unreadable`)."""
    if not path.exists():
        return None
    try:
        last = members(strict_json.loads(read_file(path, MAXIMUM_FILE), MAXIMUM_FILE), ("size", "root"), "")
        return Checkpoint("last-signed", last["size"], from_hex(last["root"], HASH_SIZE, "root"))
    except DeedlogError as error:
        raise InvalidData("log.last_signed_unreadable", path=str(path)) from error
