"""What a person reads before they sign: the statements that theirs names, and how it differs from what it replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import say
from deedlog.api.texts import text
from deedlog.api.texts.verdict_text import differences, statement_lines
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.subjects import CORRECTS, SUPERSEDES, statements_in, values

if TYPE_CHECKING:
    from deedlog.api.client.answers import Draft, StatementRecord
    from deedlog.api.client.registry import Registry
    from deedlog.registry.statements.base import Statement

_SHOWN_WHOLE = 8
"""How many of the statements that one names are shown whole; of others only the digest."""


def show_named(client: Registry, statement: Statement, language: str) -> None:
    """Show in words each statement that `statement` names, and what these are about: of a contribution, the work.

    Where `statement` is to replace one, show the differences. The client derives the digests of what it shows, so the
    registry cannot show something else in its place.
    """
    digests = list(dict.fromkeys(statements_in(statement.subjects())))
    for position, digest in enumerate(digests):  # which grows
        if position >= _SHOWN_WHOLE:
            say(language, "cli.words.more", digest=to_hex(digest))
            continue
        found = _found(client, digest)
        named = None if found is None else found.statement
        if named is None:
            readable = found is None or found.known_kind
            say(language, "cli.words.not_shown" if readable else "cli.words.newer_kind", digest=to_hex(digest))
            continue
        say(language, "cli.words.names", digest=to_hex(digest))
        for line in statement_lines(named, language):
            click.echo(f"    {line}")
        if named.kind == statement.kind:  # an amendment, a correction
            _show_differences(named, statement, language)
        digests += [each for each in _about(named) if each not in digests]


def _about(named: Statement) -> list[bytes]:
    """Return the statements that a named one is about. What it has replaced itself is not what will be signed."""
    subjects = named.subjects()
    replaced = {digest for tag in (SUPERSEDES, CORRECTS) for digest in values(subjects, tag)}
    return [digest for digest in statements_in(subjects) if digest not in replaced]


def _show_differences(before: Statement, after: Statement, language: str) -> None:
    say(language, "cli.words.differences")
    nothing = text(language, "verdict.none")
    for name, there, here in differences(before, after, language):
        say(language, "cli.words.differs", name=name, before=there or nothing, after=here or nothing)


def _found(client: Registry, digest: bytes) -> Draft | StatementRecord | None:
    """Return a statement or a draft, signing in if it is not public; None if this account is not shown that it is."""
    try:
        found = client.statement(digest)
        if found.statement is not None or not found.known_kind:
            return found
    except InvalidData as error:
        if error.code != "statement.unknown":
            raise
    client.sign_in()
    try:
        return client.find(digest)
    except InvalidData as error:
        if error.code != "statement.unknown":
            raise
        return None
