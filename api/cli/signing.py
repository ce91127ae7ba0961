"""What the commands that sign share: their options, and how a statement is shown, signed, kept and sent.

A signed statement is kept before it is sent, under what it says: the same command run again sends the very same one.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from deedlog.api.cli.common import DEFAULT_URL, passphrase, say, show_json
from deedlog.api.client import outbox
from deedlog.api.client.home import key_path
from deedlog.api.client.registry_client import Client
from deedlog.api.texts import text
from deedlog.api.texts.verdict_text import kind_name, members
from deedlog.registry import keystore
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import account_from_any_case, to_checksum, to_hex
from deedlog.registry.statements import signatures
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.typed_data import from_typed_data, typed_data

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.registry.statements.base import Statement

_NOT_MEANT = ("salt", "madeAt")
"""Members that differ each time although the same is meant."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a person wants to sign: with which key, for which registry, asked or not."""

    language: str
    key_name: str
    passphrase_file: Path | None
    url: str
    registry: str | None
    yes: bool
    as_json: bool


_OPTIONS = (
    click.option("--key", "key_name", default="default", show_default=True, help="A key's name, or its file's path."),
    click.option("--passphrase-file", type=click.Path(path_type=Path), help="Read the key's passphrase from it."),
    click.option("--url", envvar="DEEDLOG_URL", default=DEFAULT_URL, show_default=True, help="The registry's URL."),
    click.option("--registry", help="Sign only for the registry at this address (0x…)."),
    click.option("--yes", is_flag=True, help="Do not ask before signing."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)


def signer_options(command: Callable[..., None]) -> Any:
    """Give a command the options of whoever signs; it is called with `Options` first."""

    def with_options(
        language: str,
        key_name: str,
        passphrase_file: Path | None,
        url: str,
        registry: str | None,
        yes: bool,  # noqa: FBT001 - click's flag
        as_json: bool,  # noqa: FBT001 - click's flag
        **others: Any,
    ) -> None:
        command(Options(language, key_name, passphrase_file, url, registry, yes, as_json), **others)

    decorated: Any = click.pass_obj(update_wrapper(with_options, command))
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


class Signer:
    """A person with a key at a registry."""

    def __init__(self, options: Options, texts: str = "cli.signing") -> None:
        """Read whose key it is, and open it for that only where the file does not name its account.

        `texts`: which of the catalogue tell what happens.
        """
        self.options = options
        self.texts = texts
        self._key_file = key_path(options.key_name)
        self._key: bytes | None = None
        self.account = keystore.account(self._key_file) or signatures.account_of_private_key(self.key())
        self.client = Client(options.url, options.language)
        self._identity: RegistryIdentity | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.client.__exit__(kind, error, trace)

    @property
    def registry(self) -> bytes:
        """The address of the registry; raises `InvalidData` (`registry.other`) if it is not the one asked for."""
        if self._identity is None:
            wanted = self.options.registry
            pinned = None if wanted is None else account_from_any_case(wanted, "registry")
            self._identity = self.client.identity(pinned)
        return self._identity.address

    def key(self) -> bytes:
        """Return the private key; the passphrase is asked for once."""
        if self._key is None:
            self._key = keystore.read(self._key_file, passphrase(self.options.language, self.options.passphrase_file))
        return self._key

    def sign_in(self) -> None:
        """Prove to the registry who asks, so that it shows what only that account may read."""
        self.client.sign_in(self.key())

    def send(
        self,
        statement: Statement,
        *warnings: str,
        others: tuple[bytes, ...] = (),
        same: bytes | None = None,
        proposed: bool = False,
    ) -> dict[str, Any]:
        """Show a statement, sign it, keep it and send it; return the answer, shown already.

        `others` are more keys that sign with it. `same`: 32 bytes that stay the same when the command is run again,
        if not all that it says (`meaning`). What needs signatures of people who are not here is `proposed` to them;
        so is any statement of several signers.
        """
        path = outbox.place(self.registry, self.account, meaning(statement) if same is None else same)
        if outbox.is_there(path):
            body, digest = outbox.read(path, self.registry)
            if not self.options.as_json:
                say(self.options.language, f"{self.texts}.signed_before", path=str(path))
        else:
            statement.STRUCT.accept(statement)
            self.confirm(statement, *warnings)
            digest = statement.digest(domain_separator(self.registry))
            given = [signatures.sign(digest, key) for key in (self.key(), *others)]
            body = {"typed_data": typed_data(statement, self.registry), "signatures": [show(one) for one in given]}
            outbox.write(path, body)
        signers = statement.signers()
        alone = not proposed and (signers is None or len(signers) == len(body["signatures"]))
        try:
            answer = self.client.register(body, digest) if alone else self.client.propose(body, digest)
        except InvalidData:
            refused = outbox.put_aside(path)
            if not self.options.as_json:
                click.echo(text(self.options.language, "cli.register.refused", {"path": str(refused)}), err=True)
            raise
        except Unavailable as error:
            error.params["kept"] = str(path)
            click.echo(text(self.options.language, "cli.register.kept", {"path": str(path)}), err=True)
            raise
        shown = {**answer, "registry": to_checksum(self.registry), "kept": str(path)}
        self.report(shown)
        return shown

    def checked(self, data: object, digest: bytes) -> Statement:
        """Return the statement of typed data that the registry gave for a digest; raise unless it has that digest."""
        statement = from_typed_data(data, self.registry)
        actual = statement.digest(domain_separator(self.registry))
        if actual != digest:
            raise InvalidData("signing.other_digest", expected=to_hex(digest), actual=to_hex(actual))
        return statement

    def confirm(self, statement: Statement, *warnings: str) -> None:
        """Show what is about to be signed, and ask; nothing is asked with `--yes` or `--json`."""
        if self.options.as_json:
            return
        say(self.options.language, "cli.register.about_to_sign", registry=to_checksum(self.registry))
        for line in lines_of(statement, self.options.language):
            click.echo(f"  {line}")
        say(self.options.language, f"kind.{statement.kind}.signing")
        for warning in warnings:
            click.echo(warning)
        say(self.options.language, f"{self.texts}.for_ever")
        if not self.options.yes:
            click.confirm(text(self.options.language, f"{self.texts}.sign"), abort=True, default=True)

    def report(self, answer: dict[str, Any]) -> None:
        """Say what became of a statement."""
        if self.options.as_json:
            show_json(answer)
            return
        said = {name: answer[name] for name in ("kind", "digest", "registry")}
        waits = bool(answer.get("missing"))
        outcome = "signed_already" if waits and answer["outcome"] == "known" else answer["outcome"]
        say(self.options.language, f"{self.texts}.{outcome}", **said)
        if waits:
            say(self.options.language, "cli.signing.missing", accounts=", ".join(answer["missing"]))


def show(signature: signatures.Signature) -> dict[str, str]:
    """Return a signature as it is sent."""
    return {"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}


def meaning(statement: Statement, defaulted: tuple[str, ...] = ()) -> bytes:
    """Return 32 bytes that are equal for statements that mean the same, whenever they were made."""
    left_out = (*_NOT_MEANT, *defaulted)
    meant = {name: value for name, value in statement.message().items() if name not in left_out}
    for line in meant.get(statement.STRUCT.lines or "", ()):
        line.pop("salt")
    return hashlib.sha256(json.dumps([statement.kind, meant], sort_keys=True).encode()).digest()


def lines_of(statement: Statement, language: str) -> list[str]:
    """Return a statement for people: its kind and its members, a line each."""
    return [kind_name(statement.kind, language), *(f"{name}: {value}" for name, value in members(statement, language))]


def now() -> int:
    """Return the time that a person signs as theirs, in Unix seconds."""
    return int(time.time())


class Moment(click.ParamType):
    """A time: Unix seconds, a date (its first second in UTC), or RFC 3339 in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return Unix seconds."""
        if isinstance(value, int):
            return value
        if value.isascii() and value.isdigit():
            return int(value)
        for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
            try:
                return int(datetime.strptime(value, form).replace(tzinfo=UTC).timestamp())
            except ValueError:
                continue
        self.fail(f"{value!r}: 1795460000, 2026-11-24 or 2026-11-24T00:00:00Z", param, ctx)
        raise AssertionError  # `fail` has raised


MOMENT = Moment()
