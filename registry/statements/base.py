"""How a kind of statement is declared: a dataclass whose annotations are its EIP-712 type.

A declaration says everything about a kind that does not depend on other statements: members, signers, subjects,
readers, and what it affects. What depends on other statements is in the kind's rule (`registry.rules`). Its texts for
people are in `api/texts`.
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
    """One typed record, signed by one or more accounts. The base of all kinds."""

    WORD: ClassVar[str] = "signed"
    """Whose word the statement is about authorship: `signed` (the signers' own), `platform_word` or `maker_word`."""

    SCOPE: ClassVar[str | None] = None
    """The scope that an API key needs to send a statement of this kind; None if no key is needed."""

    PRIVATE: ClassVar[bool] = False
    """Whether only its signers, its `readers` and the readers that its rule adds may read the body."""

    SUBJECTS: ClassVar[tuple[Tag, ...]] = ()
    """The tags that `subjects` uses."""

    BEARS_ON: ClassVar[tuple[Tag, ...]] = ()
    """The tags under which it names statements or accounts whose state it changes.

    Code that loads the state of one of them also loads this statement.
    """

    BEARS_ONCE_NAMED: ClassVar[Tag | None] = None
    """If set, the statement changes nothing until another statement names it under this tag.

    So statements that anybody may send cost nothing when the state of others is loaded.
    """

    EVENTS: ClassVar[tuple[tuple[str, Tag | None], ...]] = ()
    """The events that its acceptance causes: (event, tag). The tag names the affected statement; None: this one."""

    ENDS_DRAFT: ClassVar[Tag | None] = None
    """The tag under which it names a draft that it ends. A party of the draft must sign it."""

    HANDS_OVER: ClassVar[tuple[str, str] | None] = None
    """The attributes with an account and its successor, if statements of this kind hand an account over."""

    @property
    def kind(self) -> str:
        """The name of its EIP-712 type."""
        return self.STRUCT.name

    def signers(self) -> tuple[bytes, ...] | None:
        """Return exactly the accounts that must sign, ascending; None if its rule decides."""
        raise NotImplementedError

    def subjects(self) -> tuple[str, ...]:
        """Return what the statement is about, as tagged subjects, ascending."""
        raise NotImplementedError

    def readers(self) -> tuple[bytes, ...]:
        """Return the accounts that may read a private body in addition to its signers."""
        return ()

    def line_owners(self) -> tuple[bytes, ...]:
        """Return the account that each line is about, in line order. A line can be disclosed to that account alone."""
        return ()

    def claimed_at(self) -> int | None:
        """Return the Unix time at which, on the signer's word, it was made (member `madeAt`).

        0: they do not say. None: it has no such member.
        """
        made_at: int | None = getattr(self, "madeAt", None)
        return made_at

    def content(self) -> tuple[bytes, int] | None:
        """Return (SHA-256, length in bytes) of the file that the statement claims, or None."""
        return None

    def hands_over(self) -> tuple[bytes, bytes] | None:
        """Return (account, successor) if the statement hands an account over (`HANDS_OVER`), else None."""
        if self.HANDS_OVER is None:
            return None
        account, successor = self.HANDS_OVER
        return getattr(self, account), getattr(self, successor)

    def made_from(self) -> bytes | None:
        """Return the digest of the statement whose file was the source of this one's file, or None."""
        return None

    def lines(self) -> tuple[StructValue | bytes, ...]:
        """Return its lines, empty if the kind has none. A hidden line is its struct hash (32 bytes)."""
        found: tuple[StructValue | bytes, ...] = getattr(self, self.STRUCT.lines) if self.STRUCT.lines else ()
        return found

    def opened(self, account: bytes) -> Self:
        """Return the statement with all lines hidden except those of one account.

        Raises `InvalidData` (`statement.no_line`) if the account has no visible line.
        """
        owners = self.line_owners()
        lines = self.lines() if owners else ()
        shown = tuple(line if owner == account else line_hash(line) for line, owner in zip(lines, owners, strict=True))
        if self.STRUCT.lines is None or all(isinstance(line, bytes) for line in shown):
            raise InvalidData("statement.no_line", account=to_hex(account))
        members: dict[str, Any] = {self.STRUCT.lines: shown}
        return replace(self, **members)

    @classmethod
    def brought_about(cls, digest: bytes, subjects: Sequence[str]) -> list[tuple[str, bytes]]:
        """Return the events that accepting a statement causes, as (event, digest of the affected statement).

        `digest` and `subjects` are those of the accepted statement.
        """
        return [
            (event, happened_to)
            for event, tag in cls.EVENTS
            for happened_to in ((digest,) if tag is None else values(subjects, tag))
        ]

    def digest(self, separator: bytes) -> bytes:
        """Return the EIP-712 signing hash (32 bytes) under a registry's domain separator: the statement's identity."""
        return eip712.signing_hash(separator, self.STRUCT.hash(self))


def repeat_key(kind: str, digest: bytes, subjects: Sequence[str], signers: Sequence[bytes]) -> bytes:
    """Return a key (32 bytes) that is equal for statements of one kind by the same accounts about the same content.

    It is computed from the entry alone. A statement without content is never a repeat of another, so its digest is part
    of its key.
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
    """Turn a dataclass into a struct: derive its EIP-712 type from its annotations."""
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
    """Turn a dataclass into a kind of statement and add it to `KINDS`.

    Raises `ValueError` if the declaration contradicts itself or another kind.
    """
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
