"""Typed data (EIP-712 JSON): the form in which wallets show statements, clients send them, and bundles contain them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, from_hex, to_hex
from deedlog.registry.statements import KINDS, eip712
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from deedlog.registry.statements.base import Statement


def kind_named(name: object, field: str = "primaryType") -> type[Statement]:
    """Return the kind with this name. Raises `InvalidData` (`statement.unknown_kind`), which lists all kinds."""
    if not isinstance(name, str) or name not in KINDS:
        raise InvalidData("statement.unknown_kind", field=field, kinds=", ".join(sorted(KINDS)))
    return KINDS[name]


def typed_data(statement: Statement, registry: bytes) -> dict[str, Any]:
    """Return the typed data (EIP-712 JSON) of a statement for the registry at this address (20 bytes)."""
    return {
        "types": statement.STRUCT.types,
        "primaryType": statement.kind,
        "domain": eip712.domain(registry),
        "message": statement.message(),
    }


def signed_for(value: object) -> bytes:
    """Return the address (20 bytes) of the registry that typed data names in its domain. Raises `InvalidData`."""
    data = members(value, ("types", "primaryType", "domain", "message"), "typed_data")
    names = tuple(name for name in eip712.domain(bytes(ACCOUNT_SIZE)))
    return from_hex(members(data["domain"], names, "domain")["verifyingContract"], ACCOUNT_SIZE, "domain")


@lru_cache(maxsize=16)
def _domain(registry: bytes) -> dict[str, str]:
    """Return `eip712.domain`, cached. Only compare with it; do not change it."""
    return eip712.domain(registry)


def from_typed_data(value: object, registry: bytes) -> Statement:
    """Return the statement in typed data for the registry at this address (20 bytes).

    Types and domain must be exactly those of the kind and the registry. Raises `InvalidData`: `typed_data.types`,
    `typed_data.domain`, `statement.unknown_kind`, or the error of a member.
    """
    data = members(value, ("types", "primaryType", "domain", "message"), "typed_data")
    kind = kind_named(data["primaryType"])
    if data["types"] != kind.STRUCT.types:
        raise InvalidData("typed_data.types", field="types", kind=kind.__name__)
    if data["domain"] != _domain(registry):
        raise InvalidData(
            "typed_data.domain", field="domain", expected=to_hex(registry), actual=to_hex(signed_for(value))
        )
    return kind.from_message(data["message"])
