"""The state of rights: what the statements of a log have come to so far. The rules that change it stand beside it.

An account may be rotated: whoever asks who somebody is asks `State.holder`, and never compares two accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from registry.errors import InvalidData
from registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry.statements import Agreement, RevenueReport, Statement


class Fact(NamedTuple):
    """A statement as it stands in a log: `time` is its entry's; `statement` is None for whoever lacks its body.

    `accounts` have signed it, and somebody has checked the signatures; whether they are all is for the rules.
    """

    digest: bytes
    kind: str
    accounts: tuple[bytes, ...]
    time: int
    statement: Statement | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a statement comes to: a code of the catalogue and its parameters. `counts`: whether a rule refused it."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)
    counts: bool = True


@dataclass(slots=True)
class WorkState:
    """A registered work. `creators` are empty for an upload of which no claim is confirmed."""

    creators: tuple[bytes, ...]
    platform: bytes | None = None
    claim: bytes | None = None
    agreements: list[bytes] = field(default_factory=list)
    reported_until: int = 0
    """The end of the last period that was reported of it, whoever pays."""


@dataclass(slots=True)
class ClaimState:
    """A claim of an upload, or of a part in a work, and who confirmed it."""

    work: bytes
    account: bytes
    confirmed_by: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class AgreementState:
    """A complete agreement that counts: it covers its works for its payer from `start` until before `end`."""

    agreement: Agreement
    completed_at: int
    start: int
    end: int
    superseded_by: bytes | None = None
    terminated_by: bytes | None = None
    reports: list[bytes] = field(default_factory=list)
    currency: str | None = None

    def status(self, at: int) -> str:
        """Return what it is at an instant: `agreed`, `in_force`, `superseded`, `terminated` or `ended`."""
        if at < self.end:
            return "in_force" if at >= self.start else "agreed"
        if self.superseded_by is not None:
            return "superseded"
        return "ended" if self.terminated_by is None else "terminated"


@dataclass(slots=True)
class ReportState:
    """A payer's report that counts."""

    report: RevenueReport
    agreement: bytes
    corrected_by: bytes | None = None


@dataclass(slots=True)
class State:
    """What a log has come to. All lists are in its order; keys are digests, of `successors` and `known` accounts."""

    standings: dict[bytes, Standing] = field(default_factory=dict)
    kinds: dict[bytes, str] = field(default_factory=dict)
    known: set[bytes] = field(default_factory=set)
    successors: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    works: dict[bytes, WorkState] = field(default_factory=dict)
    claims: dict[bytes, ClaimState] = field(default_factory=dict)
    contributions: dict[bytes, ClaimState] = field(default_factory=dict)
    cancellations: dict[bytes, list[Fact]] = field(default_factory=dict)
    agreements: dict[bytes, AgreementState] = field(default_factory=dict)
    reports: dict[bytes, ReportState] = field(default_factory=dict)

    def holder(self, account: bytes, at: int) -> bytes:
        """Return the account that speaks at an instant for one that was named earlier."""
        while account in self.successors and self.successors[account][1] <= at:
            account = self.successors[account][0]
        return account

    def holders(self, accounts: Iterable[bytes], at: int) -> set[bytes]:
        """Return the accounts that speak at an instant for those named earlier."""
        return {self.holder(account, at) for account in accounts}

    def work(self, digest: bytes, member: str) -> WorkState:
        """Return a work that has creators; raise `InvalidData` (`work.unknown`, `work.unclaimed`)."""
        found = self.works.get(digest)
        if found is None:
            raise InvalidData("work.unknown", field=member, work=to_hex(digest))
        if not found.creators:
            raise InvalidData("work.unclaimed", field=member, work=to_hex(digest))
        return found

    def agreement(self, digest: bytes, member: str) -> AgreementState:
        """Return an agreement that can still be changed; raise `InvalidData` (`agreement.…`)."""
        found = self.agreements.get(digest)
        if found is None:
            raise InvalidData("agreement.unknown", field=member, agreement=to_hex(digest))
        if found.superseded_by is not None:
            raise InvalidData("agreement.superseded", field=member, other=to_hex(found.superseded_by))
        if found.terminated_by is not None:
            raise InvalidData("agreement.terminated", field=member, other=to_hex(found.terminated_by))
        return found

    def last_reported(self, works: Iterable[bytes]) -> tuple[int, bytes]:
        """Return the end of the last period that was reported of some works, 0 if none was; and of which of them."""
        return max((self.works[work].reported_until, work) for work in works)
