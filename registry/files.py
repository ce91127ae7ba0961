"""Reading small files, and the three ways in which files are written.

| function | for | an existing file |
|---|---|---|
| `write_private` | keys, salts, signed statements: only their owner reads them (mode 600) | is never replaced |
| `write_atomically` | bundles, reports, state: whole or not at all | is replaced where `replaces` allows it |
| `append` | what grows | gets the bytes at its end |

All three keep these rules:

- A file and its name are on the disk before the call returns: the file is fsynced, and then its folder.
- The last part of the path is never followed through a symbolic link, which could lead to any file of the user's.
  The folder may be reached through links, as `/tmp` is on some systems: it is where the user pointed to. It is opened
  once, so a link that is changed meanwhile has no effect.
- A failure leaves what was there before. A killed process may leave a hidden file `.deedlog.….part` in the folder;
  nothing reads it, and it may be removed.
- A path that no file can have raises `InvalidData` (`file.name_zero`, `file.name_encoding`), in reading too.
- Folders are not made: a path into a missing one is a typing error, or a disk that is not mounted. `make_folder`
  makes those that are ours.
"""

from __future__ import annotations

import errno
import os
import secrets
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
"""Bytes from which an existing file cannot be one that we wrote, and is not read to find out."""

MAXIMUM_TRIES = 20
"""How often a file is placed anew because another process made one in between: each time that one is checked."""


def read_file(path: Path, maximum: int, *, streams: bool = False, follow: bool = True) -> bytes:
    """Return the bytes of a small file, `maximum` at most.

    `streams`: whether a pipe or a device (`/dev/stdin`, `<(…)`) may be given; it is read to its end, and waited for.
    `follow`: whether the path may be a symbolic link.

    Raises `Unavailable` (`file.unreadable`, also for a folder) or `InvalidData`: `file.too_large`; `file.not_a_file`
    for a pipe or a device without `streams`; `file.link` for a link without `follow`.
    """
    check_name(path)
    flags = os.O_RDONLY | os.O_NOCTTY
    if not streams:
        flags |= os.O_NONBLOCK  # to open a pipe would wait until somebody writes into it
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

    Raises `Unavailable`: `file.exists` if the name is taken, also by a link or a device; `file.no_folder`;
    `file.unwritable`.
    """
    with _writing(path), _folder_of(path) as folder, _temporary(folder, data, PRIVATE) as temporary:
        _place(folder, temporary, path.name)


def write_atomically(path: Path, data: bytes, *, replaces: Replaces = False, mode: int | None = None) -> None:
    """Write a file whole or not at all.

    `replaces`: whether an existing file may be replaced; a function is given the file's bytes and decides. `mode`:
    the permission bits; by default those of the file that is replaced, or what the umask leaves of 666.

    A pipe or a character device (`/dev/stdout`, `>(…)`) is written to, through links too, and is not replaced.
    `/dev/stdout` is also written to where it is a file.

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
    """Raise what `write_atomically` would because of what is there: before long work whose result goes there."""
    with _writing(path):
        if not _is_stream(path):
            with _folder_of(path) as folder:
                _check(folder, path, replaces)


def append(path: Path, data: bytes | bytearray, *, durable: bool = True) -> None:
    """Add bytes at the end of a file, which is made if it is missing. One process at a time may append.

    On failure the file is cut back to the length it had. A crash may leave a part of `data` at the end, which readers
    have to recognise. `durable=False` leaves out the fsyncs, for scratch files that nobody needs after a crash.

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
    """Give a file another name in its folder; raise `Unavailable` (`file.exists`) if that is taken.

    A symbolic link gets the name itself, and not what it leads to.
    """
    check_name(path)
    with _writing(path.with_name(name)), _folder_of(path) as folder:
        _place(folder, path.name, name)
        with suppress(FileNotFoundError):  # gone already where there are no links
            os.unlink(path.name, dir_fd=folder)
        _sync(folder)


def make_folder(path: Path, *, private: bool = False) -> None:
    """Make a folder and the missing ones above it, durably; if `private`, only their owner can look into them.

    Raises `Unavailable` (`file.unwritable`), also if there is a file in its place, or a link that leads to no folder.
    """
    with _writing(path):
        missing = []
        folder = path
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another process made it meanwhile
                folder.mkdir(PRIVATE_FOLDER if private else 0o777)
            with _folder_of(folder) as above:
                _sync(above)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


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
    """Turn what the operating system refuses into our errors; refuse a path that no file can have."""
    check_name(path)
    try:
        yield
    except FileExistsError as error:
        raise Unavailable("file.exists", path=str(path)) from error
    except OSError as error:
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error


@contextmanager
def _folder_of(path: Path) -> Iterator[int]:
    """Open the folder that a file is in."""
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
    """Write a file under a name that nobody else uses, fsynced, and remove that name at the end."""
    # Its length does not depend on the target's, which may have all the 255 bytes that a name can have.
    name = f".deedlog.{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(name, flags, 0o666 if mode is None else mode, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as file:
            # The umask may have taken bits away. A private file is left so: it is no more open than it should be,
            # and a file system without permission bits refuses the call.
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
    """Give a file its path, durably. What is there is checked again, at the last moment, and replaced if it may be."""
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
    """Give a file a second name, durably, or its only one; raise `FileExistsError` if that is taken."""
    linked = True
    try:
        # Unlike a rename, this replaces nothing.
        os.link(name, new_name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links, as on many memory sticks. An empty file takes the name first, and a crash
        # may leave that one; but no file is replaced that another process puts there meanwhile.
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
        if linked:  # the first name is still there
            os.unlink(new_name, dir_fd=folder)
        raise


def _check(folder: int, path: Path, replaces: Replaces) -> os.stat_result | None:
    """Return the status of the file that is to be replaced, None if there is none; raise if it may not be."""
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
    """Return whether the path leads to a pipe, a character device, or by a link to our own output or error stream."""
    try:
        there = path.stat()
    except OSError:  # nothing there, or a link to nothing: `_check` looks closer
        return False
    return stat.S_ISFIFO(there.st_mode) or stat.S_ISCHR(there.st_mode) or _own_stream(path, there) is not None


def _open_stream(path: Path) -> int:
    own = _own_stream(path, path.stat())
    if own is not None:
        return os.dup(own)  # opened anew, a file would be written over from its start
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged for a file since
        os.close(descriptor)
        raise FileExistsError
    return descriptor


def _own_stream(path: Path, there: os.stat_result) -> int | None:
    """Return 1 or 2 if the path is a link, as `/dev/stdout` is, to the file that is our output or error stream."""
    if path.is_symlink() and stat.S_ISREG(there.st_mode):
        for descriptor in (1, 2):
            with suppress(OSError):
                if os.path.samestat(there, os.fstat(descriptor)):
                    return descriptor
    return None


def _sync(folder: int) -> None:
    """Make the names in a folder durable: a file that is synced can still lose its name in a power cut."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # of file systems that have nothing to sync there
            raise
