"""What the signing commands share: their options, and how a statement is shown, signed, stored and sent.

A signed statement is stored before it is sent, under a key derived from its meaning. Running the same command again
sends the same signed statement.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, NoReturn, Self

import click

from deedlog.api.cli.common import DEFAULT_URL, PATH, passphrase, pauses_said, request_seconds, say, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.api.cli.trust.pinning import named, registry_option, trusted_name, url_of
from deedlog.api.cli.words.before_signing import show_named
from deedlog.api.client import outbox
from deedlog.api.client.answers import Draft
from deedlog.api.client.home import key_path
from deedlog.api.client.registry import Registry
from deedlog.api.texts import choose_language, error_text, text
from deedlog.api.texts.verdict_text import members, statement_lines
from deedlog.registry import keystore, times
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements import signatures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from deedlog.api.cli.trust.pinning import Pinned
    from deedlog.api.client.answers import Receipt, StatementRecord
    from deedlog.api.client.signed_statement import SignedStatement
    from deedlog.registry.statements.base import Statement

_NOT_MEANT = ("salt", "madeAt")
"""Members that differ each time, although the meaning is the same."""

_SAID = ("kind", "digest", "registry")


@dataclass(frozen=True, slots=True)
class Options:
    """How a person wants to sign: with which key, for which registry, and whether to ask first."""

    language: str
    key_name: str
    passphrase_file: Path | None
    url: str
    registry: Pinned | None
    yes: bool
    as_json: bool


_OPTIONS = (
    click.option("--key", "key_name", default="default", show_default=True, help="A key's name, or its file's path."),
    click.option("--passphrase-file", type=PATH, help="Read the key's passphrase from it."),
    click.option("--url", envvar="DEEDLOG_URL", default=DEFAULT_URL, show_default=True, help="The registry's URL."),
    registry_option("Sign only for the registry at this address, or with this name in deedlog trust."),
    click.option("--yes", is_flag=True, help="Do not ask before signing; the statement is shown all the same."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)


def signer_options(command: Callable[..., None]) -> Any:
    """Add the options of signing to a command, which gets them as `Options`, its first argument."""

    def with_options(
        language: str,
        key_name: str,
        passphrase_file: Path | None,
        url: str,
        registry: Pinned | None,
        yes: bool,  # noqa: FBT001 - click's flag
        as_json: bool,  # noqa: FBT001 - click's flag
        **others: Any,
    ) -> None:
        asked = url_of(registry, url)
        command(Options(language, key_name, passphrase_file, asked, registry, yes, as_json), **others)

    decorated: Any = click.pass_obj(update_wrapper(with_options, command))
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


class Signer:
    """A person with a key at a registry."""

    def __init__(self, options: Options, texts: str = "cli.signing") -> None:
        """Find the account of the key; decrypt the key file only if it does not name its account.

        `texts` is the prefix of the catalogue codes for this command's messages.
        """
        self.options = options
        self.texts = texts
        self._key_file = key_path(options.key_name)

        self._key: bytes | None = None
        self.account = keystore.account(self._key_file) or signatures.account_of_private_key(self.key())
        self.client = Registry(
            options.url,
            address=None if options.registry is None else options.registry.address,
            key=lambda digest: signatures.sign(digest, self.key()),
            account=self.account,
            language=options.language,
            seconds=request_seconds(),
            on_pause=pauses_said(options.language),
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.client.close()

    @property
    def registry(self) -> bytes:
        """The address of the registry. Raises `InvalidData` (`registry.other`) if it differs from `--registry`."""
        return self.client.identity().address

    def key(self) -> bytes:
        """Return the private key. The passphrase is asked for once."""
        if self._key is None:
            self._key = open_key(self.options.language, self._key_file, self.options.passphrase_file)
        return self._key

    def send(
        self,
        statement: Statement,
        *warnings: str,
        others: tuple[bytes, ...] = (),
        same: bytes | None = None,
        defaulted: tuple[str, ...] = (),
        proposed: bool = False,
    ) -> dict[str, Any]:
        """Show a statement, sign it, store it and send it; print the answer and return it.

        `others` are further keys that also sign it. `defaulted` names members that the person did not give. `same`: 32
        bytes that identify the statement when the command is run again, by default its `meaning`. If one stands under
        them that differs in what was given, the command says so and ends with `ExitCode.STANDS`. A statement with
        several signers is proposed as a draft; `proposed` forces that for one whose other signers only the registry
        knows.
        """
        path = outbox.place(self.registry, self.account, meaning(statement, defaulted) if same is None else same)
        signed = self._kept(path, None if same is None else statement, defaulted)
        if signed is None:
            with ending(ExitCode.USAGE):
                statement.STRUCT.accept(statement)
            self.confirm(statement, *warnings)
            signed = self.client.sign(statement, also=others)
            outbox.write(path, signed)
        try:
            receipt = self.client.propose(signed) if proposed or not signed.complete else self.client.send(signed)
        except InvalidData:
            refused = outbox.put_aside(path)
            if not self.options.as_json:
                click.echo(text(self.options.language, "cli.register.refused", {"path": str(refused)}), err=True)
            raise
        except Unavailable as error:
            error.params["kept"] = str(path)
            click.echo(text(self.options.language, "cli.register.kept", {"path": str(path)}), err=True)
            raise
        if receipt.outcome == "repeat":
            first = self._found(receipt.digest)
            if first.statement is None or _differing(first.statement, statement, defaulted):
                outbox.put_aside(path)  # it can never be registered
                self._stop_at(first, statement, defaulted)
        return self.report(receipt, kept=str(path))

    def _kept(self, path: Path, asked: Statement | None, defaulted: tuple[str, ...]) -> SignedStatement | None:
        """Return the statement that was signed before, to send it again; None if there is none.

        `asked`: what is asked for now, if it may differ from what was signed. If it does, and the registry has the
        signed one, the command ends; if the registry never got it, it is put aside.
        """
        if not outbox.is_there(path):
            return None
        signed = outbox.read(path, self.registry)
        if asked is not None and _differing(signed.statement, asked, defaulted):
            try:
                found = self._found(signed.digest, draft=not signed.complete)
            except InvalidData as error:
                if error.code != "statement.unknown":
                    raise
                aside = outbox.put_aside(path)
                if not self.options.as_json:
                    say(self.options.language, "cli.register.put_aside", path=str(aside))
                return None
            self._stop_at(found, asked, defaulted, kept=path)
        if not self.options.as_json:
            say(self.options.language, f"{self.texts}.signed_before", path=str(path))
        return signed

    def _found(self, digest: bytes, *, draft: bool = False) -> Draft | StatementRecord:
        """Return a statement or a draft of this account as the registry shows it, signing in where that is needed."""
        if not draft:
            found = self.client.statement(digest)
            if found.statement is not None:
                return found
        self.client.sign_in()
        return self.client.find(digest)

    def _stop_at(
        self,
        found: Draft | StatementRecord,
        asked: Statement,
        defaulted: tuple[str, ...],
        kept: Path | None = None,
    ) -> NoReturn:
        """Say what stands, since when, how it differs from what was asked, and how to correct it; end the command."""
        language, is_draft = self.options.language, isinstance(found, Draft)
        since = found.proposed_at if isinstance(found, Draft) else found.accepted_at
        differing = [] if found.statement is None else _differing(found.statement, asked, defaulted)
        if self.options.as_json:
            show_json(
                {
                    "outcome": "stands",
                    "digest": to_hex(found.digest),
                    "kind": found.kind,
                    "registry": to_checksum(self.registry),
                    "draft": is_draft,
                    "since": times.show(since),
                    "differs": [
                        {"member": name, "stands": there, "asked": wanted} for name, there, wanted in differing
                    ],
                }
            )
        else:
            params: dict[str, str | int] = {"digest": to_hex(found.digest), "time": since, "path": str(kept or "")}
            say(language, "cli.register.draft_stands" if is_draft else "cli.register.stands", **params)
            if found.statement is not None:
                names = {name for name, _, _ in differing}
                rows = zip(
                    found.statement.message(), members(found.statement, language), members(asked, language), strict=True
                )
                for name, (label, there), (_, wanted) in rows:
                    if name in names:
                        say(language, "cli.register.differs", name=label, stands=there, asked=wanted)
            say(language, "cli.register.correct_draft_stands" if is_draft else "cli.register.correct_stands", **params)
        click.get_current_context().exit(ExitCode.STANDS)

    def confirm(self, statement: Statement, *warnings: str) -> None:
        """Show what will be signed and what that names, and ask. `--yes` skips the question, nothing skips the rest.

        The answer is no unless the person says yes: a signature cannot be taken back. With `--json` all this is on the
        error stream.
        """
        with redirect_stdout(sys.stderr) if self.options.as_json else nullcontext():
            self._show(statement, *warnings)
            if not self.options.yes:
                click.confirm(text(self.options.language, f"{self.texts}.sign"), abort=True, default=False)

    def _show(self, statement: Statement, *warnings: str) -> None:
        language, pinned = self.options.language, self.options.registry
        name = pinned.name if pinned is not None and pinned.name else trusted_name(language, self.registry)
        say(language, "cli.register.about_to_sign", registry=named(self.registry, name))
        for line in statement_lines(statement, language):
            click.echo(f"  {line}")
        say(language, "cli.signing.digest", digest=to_hex(self.client.digest(statement)))
        show_named(self.client, statement, language)
        say(language, f"kind.{statement.kind}.signing")
        for warning in warnings:
            click.echo(warning)
        say(language, f"{self.texts}.for_ever")
        if pinned is None and name is None:
            say(language, "cli.signing.unpinned", registry=to_checksum(self.registry), url=self.client.url)

    def report(self, receipt: Receipt, **more: str) -> dict[str, Any]:
        """Print the outcome; return what programs get: the registry's answer, its address, and `more`."""
        shown = {**receipt.answer, "registry": to_checksum(self.registry), **more}
        if self.options.as_json:
            show_json(shown)
            return shown
        outcome = "signed_already" if receipt.missing and receipt.outcome == "known" else receipt.outcome
        say(self.options.language, f"{self.texts}.{outcome}", **{name: shown[name] for name in _SAID})
        if receipt.missing:
            missing = ", ".join(to_checksum(account) for account in receipt.missing)
            say(self.options.language, "cli.signing.missing", accounts=missing)
        return shown


def open_key(language: str, path: Path, passphrase_file: Path | None) -> bytes:
    """Return the private key (32 bytes) of a key file. Its passphrase is asked for only if it is a key file."""
    keystore.account(path)
    return keystore.read(path, passphrase(language, passphrase_file))


def meaning(statement: Statement, defaulted: tuple[str, ...] = ()) -> bytes:
    """Return 32 bytes that are equal for statements with the same meaning, whenever they were made.

    `defaulted` names members whose value came from the clock; they are left out.
    """
    left_out = (*_NOT_MEANT, *defaulted)
    meant = {name: value for name, value in statement.message().items() if name not in left_out}
    for line in meant.get(statement.STRUCT.lines or "", ()):
        line.pop("salt")
    return hashlib.sha256(json.dumps([statement.kind, meant], sort_keys=True).encode()).digest()


def _differing(stands: Statement, asked: Statement, defaulted: tuple[str, ...]) -> list[tuple[str, Any, Any]]:
    """Return the members that differ, of those that were given, as (name, what stands, what was asked)."""
    there, wanted = stands.message(), asked.message()
    left_out = ("salt", *defaulted)
    return [(name, there[name], wanted[name]) for name in there if name not in left_out and there[name] != wanted[name]]


class Moment(click.ParamType):
    """A time, in one of the forms that `times.read_typed` accepts."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return Unix seconds."""
        if isinstance(value, int):
            return value
        try:
            return times.read_typed(value)
        except InvalidData as error:
            language = ctx.obj if ctx is not None and isinstance(ctx.obj, str) else choose_language(None)
            self.fail(error_text(language, error), param, ctx)


MOMENT = Moment()
