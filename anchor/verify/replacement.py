"""Whether one bundle may take the place of another: only of an older state of the same statement. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.typed_data import from_typed_data, signed_for

if TYPE_CHECKING:
    from deedlog.anchor.verify.bundle import Bundle


def digest_of(bundle: Bundle) -> bytes:
    """Return the digest (32 bytes) of a bundle's statement, derived from its members.

    Raises `InvalidData` if they are no statement.
    """
    registry = signed_for(bundle.typed_data)
    return from_typed_data(bundle.typed_data, registry).digest(domain_separator(registry))


def check_same_statement(old: Bundle, digest: bytes, path: str) -> None:
    """Raise `InvalidData` (`prove.other_bundle`) if the bundle at `path` proves another statement than `digest`."""
    there = digest_of(old)
    if there != digest:
        raise InvalidData("prove.other_bundle", path=path, digest=to_hex(there))


def check_replacement(old: Bundle, new: Bundle, path: str) -> None:
    """Raise `InvalidData` unless the bundle `new` shows all that the bundle at `path` shows.

    `prove.other_bundle`: of another statement. `prove.other_lines`: other lines of it are shown or hidden; whoever gets
    the file should get what was chosen for it. `prove.fewer_anchors`: the new one lacks an anchor of the old one, byte
    for byte. Without a trusted block nobody can tell which of two anchors is the better one, and the old one may be the
    only proof that its owner has.
    """
    check_same_statement(old, digest_of(new), path)
    if old.typed_data != new.typed_data:
        raise InvalidData("prove.other_lines", path=path)
    if any(anchor not in new.anchors for anchor in old.anchors):
        raise InvalidData("prove.fewer_anchors", path=path)
