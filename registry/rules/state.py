"""The rights state: the result of all statements of a log so far. The rules that change it are in the files beside it.

An account may be rotated. Never compare two accounts directly: compare their holders (`State.holder`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.subjects import values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deedlog.registry.statements import Agreement, RevenueReport, Statement
    from deedlog.registry.statements.subjects import Tag

Part = TypeVar("Part")


class Fact(NamedTuple):
    """A statement in a log: what its entry says, and the `statement` itself, or None if its body is not available.

    `accounts` are the signers, ascending; their signatures are already checked. The rules decide whether all that must
    sign did. `time` is the entry's, in Unix seconds.
    """

    digest: bytes
    kind: str
    accounts: tuple[bytes, ...]
    subjects: tuple[str, ...]
    time: int
    statement: Statement | None

    def named(self, tag: Tag) -> bytes:
        """Return the first value that the entry names under a tag, or b"" if there is none."""
        return next(values(self.subjects, tag), b"")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules say about a statement: a code of the catalogue and its parameters.

    `counts` is False if a rule refused the statement.
    """

    code: str
    params: dict[str, str | int] = field(default_factory=dict)
    counts: bool = True


class Span(NamedTuple):
    """A period from `start` until before `end` (Unix seconds), and the digest of the statement that holds for it."""

    start: int
    end: int
    digest: bytes


_START, _END = attrgetter("start"), attrgetter("end")


@dataclass(slots=True)
class Spans:
    """Spans that do not overlap, in order of time, so that a binary search finds them."""

    spans: list[Span] = field(default_factory=list)

    def meeting(self, start: int, end: int) -> list[Span]:
        """Return the spans that overlap the period from `start` until before `end`."""
        first = bisect_right(self.spans, start, key=_END)
        after = bisect_left(self.spans, end, key=_START)
        return self.spans[first:after]

    def add(self, span: Span) -> None:
        """Add a span. It must not overlap another."""
        self.spans.insert(bisect_left(self.spans, span.start, key=_START), span)

    def shorten(self, span: Span, end: int) -> None:
        """Make a span end earlier. If the new end is not after its start, remove the span."""
        place = bisect_left(self.spans, span.start, key=_START)
        self.spans[place : place + 1] = [span._replace(end=end)] if span.start < end else []


@dataclass(slots=True)
class Succession:
    """An account and its successors, in order. Each acts for all before it, from its time in `since` on."""

    accounts: list[bytes]
    since: list[int]


@dataclass(slots=True)
class WorkState:
    """A registered work. `creators` is empty for an upload without a confirmed claim.

    `covered` holds the spans of the agreements that cover the work, by the original account of their payer.
    """

    creators: tuple[bytes, ...]
    platform: bytes | None = None
    claim: bytes | None = None
    covered: dict[bytes, Spans] = field(default_factory=dict)
    reported_until: int = 0
    """The end of the last period for which any payer reported revenue of this work; 0 if none."""


@dataclass(slots=True)
class ClaimState:
    """A claim of an upload or a contribution to a work, and the accounts that confirmed it."""

    work: bytes
    account: bytes
    confirmed_by: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class AgreementState:
    """An agreement that counts. It covers its works for its payer from `start` until before `end` (Unix seconds).

    `reports` lists the digests of its revenue reports in log order, `reported` the reported periods by work.
    """

    agreement: Agreement
    start: int
    end: int
    superseded_by: bytes | None = None
    terminated_by: bytes | None = None
    reports: list[bytes] = field(default_factory=list)
    reported: dict[bytes, Spans] = field(default_factory=dict)
    currency: str | None = None

    def status(self, at: int) -> str:
        """Return its status at a time: `agreed`, `in_force`, `superseded`, `terminated` or `ended`."""
        if at < self.end:
            return "in_force" if at >= self.start else "agreed"
        if self.superseded_by is not None:
            return "superseded"
        return "ended" if self.terminated_by is None else "terminated"


@dataclass(slots=True)
class ReportState:
    """A revenue report that counts, and the digest of its agreement."""

    report: RevenueReport
    agreement: bytes
    corrected_by: bytes | None = None


@dataclass(slots=True)
class State:
    """The result of folding a log. The keys are digests of statements.

    The keys of `successions` are accounts; its values are the account's succession and its position in it. `known`
    holds the accounts that already have a role in the log, so that no other account can be rotated to them.
    """

    standings: dict[bytes, Standing] = field(default_factory=dict)
    kinds: dict[bytes, str] = field(default_factory=dict)
    known: set[bytes] = field(default_factory=set)
    successions: dict[bytes, tuple[Succession, int]] = field(default_factory=dict)
    works: dict[bytes, WorkState] = field(default_factory=dict)
    claims: dict[bytes, ClaimState] = field(default_factory=dict)
    contributions: dict[bytes, ClaimState] = field(default_factory=dict)
    cancellations: dict[bytes, list[Fact]] = field(default_factory=dict)
    agreements: dict[bytes, AgreementState] = field(default_factory=dict)
    reports: dict[bytes, ReportState] = field(default_factory=dict)
    parts: dict[type, Any] = field(default_factory=dict)
    """Private state of single families of rules, by its type: see `part`."""

    def part(self, of: type[Part]) -> Part:
        """Return the private state of a family of rules, by its type. It is created empty at first use."""
        found: Part | None = self.parts.get(of)
        if found is None:
            found = self.parts[of] = of()
        return found

    def holder(self, account: bytes, at: int) -> bytes:
        """Return the account that, at a time, acts for an account that was named earlier."""
        if account not in self.successions:
            return account
        succession, place = self.successions[account]
        return succession.accounts[max(place, bisect_right(succession.since, at) - 1)]

    def original(self, account: bytes) -> bytes:
        """Return the first account of the succession that `account` belongs to.

        Two accounts have the same holder if and only if they have the same original: an account can only be rotated to
        a new one, so successions never join.
        """
        return self.successions[account][0].accounts[0] if account in self.successions else account

    def is_rotated(self, account: bytes) -> bool:
        """Return whether an account has a successor. Such an account signs nothing more."""
        if account not in self.successions:
            return False
        succession, place = self.successions[account]
        return place + 1 < len(succession.accounts)

    def holders(self, accounts: Iterable[bytes], at: int) -> set[bytes]:
        """Return the accounts that, at a time, act for accounts that were named earlier."""
        return {self.holder(account, at) for account in accounts}

    def work(self, digest: bytes, member: str) -> WorkState:
        """Return a work that has creators. `member` is the field that names it, for the error.

        Raises `InvalidData` (`work.unknown`, `work.unclaimed`).
        """
        found = self.works.get(digest)
        if found is None:
            raise InvalidData("work.unknown", field=member, work=to_hex(digest))
        if not found.creators:
            raise InvalidData("work.unclaimed", field=member, work=to_hex(digest))
        return found

    def agreement(self, digest: bytes, member: str) -> AgreementState:
        """Return an agreement that can still be changed. `member` is the field that names it, for the error.

        Raises `InvalidData` (`agreement.unknown`, `agreement.superseded`, `agreement.terminated`).
        """
        found = self.agreements.get(digest)
        if found is None:
            raise InvalidData("agreement.unknown", field=member, agreement=to_hex(digest))
        if found.superseded_by is not None:
            raise InvalidData("agreement.superseded", field=member, other=to_hex(found.superseded_by))
        if found.terminated_by is not None:
            raise InvalidData("agreement.terminated", field=member, other=to_hex(found.terminated_by))
        return found

    def last_reported(self, works: Iterable[bytes]) -> tuple[int, bytes]:
        """Return (end of the last reported period, its work) over some works; the end is 0 if nothing was reported."""
        return max((self.works[work].reported_until, work) for work in works)
