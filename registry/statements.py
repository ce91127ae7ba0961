"""The kinds of statement. Each is declared once; type string, digest, parser, schema and prompt follow from here.

A type is never edited: a changed one gets a new name, and the old one verifies for ever.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar, get_type_hints

from registry import eip712
from registry.errors import InvalidData
from registry.hexadecimal import ACCOUNT_SIZE, from_hex, to_hex
from registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE_LENGTH = 200
NAME_LENGTH = 200
MAXIMUM_CREATORS = 64

Title = Annotated[str, eip712.Text(TITLE_LENGTH)]
Name = Annotated[str, eip712.Text(NAME_LENGTH)]
Basis = Annotated[str, eip712.Word(("own", "employment", "commission"))]
AiUse = Annotated[str, eip712.Word(("none", "assisted", "generated"))]
MediaType = Annotated[
    str, eip712.Pattern(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", 127)
]  # RFC 6838 §4.2, in lower case
Hash = Annotated[bytes, eip712.Bytes32()]
Account = Annotated[bytes, eip712.Account()]
Creators = Annotated[tuple[bytes, ...], eip712.Accounts(MAXIMUM_CREATORS)]
Length = Annotated[int, eip712.Uint64(minimum=1)]
Time = Annotated[int, eip712.Uint64()]


@dataclass(frozen=True)
class Statement:
    """One typed claim. Members are named as they are signed; the last is always `salt`."""

    STRUCT: ClassVar[eip712.Struct]

    def __post_init__(self) -> None:
        """Raise `InvalidData` if a member holds what it may not."""
        self.STRUCT.check(self)

    @property
    def kind(self) -> str:
        """The type's name."""
        return self.STRUCT.name

    def signers(self) -> tuple[bytes, ...]:
        """Return the accounts whose signatures make the statement complete."""
        raise NotImplementedError

    def subjects(self) -> tuple[str, ...]:
        """Return what the statement is about, tagged; ascending."""
        raise NotImplementedError

    def claimed_at(self) -> int:
        """Return the Unix time at which the signer says it was made."""
        raise NotImplementedError

    def content_hash(self) -> bytes | None:
        """Return the SHA-256 of the file that the statement claims, if it claims one."""
        return None

    def digest(self, separator: bytes) -> bytes:
        """Return the EIP-712 signing hash under a registry's domain separator: the statement's name everywhere."""
        return eip712.signing_hash(separator, self.STRUCT.hash(self))

    def repeat_key(self) -> bytes:
        """Return 32 bytes that are equal for the same accounts saying the same about the same content again."""
        return repeat_key(self.kind, self.subjects(), self.signers())

    def message(self) -> dict[str, Any]:
        """Return the members in their JSON form."""
        return self.STRUCT.show(self)

    @classmethod
    def from_message(cls, message: object) -> Self:
        """Return the statement of its JSON form; raise `InvalidData` naming the member at fault."""
        # As `cls(**…)`, which would check each member again, and set it by a call of its own: a tenth of a check.
        statement = object.__new__(cls)
        statement.__dict__.update(cls.STRUCT.parse(message))
        return statement


def repeat_key(kind: str, subjects: Sequence[str], signers: Sequence[bytes]) -> bytes:
    """Return `Statement.repeat_key` from what an entry says, which stays when the body is erased."""
    parts = [kind.encode(), *(subject.encode() for subject in subjects), *signers]
    return hashlib.sha256(b"".join(len(part).to_bytes(2, "big") + part for part in parts)).digest()


KINDS: dict[str, type[Statement]] = {}
"""Every kind of statement by its name."""

_Kind = TypeVar("_Kind", bound=type[Statement])


def declare(kind: _Kind) -> _Kind:
    """Make a dataclass a kind of statement: its annotations are its EIP-712 type."""
    hints = get_type_hints(kind, include_extras=True)
    kind.STRUCT = eip712.Struct(
        kind.__name__, tuple((field.name, hints[field.name].__metadata__[0]) for field in fields(kind))
    )
    KINDS[kind.__name__] = kind
    return kind


def content(content_hash: bytes) -> str:
    """Return the subject tag of a file."""
    return f"content:{to_hex(content_hash)}"


def source(digest: bytes) -> str:
    """Return the subject tag of the statement that a rendition is made from."""
    return f"source:{to_hex(digest)}"


@declare
@dataclass(frozen=True)
class Work(Statement):
    """A creator's claim of authorship of a file."""

    title: Title
    creditedAs: Name
    creators: Creators
    basis: Basis
    aiUse: AiUse
    contentHash: Hash
    contentLength: Length
    mediaType: MediaType
    madeAt: Time
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return self.creators

    def subjects(self) -> tuple[str, ...]:
        return (content(self.contentHash),)

    def claimed_at(self) -> int:
        return self.madeAt

    def content_hash(self) -> bytes:
        return self.contentHash


@declare
@dataclass(frozen=True)
class Upload(Statement):
    """A platform's word that somebody uploaded a file; never a creator's signature."""

    title: Title
    creditedAs: Name
    aiUse: AiUse
    contentHash: Hash
    contentLength: Length
    mediaType: MediaType
    platform: Account
    uploader: Hash
    uploadedAt: Time
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.platform,)

    def subjects(self) -> tuple[str, ...]:
        return (content(self.contentHash),)

    def claimed_at(self) -> int:
        return self.uploadedAt

    def content_hash(self) -> bytes:
        return self.contentHash


@declare
@dataclass(frozen=True)
class Rendition(Statement):
    """The maker's word that a file is a transcode of a registered one."""

    source: Hash
    contentHash: Hash
    contentLength: Length
    mediaType: MediaType
    tool: Name
    maker: Account
    madeAt: Time
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.maker,)

    def subjects(self) -> tuple[str, ...]:
        return (content(self.contentHash), source(self.source))

    def claimed_at(self) -> int:
        return self.madeAt

    def content_hash(self) -> bytes:
        return self.contentHash


def kind_named(name: object, field: str = "primaryType") -> type[Statement]:
    """Return the kind of that name; raise `InvalidData` (`statement.unknown_kind`) naming those there are."""
    if not isinstance(name, str) or name not in KINDS:
        raise InvalidData("statement.unknown_kind", field=field, kinds=", ".join(sorted(KINDS)))
    return KINDS[name]


def typed_data(statement: Statement, registry: bytes) -> dict[str, Any]:
    """Return the typed data (EIP-712 JSON) of a statement for the registry at that address (20 bytes)."""
    return {
        "types": statement.STRUCT.types,
        "primaryType": statement.kind,
        "domain": eip712.domain(registry),
        "message": statement.message(),
    }


def signed_for(value: object) -> bytes:
    """Return the address of the registry (20 bytes) that typed data says it is for; raise `InvalidData`."""
    data = members(value, ("types", "primaryType", "domain", "message"), "typed_data")
    names = tuple(name for name in eip712.domain(bytes(ACCOUNT_SIZE)))
    return from_hex(members(data["domain"], names, "domain")["verifyingContract"], ACCOUNT_SIZE, "domain")


@lru_cache(maxsize=16)
def _domain(registry: bytes) -> dict[str, str]:
    """Return `eip712.domain`, to be compared with and not to be changed."""
    return eip712.domain(registry)


def from_typed_data(value: object, registry: bytes) -> Statement:
    """Return the statement of typed data; raise `InvalidData` where a member differs from what is declared here."""
    data = members(value, ("types", "primaryType", "domain", "message"), "typed_data")
    kind = kind_named(data["primaryType"])
    if data["types"] != kind.STRUCT.types:
        raise InvalidData("typed_data.types", field="types", kind=kind.__name__)
    if data["domain"] != _domain(registry):
        raise InvalidData(
            "typed_data.domain", field="domain", expected=to_hex(registry), actual=to_hex(signed_for(value))
        )
    return kind.from_message(data["message"])
