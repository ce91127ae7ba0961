"""The outbox: signed statements, stored before they are sent. A retry sends the same one; a refused one is put aside.

They contain title, name and salt, which the log never shows, so only their owner can read the files.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING

from deedlog.api.client.home import home
from deedlog.api.client.signed_statement import SignedStatement
from deedlog.registry import files, strict_json
from deedlog.registry.errors import InvalidData, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_KEPT = 1024 * 1024


def place(registry: bytes, account: bytes, content_hash: bytes) -> Path:
    """Return the path of this account's statement at this registry; `content_hash`: 32 bytes that identify it."""
    return home() / "statements" / registry.hex() / f"{account.hex()}-{content_hash.hex()}.json"


def is_there(path: Path) -> bool:
    """Return whether anything exists at that path, even a dangling link."""
    return os.path.lexists(path)


def write(path: Path, signed: SignedStatement) -> None:
    """Store a statement as a new file, mode 0600 in folders of mode 0700; raise `Unavailable` (`file.…`)."""
    files.make_folder(path.parent, private=True)
    try:
        for folder in (path.parent.parent, path.parent):
            folder.chmod(files.PRIVATE_FOLDER)  # an earlier version left its mode to the umask
    except OSError as error:
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error
    # An existing name is refused, even a link, so nothing is written through a link.
    files.write_private(path, (json.dumps(signed.to_json(), ensure_ascii=False, indent=2) + "\n").encode())


def read(path: Path, registry: bytes) -> SignedStatement:
    """Return the statement that was signed before, ready to send; raise `InvalidData` (`register.…`)."""
    try:
        return SignedStatement.from_json(strict_json.loads(_bytes(path), MAXIMUM_KEPT), registry)
    except InvalidData as error:
        if error.code == "register.link":
            raise
        raise InvalidData("register.kept", path=str(path), reason=error.code) from error


def put_aside(path: Path) -> Path:
    """Rename a refused statement so that another can be signed; return its new path. Never replaces an earlier one."""
    number = 1
    while True:
        aside = path.with_suffix(".refused" if number == 1 else f".{number}.refused")
        try:
            files.rename(path, aside.name)
        except Unavailable as error:
            if error.code != "file.exists":
                raise
            number += 1
        else:
            return aside


def _bytes(path: Path) -> bytes:
    """Return the file's bytes. Never follows a link or blocks on a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidData("file.not_a_file", path=str(path))
            data = file.read(MAXIMUM_KEPT + 1)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InvalidData("register.link", path=str(path)) from error
        raise Unavailable("file.unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > MAXIMUM_KEPT:
        raise InvalidData("file.too_large", path=str(path), maximum=MAXIMUM_KEPT)
    return data
