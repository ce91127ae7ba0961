"""What this log key signed last, in a file beside it: the memory that tells an old backup of the database.

A log that starts again from an old backup would sign a second history for sizes that it signed before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from anchor import log
from registry.errors import InvalidData, Unavailable
from registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from pathlib import Path

    from registry.database import Database


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
        last = json.loads(path.read_text(encoding="ascii"))
        size, root = int(last["size"]), bytes.fromhex(last["root"][2:])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidData("log.last_signed_unreadable", path=str(path)) from error
    with database.read() as connection:
        own = log.checkpoint_of_size(connection, size)
        current = log.state(connection).size
    if own is None or own[0] != root:
        raise InvalidData("log.database_behind", signed=size, database=current, path=str(path))
