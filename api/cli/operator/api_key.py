"""`deedlog api-key`: keys for platforms. A key is shown once, stored as a hash, limited by scopes, and revocable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import say, show_json
from deedlog.registry import times

if TYPE_CHECKING:
    from deedlog.registry.store.database import Database


@click.group()
def command() -> None:
    """Make, list and revoke API keys."""


@command.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="batch, upload (repeatable).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def new(language: str, name: str, scopes: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Make a key. Its secret is shown once."""
    from deedlog.api.http import api_keys  # noqa: PLC0415 - the platform's packages, not the base install's

    key, secret = api_keys.create(_database(), name, scopes, times.now())
    if as_json:
        show_json({"id": key, "name": name, "scopes": list(scopes), "secret": secret})
    else:
        say(language, "cli.api_key.made", id=key, name=name, scopes=", ".join(scopes) or "-", secret=secret)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def list_keys(language: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """List the keys, without their secrets."""
    from deedlog.api.http import api_keys  # noqa: PLC0415 - see `new`

    rows = api_keys.listing(_database())
    if as_json:
        show_json({"keys": [{name: row[name] for name in row if name != "secret_hash"} for row in rows]})
        return
    for row in rows:
        say(
            language,
            "cli.api_key.active" if row["revoked_at"] is None else "cli.api_key.revoked_since",
            id=row["id"],
            name=row["name"],
            scopes=row["scopes"] or "-",
        )


@command.command()
@click.argument("key", type=click.IntRange(1, 2**63 - 1))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def revoke(language: str, key: int, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Revoke the key with this id, permanently. Running web processes refuse it within a second."""
    from deedlog.api.http import api_keys  # noqa: PLC0415 - see `new`

    api_keys.revoke(_database(), key, times.now())
    if as_json:
        show_json({"id": key, "revoked": True})
    else:
        say(language, "cli.api_key.revoked", id=key)


def _database() -> Database:
    from deedlog.api.bootstrap import open_registry  # noqa: PLC0415 - see `new`
    from deedlog.api.settings import read_settings  # noqa: PLC0415

    return open_registry(read_settings())[0]
