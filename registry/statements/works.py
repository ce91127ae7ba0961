"""Kinds of statement about works: who made what, who claims it, who had a part."""

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
    """A creator's claim of authorship of a file; of several creators, each signs."""

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
    """A platform's word that somebody uploaded a file; never a creator's signature."""

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
    """The maker's word that a file is a transcode of a registered one."""

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
    """A creator's claim of a file that a platform registered on its own word."""

    SUBJECTS = (UPLOAD,)
    BEARS_ON = (UPLOAD,)
    BEARS_ONCE_NAMED = STATEMENT  # anybody may claim: only what the platform countersigned bears on the upload

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
    """An account's word that another statement, a `Claim` or a `Contribution`, is so."""

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
    """A person's claim of a part in a work; for the agents `ai` and `tool`, the person who declares it signs."""

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
