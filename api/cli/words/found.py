"""A statement by its digest, from a registry, or from a file: a bundle, a signed statement, or typed data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.api.cli.common import DEFAULT_URL, PATH, pauses_said, request_seconds
from deedlog.api.cli.signing import open_key
from deedlog.api.cli.trust.pinning import registry_option, url_of
from deedlog.api.client.home import key_path
from deedlog.api.client.registry import Registry
from deedlog.api.client.signed_statement import SignedStatement
from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData
from deedlog.registry.files import expanded, read_file
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_hex
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements import signatures
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.typed_data import from_typed_data, signed_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedlog.api.cli.trust.pinning import Pinned
    from deedlog.api.client.answers import Draft, StatementRecord
    from deedlog.registry.statements.base import Statement

_DIGEST = re.compile("0[xX][0-9A-Fa-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Access:
    """Which registry to ask, and as whom."""

    language: str
    url: str
    registry: Pinned | None
    key_name: str | None
    passphrase_file: Path | None


@dataclass(frozen=True, slots=True)
class FiledStatement:
    """What a file says: a statement, for the registry at an address, with signatures that hold (there may be none)."""

    statement: Statement
    digest: bytes
    registry: bytes
    accounts: tuple[bytes, ...]
    typed_data: dict[str, Any]


_OPTIONS = (
    click.option("--key", "key_name", help="Sign in with this key, for what is not public: a name, or a file's path."),
    click.option("--passphrase-file", type=PATH, help="Read the key's passphrase from it."),
    click.option("--url", envvar="DEEDLOG_URL", default=DEFAULT_URL, show_default=True, help="The registry's URL."),
    registry_option("Ask only the registry at this address, or with this name in deedlog trust."),
)


def access_options(command: Callable[..., None]) -> Any:
    """Add the options of asking a registry; the command gets them as `Access`, its first argument."""

    def with_access(
        language: str,
        url: str,
        registry: Pinned | None,
        key_name: str | None,
        passphrase_file: Path | None,
        **others: Any,
    ) -> None:
        command(Access(language, url_of(registry, url), registry, key_name, passphrase_file), **others)

    decorated: Any = click.pass_obj(update_wrapper(with_access, command))
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def find(access: Access, what: str) -> Draft | StatementRecord | FiledStatement:
    """Return what a digest (0x and 64 digits) or a path names. What begins with 0x and is no file is a bad digest.

    Raises `InvalidData` (`statement.unknown`, `show.no_statement`, `hex.…`), and what reading a file or asking raises.
    """
    path = expanded(Path(what))
    if _DIGEST.fullmatch(what) is None and (what[:2].lower() != "0x" or path.exists()):
        return from_file(path)
    digest = from_hex(what.lower(), HASH_SIZE, "DIGEST")
    key = None
    if access.key_name is not None:
        key = open_key(access.language, key_path(access.key_name), access.passphrase_file)
    with Registry(
        access.url,
        address=None if access.registry is None else access.registry.address,
        key=key,
        language=access.language,
        seconds=request_seconds(),
        on_pause=pauses_said(access.language),
    ) as client:
        if key is None:
            return client.statement(digest)
        client.sign_in()
        return client.find(digest)


def from_file(path: Path) -> FiledStatement:
    """Return the statement of a file, whose signatures were checked, if it has any.

    Raises `InvalidData`: `show.no_statement`, or what is wrong with the statement or a signature.
    """
    data = read_file(path, bundles.MAXIMUM_BUNDLE, streams=True)
    try:
        value = strict_json.loads(data, bundles.MAXIMUM_BUNDLE)
    except InvalidData as error:
        raise InvalidData("show.no_statement", path=str(path)) from error
    if not isinstance(value, dict):
        raise InvalidData("show.no_statement", path=str(path))
    given: tuple[signatures.Signature, ...] = ()
    if "entry" in value:
        bundle = bundles.parse(data, contracts())
        typed, given = bundle.typed_data, tuple(entries.parse(bundle.entry).signatures)
    else:
        typed = value.get("typed_data", value)
        if not isinstance(typed, dict) or "primaryType" not in typed:
            raise InvalidData("show.no_statement", path=str(path))
        if "signatures" in value:
            given = SignedStatement.from_json(value, signed_for(typed)).signatures
    registry = signed_for(typed)
    statement = from_typed_data(typed, registry)
    digest = statement.digest(domain_separator(registry))
    for signature in given:
        signatures.check(signature, digest)
    return FiledStatement(statement, digest, registry, tuple(each.account for each in given), typed)


def body(found: Draft | StatementRecord | FiledStatement) -> Statement:
    """Return the statement itself; raise `InvalidData` where it is withheld, or this version cannot read it."""
    if found.statement is not None:
        return found.statement
    if not isinstance(found, FiledStatement) and not found.known_kind:
        raise InvalidData("statement.newer_kind", digest=to_hex(found.digest), kind=found.kind[:64])
    raise InvalidData("statement.withheld", digest=to_hex(found.digest))
