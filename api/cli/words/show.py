"""`deedlog show`: a statement in words, from a registry or from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import say, show_json
from deedlog.api.cli.words.found import Access, FiledStatement, access_options, body, find
from deedlog.api.client.answers import StatementRecord
from deedlog.api.texts import catalogue, printable, text
from deedlog.api.texts.verdict_text import statement_lines
from deedlog.registry.hexadecimal import to_checksum, to_hex

if TYPE_CHECKING:
    from deedlog.api.client.answers import Draft


@click.command()
@click.argument("statement", metavar="DIGEST|FILE")
@access_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(access: Access, statement: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Show in words what a statement says: one that a registry has (DIGEST, 0x…), or one in a FILE.

    FILE is a bundle, or a signed statement that was kept before it was sent. A statement that is not public needs
    --key. This shows what was signed; whether a bundle proves it, deedlog verify tells.
    """
    found = find(access, statement)
    if not isinstance(found, FiledStatement):
        show_found(access.language, found, as_json=as_json)
    elif as_json:
        show_json(
            {
                "digest": to_hex(found.digest),
                "kind": found.statement.kind,
                "registry": to_checksum(found.registry),
                "signed_by": [to_checksum(account) for account in found.accounts],
                "typed_data": found.typed_data,
            }
        )
    else:
        for line in statement_lines(found.statement, access.language):
            click.echo(line)
        say(access.language, "cli.show.filed", digest=to_hex(found.digest), registry=to_checksum(found.registry))
        for account in found.accounts:
            say(access.language, "cli.show.signed", account=to_checksum(account))
        if not found.accounts:
            say(access.language, "cli.show.unsigned")


def show_found(language: str, found: Draft | StatementRecord, *, as_json: bool) -> None:
    """Print what a registry has: the statement in words, and its standing, or who has signed a draft.

    Raises `InvalidData` (`statement.withheld`, `statement.newer_kind`).
    """
    if as_json:
        show_json(found.answer)
        return
    for line in statement_lines(body(found), language):
        click.echo(line)
    if isinstance(found, StatementRecord):
        # A newer registry may have standings that this version has no words for.
        known = found.standing in catalogue(language)
        params = found.answer["standing"]["params"]
        click.echo(text(language, found.standing, params) if known else printable(found.standing))
        return
    say(language, "cli.agreement.draft", state=found.state)
    for party in found.parties:
        code = "signed" if party.signed_at else "declined" if party.declined_at else "waiting"
        click.echo(f"  {to_checksum(party.account)}  {text(language, f'cli.agreement.{code}')}")
