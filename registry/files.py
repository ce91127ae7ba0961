"""Read small files, and write files in three ways.

| function | for | an existing file |
|---|---|---|
| `write_private` | keys, salts, signed statements: only their owner can read them (mode 600) | is never replaced |
| `write_atomically` | bundles, reports, state: written whole or not at all | is replaced if `replaces` allows it |
| `append` | files that grow | gets the bytes at its end |

All three follow these rules:

- The file and its name are on disk before the call returns: the file is fsynced, then its folder.
- The last part of the path is never followed through a symbolic link, which could lead to any of the user's files.
  The folder may be reached through links, as `/tmp` is on some systems, because the user named it. It is opened once,
  so a link that changes meanwhile has no effect.
- A failure leaves the previous file. A killed process may leave a hidden file `.deedlog.….part` in the folder. Nothing
  reads it, and it may be removed.
- Missing folders are not created: a path into one is a typing error or a disk that is not mounted. `make_folder`
  creates the folders that belong to us.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Replaces = Callable[[bytes], bool] | bool

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700
MAXIMUM_REPLACED = 64 * 1024 * 1024
"""Size in bytes from which an existing file cannot be one of ours. It is then not read to decide about replacing it."""


def read_file(path: Path, maximum: int) -> bytes:
    """Return the bytes of a file of at most `maximum` bytes.

    Raises `Unavailable` (`file.unreadable`) or `InvalidData` (`file.too_large`).
    """
    try:
        with path.open("rb") as file:
            data = file.read(maximum + 1)
    except OSError as error:
        raise Unavailable("file.unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > maximum:
        raise InvalidData("file.too_large", path=str(path), maximum=maximum)
    return data


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, whole or not at all.

    Raises `Unavailable`: `file.exists` if the name is taken, even by a link or a device; `file.no_folder`;
    `file.unwritable`.
    """
    with _writing(path), _folder_of(path) as folder, _temporary(folder, data, PRIVATE) as temporary:
        _place(folder, temporary, path.name)


def write_atomically(path: Path, data: bytes, *, replaces: Replaces = False, mode: int | None = None) -> None:
    """Write a file whole or not at all.

    `replaces` says whether an existing file may be replaced; if it is a function, it gets the file's bytes and decides.
    `mode` are the permission bits; by default those of the replaced file, or 666 less the umask.

    A pipe or a character device (`/dev/stdout`, `>(…)`) is written to, even through links, and is not replaced.
    `/dev/stdout` is also written to if it is redirected to a file.

    Raises `Unavailable`: `file.exists`, `file.no_folder`, `file.unwritable`. Raises `InvalidData`: `file.link` for a
    symbolic link, `file.not_a_file` for a socket or a disk.
    """
    with _writing(path):
        if _is_stream(path):
            with os.fdopen(_open_stream(path), "wb") as file:
                file.write(data)
            return
        with _folder_of(path) as folder:
            there = _check(folder, path, replaces)
            if there is not None and mode is None:
                mode = stat.S_IMODE(there.st_mode)
            with _temporary(folder, data, mode) as temporary:
                if _check(folder, path, replaces) is None:  # check again, in case a file appeared meanwhile
                    _place(folder, temporary, path.name)
                else:
                    os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
                    _sync(folder)


def check_writable(path: Path, *, replaces: Replaces = False) -> None:
    """Raise the error that `write_atomically` would raise for this path. Call it before long work that ends there."""
    with _writing(path):
        if not _is_stream(path):
            with _folder_of(path) as folder:
                _check(folder, path, replaces)


def append(path: Path, data: bytes | bytearray, *, durable: bool = True) -> None:
    """Add bytes at the end of a file, which is created if missing. Only one process at a time may append.

    On failure the file is truncated to its previous length. A crash may leave a part of `data` at the end, which
    readers must recognise. `durable=False` skips the fsyncs, for scratch files that nobody needs after a crash.

    Raises `Unavailable` (`file.no_folder`, `file.unwritable`) or `InvalidData` (`file.link`, `file.not_a_file`).
    """
    with _writing(path), _folder_of(path) as folder:
        there = _check(folder, path, replaces=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(path.name, flags, 0o666, dir_fd=folder), "ab", buffering=0) as file:
            length = os.fstat(file.fileno()).st_size
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
                if durable:
                    os.fsync(file.fileno())
                    _sync(folder)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file.fileno(), length)
                    if there is None:
                        os.unlink(path.name, dir_fd=folder)
                raise


def rename(path: Path, name: str) -> None:
    """Rename a file within its folder. Raises `Unavailable`: `file.exists` if the name is taken, `file.unwritable`."""
    with _writing(path.with_name(name)), _folder_of(path) as folder:
        _place(folder, path.name, name)
        with suppress(FileNotFoundError):  # without hard links, `_place` has moved it already
            os.unlink(path.name, dir_fd=folder)
        _sync(folder)


def make_folder(path: Path, *, private: bool = False) -> None:
    """Create a folder and the missing ones above it, durably. With `private`, only their owner can open them.

    Raises `Unavailable` (`file.unwritable`).
    """
    with _writing(path):
        missing = []
        folder = path
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another process created it meanwhile
                folder.mkdir(PRIVATE_FOLDER if private else 0o777)
            with _folder_of(folder) as above:
                _sync(above)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into ours."""
    try:
        yield
    except FileExistsError as error:
        raise Unavailable("file.exists", path=str(path)) from error
    except OSError as error:
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error


@contextmanager
def _folder_of(path: Path) -> Iterator[int]:
    """Open the folder of a file and yield its descriptor. Raises `Unavailable` (`file.no_folder`)."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise Unavailable("file.no_folder", path=str(path), folder=str(path.parent)) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _temporary(folder: int, data: bytes, mode: int | None) -> Iterator[str]:
    """Write a file under a unique name, fsync it, yield the name, and remove it at the end."""
    # The name's length does not depend on the target's name, which may already have the maximum of 255 bytes.
    name = f".deedlog.{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(name, flags, 0o666 if mode is None else mode, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as file:
            # The umask may have removed bits. A private file is left as it is: it is not more open than it should be,
            # and a file system without permission bits would refuse the call.
            if mode not in {None, PRIVATE, stat.S_IMODE(os.fstat(descriptor).st_mode)}:
                os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield name
    finally:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _place(folder: int, name: str, new_name: str) -> None:
    """Link a file under a new name, durably; without hard links, rename it. Raises `FileExistsError` if it is taken."""
    linked = True
    try:
        os.link(name, new_name, src_dir_fd=folder, dst_dir_fd=folder)  # unlike a rename, replaces nothing
    except FileExistsError:
        raise
    except OSError:
        # This file system has no hard links, as on many memory sticks. An empty file reserves the name first, so that
        # no file of another process is replaced. A crash may leave the empty file.
        linked = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        os.close(os.open(new_name, flags, PRIVATE, dir_fd=folder))
        try:
            os.replace(name, new_name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(new_name, dir_fd=folder)
            raise
    try:
        _sync(folder)
    except OSError:
        if linked:  # the file still has its first name
            os.unlink(new_name, dir_fd=folder)
        raise


def _check(folder: int, path: Path, replaces: Replaces) -> os.stat_result | None:
    """Return the status of the file to be replaced, or None if there is none. Raises if it may not be replaced."""
    try:
        there = os.stat(path.name or ".", dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(there.st_mode):
        raise InvalidData("file.link", path=str(path))
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(there.st_mode):
        raise InvalidData("file.not_a_file", path=str(path))
    if callable(replaces):
        if there.st_size >= MAXIMUM_REPLACED:
            raise FileExistsError
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(path.name, flags, dir_fd=folder), "rb") as file:
            replaces = replaces(file.read(MAXIMUM_REPLACED))
    if not replaces:
        raise FileExistsError
    return there


def _is_stream(path: Path) -> bool:
    """Return whether the path leads to a pipe, a character device, or through a link to our output or error stream."""
    try:
        there = path.stat()
    except OSError:  # nothing there, or a broken link: `_check` finds out
        return False
    return stat.S_ISFIFO(there.st_mode) or stat.S_ISCHR(there.st_mode) or _own_stream(path, there) is not None


def _open_stream(path: Path) -> int:
    own = _own_stream(path, path.stat())
    if own is not None:
        return os.dup(own)  # opening it again would overwrite a file from its start
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):  # replaced by a file since the check
        os.close(descriptor)
        raise FileExistsError
    return descriptor


def _own_stream(path: Path, there: os.stat_result) -> int | None:
    """Return 1 or 2 if the path is a link (like `/dev/stdout`) to the file that is our output or error stream."""
    if path.is_symlink() and stat.S_ISREG(there.st_mode):
        for descriptor in (1, 2):
            with suppress(OSError):
                if os.path.samestat(there, os.fstat(descriptor)):
                    return descriptor
    return None


def _sync(folder: int) -> None:
    """Make the names in a folder durable: a power cut can remove the name of a file even if the file was synced."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # these file systems have nothing to sync for a folder
            raise
