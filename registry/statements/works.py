"""Kinds of statement about works: who created what, who claims it, who contributed."""

from __future__ import annotations

from dataclasses import dataclass

from deedlog.registry.statements.base import Statement, declare
from deedlog.registry.statements.subjects import CONTENT, SOURCE, STATEMENT, UPLOAD, WORK
from deedlog.registry.statements.vocabulary import (
    Account,
    Agent,
    AiUse,
    Basis,
    ClaimedTime,
    Creators,
    Degree,
    Hash,
    Length,
    MediaType,
    Name,
    Role,
    Title,
)


@declare
@dataclass(frozen=True)
class Work(Statement):
    """The creators' statement that they made a file. All creators sign."""

    SUBJECTS = (CONTENT,)

    title: Title
    creditedAs: Name
    creators: Creators
    basis: Basis
    aiUse: AiUse
    contentHash: Hash
    contentLength: Length
    mediaType: MediaType
    madeAt: ClaimedTime
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return self.creators

    def subjects(self) -> tuple[str, ...]:
        return (CONTENT.of(self.contentHash),)

    def content(self) -> tuple[bytes, int]:
        return self.contentHash, self.contentLength


@declare
@dataclass(frozen=True)
class Upload(Statement):
    """A platform's statement that somebody uploaded a file. It has no creator's signature."""

    WORD = "platform_word"
    SCOPE = "upload"
    SUBJECTS = (CONTENT,)

    title: Title
    creditedAs: Name
    aiUse: AiUse
    contentHash: Hash
    contentLength: Length
    mediaType: MediaType
    platform: Account
    uploader: Hash
    uploadedAt: ClaimedTime
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.platform,)

    def subjects(self) -> tuple[str, ...]:
        return (CONTENT.of(self.contentHash),)

    def claimed_at(self) -> int:
        return self.uploadedAt

    def content(self) -> tuple[bytes, int]:
        return self.contentHash, self.contentLength


@declare
@dataclass(frozen=True)
class Rendition(Statement):
    """A statement that a file was made (transcoded) from a registered file, on its maker's word."""

    WORD = "maker_word"
    SUBJECTS = (CONTENT, SOURCE)

    source: Hash
    contentHash: Hash
    contentLength: Length
    mediaType: MediaType
    tool: Name
    maker: Account
    madeAt: ClaimedTime
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.maker,)

    def subjects(self) -> tuple[str, ...]:
        return (CONTENT.of(self.contentHash), SOURCE.of(self.source))

    def content(self) -> tuple[bytes, int]:
        return self.contentHash, self.contentLength

    def made_from(self) -> bytes:
        return self.source


@declare
@dataclass(frozen=True)
class Claim(Statement):
    """A creator's statement that they made what a platform uploaded."""

    SUBJECTS = (UPLOAD,)
    BEARS_ON = (UPLOAD,)
    BEARS_ONCE_NAMED = STATEMENT  # anybody may claim, but only a countersigned claim affects the upload

    upload: Hash
    creator: Account
    creditedAs: Name
    basis: Basis
    madeAt: ClaimedTime
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.creator,)

    def subjects(self) -> tuple[str, ...]:
        return (UPLOAD.of(self.upload),)


@declare
@dataclass(frozen=True)
class Countersignature(Statement):
    """A statement that confirms another one: a `Claim` (by the platform) or a `Contribution` (by a creator)."""

    SUBJECTS = (STATEMENT,)
    BEARS_ON = (STATEMENT,)

    statement: Hash
    account: Account
    madeAt: ClaimedTime
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.account,)

    def subjects(self) -> tuple[str, ...]:
        return (STATEMENT.of(self.statement),)


@declare
@dataclass(frozen=True)
class Contribution(Statement):
    """A statement that a person or a machine had a part in a work.

    For the agents `ai` and `tool`, the person who declares the contribution signs.
    """

    SUBJECTS = (WORK,)

    work: Hash
    contributor: Account
    role: Role
    degree: Degree
    creditedAs: Name
    agent: Agent
    madeAt: ClaimedTime
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.contributor,)

    def subjects(self) -> tuple[str, ...]:
        return (WORK.of(self.work),)
