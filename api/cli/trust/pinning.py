"""The option `--registry`: an address, or the name under which the person trusts one. And what is said without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from deedlog.api.cli.common import show_error
from deedlog.api.client import trusted
from deedlog.api.texts import text
from deedlog.registry.errors import DeedlogError, InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, to_checksum

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = "ADDRESS"
"""What a printed command has in place of an address that nobody but the registry has named."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A registry that the person named: its address (20 bytes), by which name, and that name's URL."""

    address: bytes
    name: str | None = None
    url: str | None = None

    @property
    def typed(self) -> str:
        """What to type after `--registry`."""
        return self.name or to_checksum(self.address)

    @property
    def shown(self) -> str:
        """The address, after the name if there is one."""
        return named(self.address, self.name)


def named(address: bytes, name: str | None) -> str:
    """Return an address for people, after its name if there is one."""
    return to_checksum(address) if name is None else f"{name} ({to_checksum(address)})"


class _RegistryType(click.ParamType):
    """An address (0x…), or a name of `registries.toml`."""

    name = "registry"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Pinned:  # noqa: ARG002 - click's signature
        """Return the `Pinned`. Raises `InvalidData`: `hex.…`, `account.checksum`, `registries.…`."""
        return value if isinstance(value, Pinned) else _pinned(value)


def _pinned(given: str) -> Pinned:
    if trusted.looks_like_address(given):
        return Pinned(account_from_any_case(given, "--registry"))
    path = trusted.trusted_file()
    found = trusted.read(path).get(given)
    if found is None:
        raise InvalidData("registries.unknown", field="--registry", name=given[: trusted.MAXIMUM_NAME], path=str(path))
    return Pinned(found.address, found.name, found.url)


def registry_option(words: str) -> Callable[[Any], Any]:
    """Return the option `--registry` with these words of help; the command gets a `Pinned`, or None."""
    return click.option("--registry", type=_RegistryType(), metavar="NAME|0x…", help=words)


WHERE_TRUST_STARTS = "The registry's address, or its name in deedlog trust. Get the address from a place you trust."


def url_of(pinned: Pinned | None, url: str) -> str:
    """Return the URL to ask: `url` if `--url` was typed, or else that of the trusted name, or else `url`."""
    typed = click.get_current_context().get_parameter_source("url") is ParameterSource.COMMANDLINE
    return url if typed or pinned is None or pinned.url is None else pinned.url


def trusted_name(language: str, address: bytes) -> str | None:
    """Return the name under which the person trusts an address, if any. A bad file is told, and does not end this."""
    try:
        registries = trusted.read(trusted.trusted_file())
    except DeedlogError as error:
        show_error(language, error, as_json=False)
        return None
    return next((registry.name for registry in registries.values() if registry.address == address), None)


@dataclass(frozen=True, slots=True)
class Printed:
    """How printed commands and hints name a registry.

    `registry`: what to type after `--registry`; `option`: that option, or nothing if the person has to find the address
    first; `hints`: a line that says so, or none; `name`: the trusted name.
    """

    registry: str
    option: str
    hints: tuple[str, ...]
    name: str | None


def printed(language: str, pinned: Pinned | None, address: bytes) -> Printed:
    """Return how to name the registry with this address, which is the registry's own word unless it is pinned."""
    name = pinned.name if pinned is not None and pinned.name else trusted_name(language, address)
    if pinned is None and name is None:
        hint = text(language, "cli.trust.elsewhere", {"registry": to_checksum(address)})
        return Printed(ADDRESS, "", (hint,), None)
    registry = name or to_checksum(address)
    return Printed(registry, f" --registry {registry}", (), name)


def unpinned_hint(language: str, address: bytes) -> str:
    """Return what to do about an address that was not pinned: name the trusted registry, or get the address."""
    name = trusted_name(language, address)
    if name is not None:
        return text(language, "cli.trust.known", {"name": name})
    return text(language, "cli.trust.get_address")
