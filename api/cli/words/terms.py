"""The terms of an agreement: a text, of which the statement has only a salted hash. And `deedlog terms`.

The salt is in a file of its own beside the text, `NAME.salt`. Whoever wants to check the text needs both.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import PATH, say, show_json
from deedlog.api.cli.exit_codes import ExitCode
from deedlog.api.cli.outputs import Output
from deedlog.api.cli.words.found import Access, access_options, body, find
from deedlog.registry.errors import InvalidData
from deedlog.registry.files import PRIVATE, read_file
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_hex
from deedlog.registry.statements import Agreement
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from pathlib import Path

    from deedlog.registry.statements.base import Statement

MAXIMUM_TERMS = 16 * 1024 * 1024
_MAXIMUM_SALT = 1024


def salt_file(path: Path) -> Path:
    """Return the path of the salt that belongs to the text at `path`."""
    return path.with_name(f"{path.name}.salt")


def hash_of(path: Path, salt: Path | None = None) -> bytes:
    """Return the salted hash (32 bytes) of the text at `path`: SHA-256 of the salt's 32 bytes and the text.

    Raises `InvalidData` (`terms.no_salt`, `hex.…`) if the salt is missing or damaged.
    """
    content = read_file(path, MAXIMUM_TERMS)
    beside = salt or salt_file(path)
    if not beside.exists():
        raise InvalidData("terms.no_salt", path=str(path), salt=str(beside))
    written = read_file(beside, _MAXIMUM_SALT).decode("ascii", "replace").strip()
    return hashlib.sha256(from_hex(written, HASH_SIZE, str(beside)) + content).digest()


def new_hash_of(path: Path) -> bytes:
    """Return the salted hash of the text at `path`, with the salt beside it, which is made if it is missing."""
    beside = salt_file(path)
    if not beside.exists():
        read_file(path, MAXIMUM_TERMS)  # no salt for a text that cannot be read
        salt = to_hex(secrets.token_bytes(HASH_SIZE)) + "\n"
        Output(beside, (path,), lasting=True).write(salt.encode(), mode=PRIVATE)
    return hash_of(path)


def check_terms(statement: Statement, path: Path) -> None:
    """Raise `InvalidData` unless the text at `path`, with its salt, is what the statement, an agreement, names.

    Codes: `terms.other`, `terms.no_agreement`, and those of `hash_of`.
    """
    if hash_of(path) != named_by(statement):
        raise InvalidData("terms.other", path=str(path), salt=str(salt_file(path)))


def named_by(statement: Statement) -> bytes:
    """Return the salted hash that an agreement has of its text (`NONE`: it names none).

    Raises `InvalidData` (`terms.no_agreement`) for any other statement.
    """
    if not isinstance(statement, Agreement):
        raise InvalidData("terms.no_agreement", field="STATEMENT", kind=statement.kind)
    return statement.termsHash


@click.group()
def command() -> None:
    """Check the text that an agreement names."""


@command.command()
@click.argument("file", type=PATH)
@click.argument("statement", metavar="[DIGEST|BUNDLE]", required=False)
@click.option("--salt", type=PATH, help="The salt's file; default: FILE.salt.")
@access_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(access: Access, file: Path, statement: str | None, salt: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Check that FILE, with its salt, is the text of an agreement or of the draft of one.

    The agreement is a DIGEST (0x…), for which a registry is asked (as a party, with --key), or its BUNDLE.

    Exit code: 0 if it is, 1 if it is another text or salt, 2 if no agreement is given: then its hash is shown.
    """
    actual = hash_of(file, salt)
    shown: dict[str, str | None] = {"path": str(file), "salt": str(salt or salt_file(file)), "hash": to_hex(actual)}
    code = ExitCode.NOT_CHECKED
    named = None
    if statement is not None:
        named = named_by(body(find(access, statement)))
        code = ExitCode.DONE if named == actual else ExitCode.NO
    if as_json:
        show_json({**shown, "named": None if named in (None, NONE) else to_hex(named or b""), "exit_code": int(code)})
    else:
        params = {name: value or "" for name, value in shown.items()}
        if code is ExitCode.DONE:
            say(access.language, "cli.terms.same", **params)
        elif named is None:
            say(access.language, "cli.terms.hash", **params)
        elif named == NONE:
            say(access.language, "cli.terms.none", **params)
        else:
            say(access.language, "cli.terms.other", **params, named=to_hex(named))
    click.get_current_context().exit(code)
