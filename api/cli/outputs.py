"""The one way by which a command writes a file that a person named, or that lies beside one.

An output

- never replaces an input of the same command, under whatever name (another path, a hard link, a link), not even with
  `--force`;
- replaces what exists only if that is an older state of the same thing, as its command recognises it, or with
  `--force`;
- is written whole or not at all, durably, and through no symbolic link (`registry/files.py`);
- may be `-`, which is standard output; nothing else is then printed there. A pipe or a device is written to.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deedlog.api.texts import text
from deedlog.registry import files
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deedlog.registry.files import Replaces

_DASH = "-"

force_option = click.option("--force", is_flag=True, help="Replace what exists there, whatever it is.")


def give_up_standard_output() -> None:
    """Drop what is buffered for standard output: at the end it would fail once more, and set another exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)


class Output:
    """An output of a command: `path`, or standard output if that is `-`.

    `inputs` are the paths that the command reads (None: not given). `force` replaces a file that the command does not
    recognise. `lasting` refuses what cannot be read again: standard output, a pipe, a device.
    """

    def __init__(
        self, path: Path, inputs: Iterable[Path | None] = (), *, force: bool = False, lasting: bool = False
    ) -> None:
        """Remember them. Nothing is opened yet."""
        self.path = path
        self._inputs = tuple(given for given in inputs if given is not None)
        self._force = force
        self._lasting = lasting
        self.is_standard_output = str(path) == _DASH or _is_standard_output(path)
        self._standard_output = sys.stdout

    def check(self, *, replaces: Replaces = False) -> None:
        """Raise the error that `write` would raise. Call it before long work.

        Raises `InvalidData`: `file.is_input`, `file.not_lasting`, `file.link`, `file.not_a_file`, what `replaces`
        raises. Raises `Unavailable`: `file.exists`, `file.no_folder`, `file.unwritable`.
        """
        if self._lasting and (self.is_standard_output or _is_stream(self.path)):
            raise InvalidData("file.not_lasting", path=str(self.path))
        if self.is_standard_output:
            return
        self._refuse_inputs()
        files.check_writable(self.path, replaces=self._force or replaces)

    def write(self, data: bytes, *, replaces: Replaces = False, mode: int | None = None) -> None:
        """Write all of it or nothing. `replaces` and `mode`: see `files.write_atomically`. Raises as `check` does."""
        self.check(replaces=replaces)  # a name may have changed since the first check
        if self.is_standard_output:
            self._print(data)
            return
        files.write_atomically(self.path, data, replaces=self._force or replaces, mode=mode)

    def holds(self, data: bytes, *, mode: int | None = None) -> bool:
        """Whether the file already has exactly these bytes, and is no more open than `mode`."""
        if self.is_standard_output or _is_stream(self.path):
            return False
        try:
            if files.read_file(self.path, len(data), follow=False) != data:
                return False
            return mode is None or not stat.S_IMODE(self.path.stat().st_mode) & ~mode
        except (DeedlogError, OSError):
            return False

    @contextlib.contextmanager
    def alone(self, language: str, *, as_json: bool) -> Iterator[None]:
        """If this is standard output, print what the block prints on the error stream instead.

        Raises `click.UsageError` with `as_json`: the JSON would have to go to the same stream.
        """
        if not self.is_standard_output:
            yield
            return
        if as_json:
            raise click.UsageError(text(language, "cli.output_and_json"))
        with contextlib.redirect_stdout(sys.stderr):
            yield

    def _refuse_inputs(self) -> None:
        there = _status(self.path)
        if there is None or not stat.S_ISREG(there.st_mode):
            return
        for given in self._inputs:
            status = _status(given)
            if status is not None and os.path.samestat(status, there):
                raise InvalidData("file.is_input", path=str(self.path), input=str(given))

    def _print(self, data: bytes) -> None:
        try:
            if self._standard_output is None:  # closed before the start
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))  # noqa: TRY301 - one place turns it into ours
            self._standard_output.flush()
            stream = self._standard_output.buffer
            try:
                descriptor = os.dup(stream.fileno())
            except io.UnsupportedOperation:  # not a real stream: a caller in the same process
                stream.write(data)
                return
            # By a descriptor of its own: what could not be written is not tried again when the process ends.
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        except OSError as error:
            raise Unavailable("file.unwritable", path=_DASH, reason=error.strerror or str(error)) from error


def _status(path: Path) -> os.stat_result | None:
    """Return the status of what a path leads to; None if that is nothing."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _is_stream(path: Path) -> bool:
    there = _status(path)
    return there is not None and not stat.S_ISREG(there.st_mode) and not stat.S_ISDIR(there.st_mode)


def _is_standard_output(path: Path) -> bool:
    """Whether a path such as `/dev/stdout` leads to our standard output; a file by its own name does not."""
    there = _status(path)
    if there is None or (stat.S_ISREG(there.st_mode) and not path.is_symlink()):
        return False
    try:
        ours = os.fstat(1)
        nothing = Path(os.devnull).stat()
    except OSError:
        return False
    return os.path.samestat(there, ours) and not os.path.samestat(there, nothing)
