"""The state of rights: what the statements of a log have come to so far. The rules that change it stand beside it.

An account may be rotated: whoever asks who somebody is asks `State.holder`, and never compares two accounts.
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
    """A statement as it stands in a log: what its entry says, and `statement`, None for whoever lacks its body.

    `accounts` have signed it, and somebody has checked the signatures; whether they are all is for the rules.
    """

    digest: bytes
    kind: str
    accounts: tuple[bytes, ...]
    subjects: tuple[str, ...]
    time: int
    statement: Statement | None

    def named(self, tag: Tag) -> bytes:
        """Return the first that the entry names under a tag; empty if there is none."""
        return next(values(self.subjects, tag), b"")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a statement comes to: a code of the catalogue and its parameters. `counts` is False where a rule refused."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)
    counts: bool = True


class Span(NamedTuple):
    """A stretch of time, `start` until before `end`, and the digest of what holds for it."""

    start: int
    end: int
    digest: bytes


_START, _END = attrgetter("start"), attrgetter("end")


@dataclass(slots=True)
class Spans:
    """Spans that never meet, in the order of time: so they are found in a few steps, however many there are."""

    spans: list[Span] = field(default_factory=list)

    def meeting(self, start: int, end: int) -> list[Span]:
        """Return those that share an instant with a stretch of time."""
        first = bisect_right(self.spans, start, key=_END)
        after = bisect_left(self.spans, end, key=_START)
        return self.spans[first:after]

    def add(self, span: Span) -> None:
        """Take one in that meets no other."""
        self.spans.insert(bisect_left(self.spans, span.start, key=_START), span)

    def shorten(self, span: Span, end: int) -> None:
        """Let one end earlier; if that is not after its start, there is none any more."""
        place = bisect_left(self.spans, span.start, key=_START)
        self.spans[place : place + 1] = [span._replace(end=end)] if span.start < end else []


@dataclass(slots=True)
class Succession:
    """An account and its successors: each speaks for all before it, since an instant."""

    accounts: list[bytes]
    since: list[int]


@dataclass(slots=True)
class WorkState:
    """A registered work. `creators` are empty for an upload of which no claim is confirmed.

    `covered` has the agreements that cover it, by the first account of their payer's line.
    """

    creators: tuple[bytes, ...]
    platform: bytes | None = None
    claim: bytes | None = None
    covered: dict[bytes, Spans] = field(default_factory=dict)
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
    """A complete agreement that counts: it covers its works for its payer from `start` until before `end`.

    `reported` has the periods that were reported, by work.
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
    """What a log has come to. Keys are digests; of `successions`, accounts, each with its succession and place there.

    `known` are the accounts that are somebody: no other can be rotated to them.
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
    """What one family of rules keeps for itself, by its type: see `part`."""

    def part(self, of: type[Part]) -> Part:
        """Return the part of the state that is of a type, empty at first: what no other family looks at."""
        found: Part | None = self.parts.get(of)
        if found is None:
            found = self.parts[of] = of()
        return found

    def holder(self, account: bytes, at: int) -> bytes:
        """Return the account that speaks at an instant for one that was named earlier."""
        if account not in self.successions:
            return account
        succession, place = self.successions[account]
        return succession.accounts[max(place, bisect_right(succession.since, at) - 1)]

    def original(self, account: bytes) -> bytes:
        """Return the account with which a line began: two accounts have one holder if and only if they have one first.

        For nobody can be rotated to somebody, so that lines do not join.
        """
        return self.successions[account][0].accounts[0] if account in self.successions else account

    def is_rotated(self, account: bytes) -> bool:
        """Return whether an account has a successor, and signs nothing any more."""
        if account not in self.successions:
            return False
        succession, place = self.successions[account]
        return place + 1 < len(succession.accounts)

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
