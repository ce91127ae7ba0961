"""Kinds of statement about works: who made what, who claims it, who had a part."""

from __future__ import annotations

from dataclasses import dataclass

from deedlog.registry.statements.base import CONTENT, Statement, declare, tag
from deedlog.registry.statements.vocabulary import (
    Account,
    Agent,
    AiUse,
    Basis,
    Creators,
    Degree,
    Hash,
    Length,
    MediaType,
    Name,
    Role,
    Time,
    Title,
)


@declare
@dataclass(frozen=True)
class Work(Statement):
    """A creator's claim of authorship of a file; of several creators, each signs."""

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
        return (tag(CONTENT, self.contentHash),)

    def content(self) -> tuple[bytes, int]:
        return self.contentHash, self.contentLength


@declare
@dataclass(frozen=True)
class Upload(Statement):
    """A platform's word that somebody uploaded a file; never a creator's signature."""

    WORD = "platform_word"
    SCOPE = "upload"

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
        return (tag(CONTENT, self.contentHash),)

    def claimed_at(self) -> int:
        return self.uploadedAt

    def content(self) -> tuple[bytes, int]:
        return self.contentHash, self.contentLength


@declare
@dataclass(frozen=True)
class Rendition(Statement):
    """The maker's word that a file is a transcode of a registered one."""

    WORD = "maker_word"

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
        return (tag(CONTENT, self.contentHash), tag("source", self.source))

    def content(self) -> tuple[bytes, int]:
        return self.contentHash, self.contentLength


@declare
@dataclass(frozen=True)
class Claim(Statement):
    """A creator's claim of a file that a platform registered on its own word."""

    upload: Hash
    creator: Account
    creditedAs: Name
    basis: Basis
    madeAt: Time
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.creator,)

    def subjects(self) -> tuple[str, ...]:
        return (tag("upload", self.upload),)


@declare
@dataclass(frozen=True)
class Countersignature(Statement):
    """An account's word that another statement, a `Claim` or a `Contribution`, is so."""

    statement: Hash
    account: Account
    madeAt: Time
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.account,)

    def subjects(self) -> tuple[str, ...]:
        return (tag("statement", self.statement),)


@declare
@dataclass(frozen=True)
class Contribution(Statement):
    """A person's claim of a part in a work; for the agents `ai` and `tool`, whoever declares it signs."""

    work: Hash
    contributor: Account
    role: Role
    degree: Degree
    creditedAs: Name
    agent: Agent
    madeAt: Time
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.contributor,)

    def subjects(self) -> tuple[str, ...]:
        return (tag("work", self.work),)
