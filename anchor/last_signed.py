"""What this log key signed last, in a file beside it: the memory that tells an old backup of the database.

A log that starts again from an old backup would sign a second history for sizes that it signed before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from anchor import log
from anchor.checkpoint import Checkpoint
from registry import strict_json
from registry.errors import DeedlogError, InvalidData, Unavailable
from registry.hexadecimal import HASH_SIZE, from_hex, to_hex
from registry.keystore import read_file
from registry.strict_json import members

if TYPE_CHECKING:
    from pathlib import Path

    from registry.database import Database


MAXIMUM_FILE = 1024


def path_beside(log_key_file: Path) -> Path:
    """Return the file's path."""
    return log_key_file.with_name(log_key_file.name + ".last-signed")


def remember(path: Path, size: int, root: bytes) -> None:
    """Note a head whose commit has returned."""
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_text(json.dumps({"size": size, "root": to_hex(root)}) + "\n", encoding="ascii")
        temporary.replace(path)
    except OSError as error:
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error


def check(path: Path, database: Database) -> None:
    """Raise `InvalidData` (`log.database_behind`) if the database lacks the head that was signed last."""
    if not path.exists():
        return
    try:
        last = members(strict_json.loads(read_file(path, MAXIMUM_FILE), MAXIMUM_FILE), ("size", "root"), "")
        head = Checkpoint("last-signed", last["size"], from_hex(last["root"], HASH_SIZE, "root"))
    except DeedlogError as error:
        raise InvalidData("log.last_signed_unreadable", path=str(path)) from error
    with database.read() as connection:
        own = log.checkpoint_of_size(connection, head.size)
        current = log.state(connection).size
    if own is None or own[0] != head.root:
        raise InvalidData("log.database_behind", signed=head.size, database=current, path=str(path))
