"""Kinds of statement about agreements: how revenue is shared, and what revenue was reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements import member_types
from deedlog.registry.statements.base import Statement, declare, struct
from deedlog.registry.statements.eip712 import Lines, StructValue
from deedlog.registry.statements.subjects import AGREEMENT, CORRECTS, PAYER, SUPERSEDES, WORK
from deedlog.registry.statements.vocabulary import (
    MAXIMUM_PARTIES,
    NONE,
    Account,
    Amount,
    AmountBasis,
    ClaimedTime,
    Currency,
    Hash,
    HashOrNone,
    Leaving,
    Parties,
    Reason,
    Role,
    Time,
    TimeOrNever,
    Works,
)

WHOLE = 1_000_000
"""The whole revenue, in parts per million (ppm)."""


Ppm = Annotated[int, member_types.uint32(1, WHOLE)]


@struct
@dataclass(frozen=True)
class Share(StructValue):
    """One party's share in an agreement: a line."""

    party: Account
    role: Role
    ppm: Ppm
    salt: Hash

    def summary(self) -> str:
        return f"{to_checksum(self.party)} {self.ppm:,} ppm {self.role}"


Shares = Annotated[tuple[Share | bytes, ...], Lines(Share, MAXIMUM_PARTIES, 2)]


@declare
@dataclass(frozen=True)
class Agreement(Statement):
    """How revenue that a payer pays for works is shared.

    It counts once all parties have signed, and those who leave the agreement that it supersedes.
    """

    PRIVATE = True
    SUBJECTS = (PAYER, SUPERSEDES, WORK)
    BEARS_ON = (SUPERSEDES, WORK)
    EVENTS = (("in_force", None), ("superseded", SUPERSEDES))

    works: Works
    parties: Parties
    leaving: Leaving
    shares: Shares
    termsHash: HashOrNone
    payer: Account
    acceptBy: Time
    effectiveFrom: Time
    effectiveUntil: TimeOrNever
    supersedes: HashOrNone
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return tuple(sorted((*self.parties, *self.leaving)))

    def subjects(self) -> tuple[str, ...]:
        before = () if self.supersedes == NONE else (SUPERSEDES.of(self.supersedes),)
        return (PAYER.of(self.payer), *before, *(WORK.of(work) for work in self.works))

    def readers(self) -> tuple[bytes, ...]:
        return (self.payer,)

    def line_owners(self) -> tuple[bytes, ...]:
        return self.parties

    def check_whole(self) -> None:
        """Check that the members agree with each other.

        The lines must belong to the parties, in order, and add up to `WHOLE`. Nobody both stays and leaves, only an
        amendment has accounts that leave, and the agreement ends after it begins.

        Raises `InvalidData`: `agreement.lines`, `agreement.line_of_another`, `agreement.stays_and_leaves`,
        `agreement.nothing_to_leave`, `agreement.ends_before_it_begins` or `agreement.sum`.
        """
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
        # Each hidden line has at least 1 ppm. With hidden lines, the exact sum cannot be checked; the signers saw it.
        if total + hidden > WHOLE or (not hidden and total != WHOLE):
            raise InvalidData("agreement.sum", field="shares", expected=WHOLE, actual=total)


@declare
@dataclass(frozen=True)
class Cancellation(Statement):
    """A party's statement that ends the draft of an agreement."""

    SUBJECTS = (AGREEMENT,)
    BEARS_ON = (AGREEMENT,)
    EVENTS = (("cancelled", AGREEMENT),)
    ENDS_DRAFT = AGREEMENT

    agreement: Hash
    reason: Reason
    madeAt: ClaimedTime
    salt: Hash

    def signers(self) -> None:
        return None

    def subjects(self) -> tuple[str, ...]:
        return (AGREEMENT.of(self.agreement),)


@declare
@dataclass(frozen=True)
class Termination(Statement):
    """A statement of all parties that ends an agreement."""

    SUBJECTS = (AGREEMENT,)
    BEARS_ON = (AGREEMENT,)
    EVENTS = (("terminated", AGREEMENT),)

    agreement: Hash
    reason: Reason
    effectiveFrom: Time
    salt: Hash

    def signers(self) -> None:
        return None

    def subjects(self) -> tuple[str, ...]:
        return (AGREEMENT.of(self.agreement),)


@declare
@dataclass(frozen=True)
class RevenueReport(Statement):
    """A payer's statement of what a work earned in a period, in minor units of a currency, before tax."""

    PRIVATE = True
    SUBJECTS = (CORRECTS, WORK)
    BEARS_ON = (WORK,)

    work: Hash
    periodStart: Time
    periodEnd: Time
    currency: Currency
    amount: Amount
    basis: AmountBasis
    corrects: HashOrNone
    payer: Account
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return (self.payer,)

    def subjects(self) -> tuple[str, ...]:
        before = () if self.corrects == NONE else (CORRECTS.of(self.corrects),)
        return (*before, WORK.of(self.work))

    def check_whole(self) -> None:
        """Raise `InvalidData` (`report.period`) if the period does not end after its start."""
        if self.periodEnd <= self.periodStart:
            raise InvalidData("report.period", field="periodEnd")
