"""Reading and writing files: bounded, durable, and never over what is there by accident."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from deedlog.registry.errors import InvalidData, Unavailable


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, whole or not at all, durably.

    Raises `Unavailable` (`file.exists`, `file.unwritable`): a file that exists is never written over.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _name(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise Unavailable("file.exists", path=str(path)) from error
    except OSError as error:
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error


def _name(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike a rename, refuses a name that is taken
    except FileExistsError:
        raise
    except OSError:  # a file system without links, as on many memory sticks
        if path.exists():
            raise FileExistsError from None
        temporary.rename(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file that is synced can still lose its name in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path, maximum: int) -> bytes:
    """Return the bytes of a small file; raise `Unavailable` (`file.unreadable`) or `InvalidData` (`file.too_large`)."""
    try:
        with path.open("rb") as file:
            data = file.read(maximum + 1)
    except OSError as error:
        raise Unavailable("file.unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > maximum:
        raise InvalidData("file.too_large", path=str(path), maximum=maximum)
    return data


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, through a link where there is one; raise `Unavailable` (`file.unwritable`).

    A device or a pipe (`/dev/stdout`) is written to: never replaced by a file, which the superuser could.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
    except OSError as error:
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error
    target = Path(os.path.realpath(path))  # unlike `Path.resolve`, takes links in a circle too
    temporary = target.parent / f"{target.name}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):  # there may be none, nor a folder for it
            temporary.unlink()
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error
