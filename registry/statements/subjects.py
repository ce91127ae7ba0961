"""Subjects: what a statement is about, as its entry lists it (`work:0x…`). One table says what each tag means.

Subjects are public, permanent, and there even when a body is erased. So all that is found by them (the database's
index, the part of the state that bears on a statement, the feed) needs to know what kind of value a tag has. A tag
means one thing in every kind that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from deedlog.registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Value(Enum):
    """What the value of a tag is."""

    FILE = "the SHA-256 of a file"
    STATEMENT = "the digest of a statement"
    ACCOUNT = "an account"
    HASH = "another hash: of a line, or of a text"


@dataclass(frozen=True, slots=True)
class Tag:
    """One way in which a statement can be about something."""

    name: str
    value: Value
    names: tuple[str, ...] = ()
    """Of a statement: the kinds that may be named; empty: the kind of the statement that names it."""
    makes_known: bool = False
    """Of an account: to be named is enough to be somebody, to whom no other account can be rotated (ADR 0020)."""

    def of(self, value: bytes) -> str:
        """Return the subject of a value: 32 bytes, of an account 20."""
        return f"{self.name}:{to_hex(value)}"

    def may_name(self, kind: str, named: str) -> bool:
        """Return whether a statement of `kind` may name one of the kind `named`."""
        return named in (self.names or (kind,))


TAGS: dict[str, Tag] = {}
"""Every tag by its name."""


def define(tag: Tag) -> Tag:
    """Add a tag to the table; raise `ValueError` if it is there with another meaning."""
    known = TAGS.setdefault(tag.name, tag)
    if known != tag:
        message = f"the tag {tag.name} means {known} already, and cannot mean {tag}"
        raise ValueError(message)
    return known


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
    """Yield what subjects name under a tag, in their order."""
    start = f"{tag.name}:0x"
    for subject in subjects:
        if subject.startswith(start):
            yield bytes.fromhex(subject[len(start) :])


def statements_in(subjects: Iterable[str]) -> list[bytes]:
    """Return the digests of the statements that subjects name, in their order."""
    return [bytes.fromhex(value) for tag, value in _tagged(subjects) if tag.value is Value.STATEMENT]


def accounts_in(subjects: Iterable[str]) -> list[bytes]:
    """Return the accounts that subjects name, in their order."""
    return [bytes.fromhex(value) for tag, value in _tagged(subjects) if tag.value is Value.ACCOUNT]


def known_by(subjects: Iterable[str]) -> list[bytes]:
    """Return the accounts that are somebody because subjects name them."""
    return [bytes.fromhex(value) for tag, value in _tagged(subjects) if tag.makes_known]


def _tagged(subjects: Iterable[str]) -> Iterator[tuple[Tag, str]]:
    """Yield each subject's tag and value (hex without its 0x); one whose tag is not in the table is passed over."""
    for subject in subjects:
        name, _, value = subject.partition(":0x")
        tag = TAGS.get(name)
        if tag is not None:
            yield tag, value
