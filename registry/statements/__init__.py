"""The kinds of statement. Each is declared once; type string, digest, parser, schema and prompt follow from here.

A type is never edited: a changed one gets a new name, and the old one verifies for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Self

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, to_hex
from deedlog.registry.statements import member_types
from deedlog.registry.statements.base import CONTENT, KINDS, Statement, declare, struct, tag
from deedlog.registry.statements.eip712 import Lines, StructValue, line_hash

__all__ = [
    "KINDS",
    "Agreement",
    "Cancellation",
    "Claim",
    "Contribution",
    "Countersignature",
    "Rendition",
    "RevenueReport",
    "Rotation",
    "Share",
    "Statement",
    "Termination",
    "Upload",
    "Work",
]

TITLE_LENGTH = 200
NAME_LENGTH = 200
REASON_LENGTH = 200
MAXIMUM_CREATORS = 64
MAXIMUM_PARTIES = 64
MAXIMUM_WORKS = 64
WHOLE = 1_000_000
"""All of what is shared, in parts per million."""

NONE = bytes(HASH_SIZE)
"""Where a digest may stand and none does."""

ROLES = (
    "script",
    "presenter",
    "research",
    "fact-check",
    "camera",
    "editing",
    "animation",
    "music",
    "translation",
    "subtitles",
    "reviewer",
    "producer",
    "supervisor",
    "material",
    "viewer-contribution",
)
"""Version 1 of the list. It is part of the types that use it: another list comes with other types."""

Title = Annotated[str, member_types.Text(TITLE_LENGTH)]
Name = Annotated[str, member_types.Text(NAME_LENGTH)]
Reason = Annotated[str, member_types.Text(REASON_LENGTH)]
Basis = Annotated[str, member_types.Word(("own", "employment", "commission"))]
AiUse = Annotated[str, member_types.Word(("none", "assisted", "generated"))]
Role = Annotated[str, member_types.Word(ROLES)]
Degree = Annotated[str, member_types.Word(("lead", "equal", "supporting"))]
Agent = Annotated[str, member_types.Word(("human", "ai", "tool"))]
AmountBasis = Annotated[str, member_types.Word(("gross", "net"))]
Currency = Annotated[str, member_types.Pattern(r"[A-Z]{3}", 3)]  # ISO 4217, its alphabetic code
MediaType = Annotated[
    str, member_types.Pattern(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", 127)
]  # RFC 6838 §4.2, in lower case
Hash = Annotated[bytes, member_types.Bytes32()]
Account = Annotated[bytes, member_types.Account()]
Creators = Annotated[tuple[bytes, ...], member_types.accounts(MAXIMUM_CREATORS)]
Parties = Annotated[tuple[bytes, ...], member_types.accounts(MAXIMUM_PARTIES, 2)]
Leaving = Annotated[tuple[bytes, ...], member_types.accounts(MAXIMUM_PARTIES, 0)]
Works = Annotated[tuple[bytes, ...], member_types.hashes(MAXIMUM_WORKS)]
Length = Annotated[int, member_types.uint64(minimum=1)]
Time = Annotated[int, member_types.uint64()]
Ppm = Annotated[int, member_types.uint32(1, WHOLE)]
Amount = Annotated[int, member_types.int256()]


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


@struct
@dataclass(frozen=True)
class Share(StructValue):
    """One party's line of an agreement."""

    party: Account
    role: Role
    ppm: Ppm
    salt: Hash


Shares = Annotated[tuple[Share | bytes, ...], Lines(Share, MAXIMUM_PARTIES, 2)]


@declare
@dataclass(frozen=True)
class Agreement(Statement):
    """How what a payer pays for works is shared: it holds once all parties have signed, and those who leave."""

    PRIVATE = True

    works: Works
    parties: Parties
    leaving: Leaving
    shares: Shares
    termsHash: Hash
    payer: Account
    acceptBy: Time
    effectiveFrom: Time
    effectiveUntil: Time
    supersedes: Hash
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return tuple(sorted((*self.parties, *self.leaving)))

    def subjects(self) -> tuple[str, ...]:
        before = () if self.supersedes == NONE else (tag("supersedes", self.supersedes),)
        return (tag("payer", self.payer), *before, *(tag("work", work) for work in self.works))

    @property
    def hidden(self) -> int:
        """How many lines are hidden."""
        return sum(isinstance(share, bytes) for share in self.shares)

    def opened(self, account: bytes) -> Self:
        """Return it with only one party's line open; raise `InvalidData` (`agreement.no_line`) if there is none."""
        shares = tuple(
            share if isinstance(share, Share) and share.party == account else line_hash(share) for share in self.shares
        )
        if all(isinstance(share, bytes) for share in shares):
            raise InvalidData("agreement.no_line", account=to_hex(account))
        return replace(self, shares=shares)

    def brings_about(self, digest: bytes) -> tuple[tuple[str, bytes], ...]:
        before = () if self.supersedes == NONE else (("superseded", self.supersedes),)
        return (("in_force", digest), *before)

    def check_whole(self) -> None:
        """Raise `InvalidData` (`agreement.…`) unless the lines are the parties', in their order, and come to all."""
        if len(self.shares) != len(self.parties):
            raise InvalidData("agreement.lines", field="shares", shares=len(self.shares), parties=len(self.parties))
        for position, (share, party) in enumerate(zip(self.shares, self.parties, strict=True)):
            if isinstance(share, Share) and share.party != party:
                raise InvalidData("agreement.line_of_another", field=f"shares[{position}].party", party=to_hex(party))
        for account in self.leaving:
            if account in self.parties:
                raise InvalidData("agreement.stays_and_leaves", field="leaving", account=to_hex(account))
        if self.leaving and self.supersedes == NONE:
            raise InvalidData("agreement.nothing_to_leave", field="leaving")
        if self.effectiveUntil and self.effectiveUntil <= self.effectiveFrom:
            raise InvalidData("agreement.ends_before_it_begins", field="effectiveUntil")
        self._check_sum()

    def _check_sum(self) -> None:
        shown = [share.ppm for share in self.shares if isinstance(share, Share)]
        hidden = len(self.shares) - len(shown)
        total = sum(shown)
        # Hidden lines hold at least one part each; that all come to the whole is then the signers' word.
        if total + hidden > WHOLE or (not hidden and total != WHOLE):
            raise InvalidData("agreement.sum", field="shares", expected=WHOLE, actual=total)


@declare
@dataclass(frozen=True)
class Cancellation(Statement):
    """A party's word that it does not want an agreement any more that is not complete yet."""

    agreement: Hash
    reason: Reason
    madeAt: Time
    salt: Hash

    def signers(self) -> None:
        return None

    def brings_about(self, _digest: bytes) -> tuple[tuple[str, bytes], ...]:
        return (("cancelled", self.agreement),)

    def subjects(self) -> tuple[str, ...]:
        return (tag("agreement", self.agreement),)


@declare
@dataclass(frozen=True)
class Termination(Statement):
    """The word of all parties that an agreement ends."""

    agreement: Hash
    reason: Reason
    effectiveFrom: Time
    salt: Hash

    def signers(self) -> None:
        return None

    def brings_about(self, _digest: bytes) -> tuple[tuple[str, bytes], ...]:
        return (("terminated", self.agreement),)

    def subjects(self) -> tuple[str, ...]:
        return (tag("agreement", self.agreement),)


@declare
@dataclass(frozen=True)
class RevenueReport(Statement):
    """A payer's word on what a work brought in a period, in minor units of a currency, before tax."""

    PRIVATE = True

    work: Hash
    periodStart: Time
    periodEnd: Time
    currency: Currency
    amount: Amount
    basis: AmountBasis
    corrects: Hash
    payer: Account
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.payer,)

    def subjects(self) -> tuple[str, ...]:
        before = () if self.corrects == NONE else (tag("corrects", self.corrects),)
        return (*before, tag("work", self.work))

    def overlaps(self, other: RevenueReport) -> bool:
        """Return whether another report is on the same work, and on some of the same time."""
        return self.work == other.work and max(self.periodStart, other.periodStart) < min(
            self.periodEnd, other.periodEnd
        )

    def check_whole(self) -> None:
        """Raise `InvalidData` (`report.period`) for a period that does not end after its start."""
        if self.periodEnd <= self.periodStart:
            raise InvalidData("report.period", field="periodEnd")


@declare
@dataclass(frozen=True)
class Rotation(Statement):
    """An account's word that another speaks for it from now on; both sign."""

    from_: Account
    to: Account
    madeAt: Time
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return tuple(sorted((self.from_, self.to)))

    def subjects(self) -> tuple[str, ...]:
        return (tag("successor", self.to),)

    def check_whole(self) -> None:
        """Raise `InvalidData` (`rotation.to_itself`) for an account that names itself."""
        if self.from_ == self.to:
            raise InvalidData("rotation.to_itself", field="to")
