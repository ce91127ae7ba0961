"""`deedlog trust`: keep the addresses of registries that you trust under names of your own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import say, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.api.cli.outputs import Output
from deedlog.api.cli.trust.pinning import named
from deedlog.api.client import trusted
from deedlog.api.client.home import home
from deedlog.api.client.trusted import TrustedRegistry
from deedlog.registry import files
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, to_checksum

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@click.group()
def command() -> None:
    """Name the registries whose addresses you trust. A name is taken wherever --registry is."""


@command.command()
@click.argument("name")
@click.argument("address")
@click.option("--url", help="The registry's URL: --registry NAME then asks it there.")
@click.option("--force", is_flag=True, help="Put another address under a name that has one.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def add(language: str, name: str, address: str, url: str | None, force: bool, as_json: bool) -> None:  # noqa: FBT001 - click's flags
    """Trust the registry at ADDRESS (0x…) under NAME.

    Get the address from a place other than the registry itself: somebody you know, a contract, a newspaper.
    """
    name = trusted.check_name(name, "NAME")
    given = account_from_any_case(address, "ADDRESS")
    if url is not None:
        url = trusted.check_url(url, "--url")
    with _edited() as (path, before):
        there = {} if before is None else trusted.parse(before, path)
        old = there.get(name)
        if old is not None and old.address != given and not force:
            shown = {"trusted": to_checksum(old.address), "given": to_checksum(given)}
            raise InvalidData("registries.other_address", name=name, path=str(path), **shown)
        same = old is not None and old.address == given
        new = TrustedRegistry(name, given, old.url if old is not None and same and url is None else url)
        if new != old:
            _write(path, before, trusted.with_registry(before, new, path))
    replaced = None if old is None or same else to_checksum(old.address)
    if as_json:
        show_json({**_shown(new), "path": str(path), "changed": new != old, "replaced": replaced})
    elif replaced is not None:
        say(language, "cli.trust.replaced", name=name, old=replaced, registry=to_checksum(given))
    else:
        shown = {"name": name, "registry": to_checksum(given), "path": str(path)}
        say(language, "cli.trust.unchanged" if new == old else "cli.trust.added", **shown)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def list_command(language: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """List the registries that you trust."""
    path = trusted.trusted_file()
    registries = trusted.read(path)
    if as_json:
        show_json({"path": str(path), "registries": [_shown(registry) for registry in registries.values()]})
        return
    if not registries:
        say(language, "cli.trust.none", path=str(path))
    for registry in registries.values():
        click.echo("  ".join(filter(None, (registry.name, to_checksum(registry.address), registry.url))))


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def remove(language: str, name: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Trust the registry called NAME no more."""
    with _edited() as (path, before):
        old = {} if before is None else trusted.parse(before, path)
        if before is None or name not in old:
            with ending(ExitCode.NOT_FOUND):
                raise InvalidData("registries.unknown", field="NAME", name=name[: trusted.MAXIMUM_NAME], path=str(path))
        _write(path, before, trusted.without_registry(before, name, path))
    if as_json:
        show_json({**_shown(old[name]), "path": str(path)})
    else:
        say(language, "cli.trust.removed", registry=named(old[name].address, name))


@contextmanager
def _edited() -> Iterator[tuple[Path, str | None]]:
    """Yield the file's path and text while no other `deedlog trust` can change it."""
    files.make_folder(home(), private=True)
    path = trusted.trusted_file()
    with files.locked_folder(path):
        yield path, trusted.read_text(path)


def _write(path: Path, before: str | None, now: str) -> None:
    """Replace the file, unless somebody has changed it since it was read."""
    Output(path, lasting=True).write(
        now.encode(), replaces=lambda there: there.decode("utf-8-sig", "replace") == before, mode=files.PRIVATE
    )


def _shown(registry: TrustedRegistry) -> dict[str, str | None]:
    return {"name": registry.name, "address": to_checksum(registry.address), "url": registry.url}
