"""The exit codes of all commands: one table, which `docs/exit-codes.md` explains.

1 and 2 are answers about what was checked. No mistake in calling a command, and nothing that failed on the way, ends
with one of them: a script must not take a typing error for a forgery. Codes from 64 on are those of `sysexits.h` where
it has one with that meaning.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

from deedlog.registry.errors import DeedlogError, InvalidData, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


class ExitCode(IntEnum):
    """What the end of a command means."""

    DONE = 0
    NO = 1
    NOT_CHECKED = 2
    STANDS = 3
    USAGE = 64
    DATA = 65
    NOT_FOUND = 66
    UNAVAILABLE = 69
    FAULT = 70
    OUTPUT = 73
    IO = 74
    REFUSED = 77
    SETTINGS = 78
    INTERRUPTED = 130


_BY_CODE = {
    ExitCode.NO: ("prove.bad_bundle", "prove.other_statement"),
    ExitCode.USAGE: (
        *("agreement.no_payer", "agreement.no_shares", "api_key.unknown_scope", "client.no_key", "fetch.url"),
        *("file.name_encoding", "file.name_zero", "key.empty_passphrase", "key.passphrase_too_long"),
        *("key.weak_passphrase", "payout_check.no_agreement", "payout_check.no_report"),
        *("payout_check.other_agreement", "payout_check.which", "share.malformed", "share.twice"),
        *("statement.no_line", "terms.no_agreement", "verify.unknown_question"),
    ),
    ExitCode.DATA: ("audit.kept",),
    ExitCode.NOT_FOUND: ("api_key.unknown", "draft.unknown", "statement.unknown", "terms.no_salt"),
    ExitCode.OUTPUT: (
        *("file.exists", "file.is_input", "file.link", "file.no_folder", "file.not_lasting", "log.exists"),
        *("key.other_backup", "prove.fewer_anchors", "prove.other_bundle", "prove.other_lines", "register.link"),
    ),
    ExitCode.IO: ("file.changed", "file.unwritable"),
    ExitCode.REFUSED: (
        *("agreement.rotation", "key.wrong_passphrase", "registries.other_address", "registry.other"),
        *("signing.other_digest", "statement.withheld", "terms.other"),
    ),
    ExitCode.SETTINGS: (
        *("chains.malformed", "chains.unknown", "chains.unreadable", "cli.timeout", "database.url"),
        *("registries.entry", "registries.syntax"),
    ),
}
"""Errors whose exit code does not follow from their class."""

_BY_NAME = {code: exit_code for exit_code, codes in _BY_CODE.items() for code in codes}

_ARGUMENTS = frozenset(("ADDRESS", "DIGEST", "NAME", "STATEMENT", "UPLOAD", "WORK"))
"""Arguments by which an error names its field, besides options, which begin with two dashes."""


class Ending(InvalidData):
    """An error that ends the command with an exit code of its own."""

    def __init__(self, error: DeedlogError, exit_code: ExitCode) -> None:
        """Take over code, field and parameters."""
        super().__init__(error.code, field=error.field, **error.params)
        self.exit_code = exit_code


@contextmanager
def ending(exit_code: ExitCode) -> Iterator[None]:
    """Let invalid data in the block end the command with this code.

    A registry's refusal keeps its code. So does a mistake in calling the command, and a file that is not what it should
    be.
    """
    try:
        yield
    except InvalidData as error:
        if isinstance(error, Refused) or _BY_NAME.get(error.code) in (ExitCode.USAGE, ExitCode.DATA):
            raise
        raise Ending(error, exit_code) from error


def exit_code_of(error: DeedlogError) -> ExitCode:
    """Return the code with which an error ends a command."""
    if isinstance(error, Ending):
        return error.exit_code
    if error.code in _BY_NAME:
        return _BY_NAME[error.code]
    if error.code == "file.unreadable":
        missing = isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)
        return ExitCode.NOT_FOUND if missing else ExitCode.IO
    return _of_class(error)


def _of_class(error: DeedlogError) -> ExitCode:
    if error.code.startswith("settings."):
        return ExitCode.SETTINGS
    if isinstance(error, Refused):
        return ExitCode.REFUSED
    if isinstance(error, Unavailable):
        return ExitCode.UNAVAILABLE
    return ExitCode.USAGE if _is_argument(error) else ExitCode.DATA


def _is_argument(error: DeedlogError) -> bool:
    """Whether an error is about an argument of the command, and not about the contents of a file."""
    # Subclasses come from files: their fields are member names, and a file may have any.
    return type(error) is InvalidData and ((error.field or "").startswith("--") or error.field in _ARGUMENTS)
