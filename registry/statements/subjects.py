"""Subjects: what a statement is about, as listed in its entry (`work:0x…`). One table defines the meaning of each tag.

Subjects are public and permanent. They remain when a body is erased, so the database index, the partial state and the
event feed are built on them and need to know the type of a tag's value. A tag means the same in every kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from deedlog.registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Value(Enum):
    """The type of a tag's value."""

    FILE = "the SHA-256 of a file"
    STATEMENT = "the digest of a statement"
    ACCOUNT = "an account"
    HASH = "another hash: of a line, or of a text"


@dataclass(frozen=True, slots=True)
class Tag:
    """One way in which a statement can be about something: the part of a subject before the colon."""

    name: str
    value: Value
    names: tuple[str, ...] = ()
    """For tags of statements: the kinds that may be named. Empty: only the kind of the naming statement itself."""
    makes_known: bool = False
    """For tags of accounts: a named account becomes known, so that no other can be rotated to it (ADR 0020)."""

    def of(self, value: bytes) -> str:
        """Return the subject with this tag for a value (32 bytes; 20 for an account)."""
        return f"{self.name}:{to_hex(value)}"

    def may_name(self, kind: str, named: str) -> bool:
        """Return whether a statement of kind `kind` may name one of kind `named` under this tag."""
        return named in (self.names or (kind,))


TAGS: dict[str, Tag] = {}
"""Every tag by its name."""

MAKING_KNOWN: list[Tag] = []
"""The tags whose accounts become known. Apart, as the fold asks every entry for them, nearly always for nothing."""


def define(tag: Tag) -> Tag:
    """Add a tag to the table and return it. Raises `ValueError` if the name already has another meaning."""
    known = TAGS.get(tag.name)
    if known is None:
        TAGS[tag.name] = tag
        if tag.makes_known:
            MAKING_KNOWN.append(tag)
    elif known != tag:
        message = f"the tag {tag.name} means {known} already, and cannot mean {tag}"
        raise ValueError(message)
    return tag


CONTENT = define(Tag("content", Value.FILE))
SOURCE = define(Tag("source", Value.STATEMENT, ("Work", "Upload")))
UPLOAD = define(Tag("upload", Value.STATEMENT, ("Upload",)))
STATEMENT = define(Tag("statement", Value.STATEMENT, ("Claim", "Contribution")))
WORK = define(Tag("work", Value.STATEMENT, ("Work", "Upload")))
AGREEMENT = define(Tag("agreement", Value.STATEMENT, ("Agreement",)))
SUPERSEDES = define(Tag("supersedes", Value.STATEMENT))
CORRECTS = define(Tag("corrects", Value.STATEMENT))
PAYER = define(Tag("payer", Value.ACCOUNT, makes_known=True))
SUCCESSOR = define(Tag("successor", Value.ACCOUNT))


def values(subjects: Iterable[str], tag: Tag) -> Iterator[bytes]:
    """Yield the values that the subjects name under a tag, in order."""
    start = f"{tag.name}:0x"
    for subject in subjects:
        if subject.startswith(start):
            yield bytes.fromhex(subject[len(start) :])


def statements_in(subjects: Iterable[str]) -> list[bytes]:
    """Return the digests of the statements that the subjects name, in order."""
    return [bytes.fromhex(value) for tag, value in _tagged(subjects) if tag.value is Value.STATEMENT]


def accounts_in(subjects: Iterable[str]) -> list[bytes]:
    """Return the accounts that the subjects name, in order."""
    return [bytes.fromhex(value) for tag, value in _tagged(subjects) if tag.value is Value.ACCOUNT]


def known_by(subjects: Sequence[str]) -> list[bytes]:
    """Return the accounts that become known because the subjects name them (`Tag.makes_known`)."""
    return [account for tag in MAKING_KNOWN for account in values(subjects, tag)]


def _tagged(subjects: Iterable[str]) -> Iterator[tuple[Tag, str]]:
    """Yield each subject's tag and value (hex without 0x). Subjects with an unknown tag are skipped."""
    for subject in subjects:
        name, _, value = subject.partition(":0x")
        tag = TAGS.get(name)
        if tag is not None:
            yield tag, value
