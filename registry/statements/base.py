"""What every kind of statement has, and how one is declared: as a dataclass whose annotations are its EIP-712 type.

The kinds stand in `registry.statements`; what each does to the state of rights, in `registry.rules.fold`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, TypeVar, get_type_hints

from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import eip712
from deedlog.registry.statements.eip712 import Struct, StructValue

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT = "content"
"""The tag of a file that a statement claims: the SHA-256 of its bytes."""


@dataclass(frozen=True)
class Statement(StructValue):
    """One typed claim."""

    WORD: ClassVar[str] = "signed"
    """Whose word it is about authorship: `signed` (the signers' own), `platform_word`, `maker_word`."""

    SCOPE: ClassVar[str | None] = None
    """The scope that an API key needs to send one; None: it needs no key."""

    PRIVATE: ClassVar[bool] = False
    """Whether only those whom it concerns may read the body."""

    @property
    def kind(self) -> str:
        """The type's name."""
        return self.STRUCT.name

    def signers(self) -> tuple[bytes, ...] | None:
        """Return the accounts that must all sign, and nobody else; None where another statement's body names them."""
        raise NotImplementedError

    def subjects(self) -> tuple[str, ...]:
        """Return what the statement is about, tagged; ascending."""
        raise NotImplementedError

    def claimed_at(self) -> int | None:
        """Return the Unix time at which the signer says it was made, where it says so: in the member `madeAt`."""
        made_at: int | None = getattr(self, "madeAt", None)
        return made_at

    def content(self) -> tuple[bytes, int] | None:
        """Return SHA-256 and length in bytes of the file that the statement claims, if it claims one."""
        return None

    def brings_about(self, digest: bytes) -> tuple[tuple[str, bytes], ...]:
        """Return what happens when it is accepted under its digest, as (event, digest of what it happens to)."""
        del digest
        return ()

    def digest(self, separator: bytes) -> bytes:
        """Return the EIP-712 signing hash under a registry's domain separator: the statement's name everywhere."""
        return eip712.signing_hash(separator, self.STRUCT.hash(self))


def repeat_key(kind: str, digest: bytes, subjects: Sequence[str], signers: Sequence[bytes]) -> bytes:
    """Return 32 bytes that are equal for the same accounts claiming the same content again, from what an entry says.

    What claims no content is never a repeat of another: its key is as good as its digest.
    """
    parts = [kind.encode(), *(subject.encode() for subject in subjects), *signers]
    if not any(subject.startswith(CONTENT) for subject in subjects):
        parts.append(digest)
    return hashlib.sha256(b"".join([len(part).to_bytes(2, "big") + part for part in parts])).digest()


def tag(name: str, value: bytes) -> str:
    """Return a subject: what a statement is about, under the name of how."""
    return f"{name}:{to_hex(value)}"


KINDS: dict[str, type[Statement]] = {}
"""Every kind of statement by its name."""

_Value = TypeVar("_Value", bound=type[StructValue])
_Kind = TypeVar("_Kind", bound=type[Statement])


def struct(of: _Value) -> _Value:
    """Make a dataclass a struct: its annotations are its EIP-712 type."""
    hints = get_type_hints(of, include_extras=True)
    of.STRUCT = Struct(of.__name__, tuple((field.name, hints[field.name].__metadata__[0]) for field in fields(of)))
    return of


def declare(kind: _Kind) -> _Kind:
    """Make a dataclass a kind of statement."""
    KINDS[kind.__name__] = struct(kind)
    return kind
