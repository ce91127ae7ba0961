"""What a declaration of a kind of statement says: a dataclass whose annotations are its EIP-712 type.

All that can be told of a kind without other statements is declared here: members, signers, subjects, readers, on what
it bears. What depends on other statements is its rule (`registry.rules`); its words for people are in `api/texts`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, get_type_hints

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import eip712
from deedlog.registry.statements.eip712 import Struct, StructValue, line_hash
from deedlog.registry.statements.member_types import Reading
from deedlog.registry.statements.subjects import CONTENT, TAGS, Tag, values

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Statement(StructValue):
    """One typed claim."""

    WORD: ClassVar[str] = "signed"
    """Whose word it is about authorship: `signed` (the signers' own), `platform_word`, `maker_word`."""

    SCOPE: ClassVar[str | None] = None
    """The scope that an API key needs to send one; None: it needs no key."""

    PRIVATE: ClassVar[bool] = False
    """Whether the body is for its signers and `readers` only, and whom its rule adds."""

    SUBJECTS: ClassVar[tuple[Tag, ...]] = ()
    """The tags that `subjects` uses."""

    BEARS_ON: ClassVar[tuple[Tag, ...]] = ()
    """The tags under which it names statements or accounts whose state it changes: who loads theirs loads it too."""

    BEARS_ONCE_NAMED: ClassVar[Tag | None] = None
    """It bears on nothing before another statement names it under this tag: what anybody may say costs nobody."""

    EVENTS: ClassVar[tuple[tuple[str, Tag | None], ...]] = ()
    """What happens when it is accepted: (event, the tag of the statement to which it happens; None: to itself)."""

    ENDS_DRAFT: ClassVar[Tag | None] = None
    """The tag under which it names a draft that ends with it. A party of the draft signs it."""

    HANDS_OVER: ClassVar[tuple[str, str] | None] = None
    """The members with an account and its successor, where it hands one over."""

    @property
    def kind(self) -> str:
        """The type's name."""
        return self.STRUCT.name

    def signers(self) -> tuple[bytes, ...] | None:
        """Return the accounts that must all sign, and nobody else; None where its rule knows them."""
        raise NotImplementedError

    def subjects(self) -> tuple[str, ...]:
        """Return what the statement is about, tagged; ascending."""
        raise NotImplementedError

    def readers(self) -> tuple[bytes, ...]:
        """Return the accounts that may read a private body, beside those that sign it."""
        return ()

    def line_owners(self) -> tuple[bytes, ...]:
        """Return whom each line is about, in the lines' order; to that account alone it can be disclosed."""
        return ()

    def claimed_at(self) -> int | None:
        """Return the Unix time at which the signer says it was made, where it says so: in the member `madeAt`."""
        made_at: int | None = getattr(self, "madeAt", None)
        return made_at

    def content(self) -> tuple[bytes, int] | None:
        """Return SHA-256 and length in bytes of the file that the statement claims, if it claims one."""
        return None

    def hands_over(self) -> tuple[bytes, bytes] | None:
        """Return an account and its successor, where it hands one over (`HANDS_OVER`)."""
        if self.HANDS_OVER is None:
            return None
        account, successor = self.HANDS_OVER
        return getattr(self, account), getattr(self, successor)

    def made_from(self) -> bytes | None:
        """Return the digest of the statement whose file its own file was made from, if it says so."""
        return None

    def lines(self) -> tuple[StructValue | bytes, ...]:
        """Return its lines; a hidden one is the 32 bytes of its struct hash."""
        found: tuple[StructValue | bytes, ...] = getattr(self, self.STRUCT.lines) if self.STRUCT.lines else ()
        return found

    def opened(self, account: bytes) -> Self:
        """Return it with only one account's lines open; raise `InvalidData` (`statement.no_line`) if it has none."""
        owners = self.line_owners()
        lines = self.lines() if owners else ()
        shown = tuple(line if owner == account else line_hash(line) for line, owner in zip(lines, owners, strict=True))
        if self.STRUCT.lines is None or all(isinstance(line, bytes) for line in shown):
            raise InvalidData("statement.no_line", account=to_hex(account))
        members: dict[str, Any] = {self.STRUCT.lines: shown}
        return replace(self, **members)

    @classmethod
    def brought_about(cls, digest: bytes, subjects: Sequence[str]) -> list[tuple[str, bytes]]:
        """Return what happens when one is accepted, as (event, digest of the statement to which it happens)."""
        return [
            (event, happened_to)
            for event, tag in cls.EVENTS
            for happened_to in ((digest,) if tag is None else values(subjects, tag))
        ]

    def digest(self, separator: bytes) -> bytes:
        """Return the EIP-712 signing hash under a registry's domain separator: the statement's name everywhere."""
        return eip712.signing_hash(separator, self.STRUCT.hash(self))


def repeat_key(kind: str, digest: bytes, subjects: Sequence[str], signers: Sequence[bytes]) -> bytes:
    """Return 32 bytes that are equal for the same accounts claiming the same content again, from what an entry says.

    What claims no content is never a repeat of another: its key is as good as its digest.
    """
    parts = [kind.encode(), *(subject.encode() for subject in subjects), *signers]
    if not any(subject.startswith(_OF_CONTENT) for subject in subjects):
        parts.append(digest)
    return hashlib.sha256(b"".join([len(part).to_bytes(2, "big") + part for part in parts])).digest()


_OF_CONTENT = f"{CONTENT.name}:"

KINDS: dict[str, type[Statement]] = {}
"""Every kind of statement by its name."""

_Value = TypeVar("_Value", bound=type[StructValue])
_Kind = TypeVar("_Kind", bound=type[Statement])


def struct(of: _Value) -> _Value:
    """Make a dataclass a struct: its annotations are its EIP-712 type."""
    hints = get_type_hints(of, include_extras=True)
    annotated = {field.name: hints[field.name].__metadata__ for field in fields(of)}
    of.STRUCT = Struct(of.__name__, tuple((name, given[0]) for name, given in annotated.items()))
    of.READINGS = {
        name.rstrip("_"): reading
        for name, given in annotated.items()
        for reading in given
        if isinstance(reading, Reading)
    }
    return of


def declare(kind: _Kind) -> _Kind:
    """Make a dataclass a kind of statement; raise `ValueError` where its declaration contradicts itself or another."""
    name = kind.__name__
    if name in KINDS:
        message = f"there is a kind {name} already"
        raise ValueError(message)
    for tag in kind.SUBJECTS:
        if TAGS.get(tag.name) != tag:
            message = f"{name} uses the tag {tag.name}, which is not in the table with this meaning"
            raise ValueError(message)
    of_events = tuple(tag for _, tag in kind.EVENTS)
    for tag_or_none in (*kind.BEARS_ON, *of_events, kind.ENDS_DRAFT):
        if tag_or_none is not None and tag_or_none not in kind.SUBJECTS:
            message = f"{name} relies on the tag {tag_or_none.name}, which is not among its SUBJECTS"
            raise ValueError(message)
    KINDS[name] = struct(kind)
    return kind
