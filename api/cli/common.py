"""What the commands share: typed paths, output, passphrases, the time limit of requests, and progress bars."""

from __future__ import annotations

import json
import math
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from deedlog.api.texts import error_text, text
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable
from deedlog.registry.files import expanded
from deedlog.registry.hashing import digest_file
from deedlog.registry.passphrases import check_new, read_passphrase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from click._termui_impl import ProgressBar

    from deedlog.registry.file_digest import FileDigest

DEFAULT_URL = "http://127.0.0.1:8000"

TIMEOUT_VARIABLE = "DEEDLOG_TIMEOUT"
"""The environment variable with the total time of each HTTP request, in seconds."""


class _TypedPath(click.Path):
    """A path, with `~` for the home folder also where no shell has expanded it (`--backup=~/x`)."""

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the `Path`."""
        return expanded(Path(os.fsdecode(super().convert(value, param, ctx))))


PATH = _TypedPath(path_type=Path)
"""The type of each argument and option that is a path."""

_UNSAID_PAUSE = 3.0
"""Seconds up to which a pause between two tries is not mentioned."""

_BAR_FROM = 64 * 1024 * 1024
"""File size in bytes from which hashing takes long enough for a progress bar."""


def say(language: str, code: str, **params: str | int) -> None:
    """Print a text of the catalogue."""
    click.echo(text(language, code, params))


def show_json(value: Mapping[str, Any]) -> None:
    """Print a result as JSON for programs."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(value, ensure_ascii=not utf8, indent=2))


def show_error(language: str, error: DeedlogError, *, as_json: bool) -> None:
    """Print an error on the error stream; with `as_json` also as JSON on standard output."""
    if as_json:
        show_json({"error": {"code": error.code, "field": error.field, "params": error.params}})
    click.echo(error_text(language, error), err=True)


def request_seconds() -> float | None:
    """Return the total time of each HTTP request, in seconds; None for the client's default.

    Raises `InvalidData` (`cli.timeout`) if the environment variable is set to anything but a positive number.
    """
    given = os.environ.get(TIMEOUT_VARIABLE)
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidData("cli.timeout", field=TIMEOUT_VARIABLE)
    return seconds


def pauses_said(language: str) -> Callable[[float], None]:
    """Return what says on the error stream that a server asked to wait, where it is long enough to be wondered at."""

    def on_pause(seconds: float) -> None:
        if seconds > _UNSAID_PAUSE:
            click.echo(text(language, "cli.pause", {"seconds": f"{seconds:g}"}), err=True)

    return on_pause


def passphrase(language: str, file: Path | None, *, new: bool = False, replacing: bool = False) -> str:
    """Return the passphrase from a file or the keyboard. A new one is asked for twice there, and must be strong enough.

    Raises `InvalidData` (`key.empty_passphrase`, `key.weak_passphrase`).
    """
    if file is not None:
        given = read_passphrase(file)
    else:
        given = click.prompt(
            text(language, "cli.passphrase_new" if replacing else "cli.passphrase"),
            hide_input=True,
            confirmation_prompt=new,
            default="",
            show_default=False,
        )
    if new:
        check_new(given)
    return given


def digest_with_bar(language: str, path: Path) -> FileDigest:
    """Hash a file; for a large one, show a progress bar on the error stream."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Unavailable("file.unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if size < _BAR_FROM:
        return digest_file(path)
    label = text(language, "cli.hashing", {"name": path.name})
    bar: ProgressBar[int]
    with click.progressbar(length=size, label=label, file=click.get_text_stream("stderr")) as bar:
        return digest_file(path, bar.update)


class Bars:
    """A progress bar on the error stream for each stage of a long check. Without a terminal, it shows nothing."""

    def __init__(self, language: str) -> None:
        """Show nothing yet."""
        self._language = language
        self._stream = click.get_text_stream("stderr")
        self._stage = ""
        self._done = 0
        self._stack = ExitStack()
        self._bar: ProgressBar[int] | None = None

    def __enter__(self) -> Self:
        """Return itself, a callback that takes (stage, done, total)."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the bar."""
        self._stack.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` entries are checked. A new stage starts a new bar."""
        if not self._stream.isatty():
            return
        if stage != self._stage or self._bar is None:
            self._stack.close()
            label = text(self._language, f"cli.stage.{stage}")
            bar: ProgressBar[int] = click.progressbar(length=total, label=label, file=self._stream)
            self._bar, self._stage, self._done = self._stack.enter_context(bar), stage, 0
        self._bar.update(done - self._done)
        self._done = done
