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
- A path that no file can have raises `InvalidData` (`file.name_zero`, `file.name_encoding`). Reading follows this too.
- Missing folders are not created: a path into one is a typing error or a disk that is not mounted. `make_folder`
  creates the folders that belong to us.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
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

MAXIMUM_TRIES = 20
"""How often a write is tried when other processes keep creating the same file. Their file is checked each time."""


def read_file(path: Path, maximum: int, *, streams: bool = False, follow: bool = True) -> bytes:
    """Return the bytes of a file of at most `maximum` bytes.

    `streams`: whether the path may be a pipe or a device (`/dev/stdin`, `<(…)`), which is read until its writer closes
    it. `follow`: whether the path may be a symbolic link.

    Raises `Unavailable` (`file.unreadable`, also for a folder) or `InvalidData`: `file.too_large`; `file.not_a_file`
    for a pipe or a device without `streams`; `file.link` for a link without `follow`.
    """
    check_name(path)
    flags = os.O_RDONLY | os.O_NOCTTY
    if not streams:
        flags |= os.O_NONBLOCK  # opening a pipe would wait for a writer
    if not follow:
        flags |= os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags)
        try:
            mode = os.fstat(descriptor).st_mode
            if not streams and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise InvalidData("file.not_a_file", path=str(path))
            with os.fdopen(descriptor, "rb", closefd=False) as file:  # refuses a folder
                data = file.read(maximum + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not follow and error.errno == errno.ELOOP:
            raise InvalidData("file.link", path=str(path)) from error
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
                _place_or_replace(folder, temporary, path, replaces)


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
    """Rename a file within its folder. A symbolic link is renamed itself; what it leads to is left alone.

    Raises `Unavailable`: `file.exists` if the name is taken, `file.unwritable`.
    """
    check_name(path)
    with _writing(path.with_name(name)), _folder_of(path) as folder:
        _place(folder, path.name, name)
        with suppress(FileNotFoundError):  # without hard links, `_place` has moved it already
            os.unlink(path.name, dir_fd=folder)
        _sync(folder)


def make_folder(path: Path, *, private: bool = False) -> None:
    """Create a folder and the missing ones above it, durably. With `private`, only their owner can open them.

    Raises `Unavailable` (`file.unwritable`), also if the path is a file, or a link to anything but a folder.
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
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Wait until no other thread or process has the folder of `path` locked, and hold it for the block.

    For files that are read, compared and then replaced. Only callers of this function wait for each other.

    Raises `Unavailable` (`file.no_folder`, `file.unwritable`).
    """
    with _writing(path), _folder_of(path) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)  # closing the folder unlocks it
        yield


def expanded(path: Path) -> Path:
    """Return a path with a leading `~` or `~name` expanded; one of nobody's is a name like any other."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def check_name(path: Path) -> None:
    """Raise `InvalidData` for a path that no file can have: `file.name_zero`, `file.name_encoding`."""
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError as error:
        raise InvalidData("file.name_encoding", encoding=sys.getfilesystemencoding()) from error
    if b"\0" in name:
        raise InvalidData("file.name_zero", path=str(path).replace("\0", "\\0"))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into ours; refuse a path that no file can have."""
    check_name(path)
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
    name = f".deedlog.{os.urandom(8).hex()}.part"
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


def _place_or_replace(folder: int, name: str, path: Path, replaces: Replaces) -> None:
    """Move a file to its path, durably. What is there is checked again, and replaced if allowed."""
    for _ in range(MAXIMUM_TRIES):
        if _check(folder, path, replaces) is not None or replaces is True:
            os.replace(name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            _sync(folder)
            return
        try:
            _place(folder, name, path.name)
        except FileExistsError:
            if replaces is False:
                raise
        else:
            return
    raise FileExistsError


def _place(folder: int, name: str, new_name: str) -> None:
    """Link a file under a new name, durably; without hard links, rename it. Raises `FileExistsError` if it is taken."""
    linked = True
    try:
        # Unlike a rename, this replaces nothing.
        os.link(name, new_name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
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
        try:
            descriptor = os.open(path.name, flags, dir_fd=folder)
        except FileNotFoundError:  # removed since
            return None
        with os.fdopen(descriptor, "rb") as file:
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
