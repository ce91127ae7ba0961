"""The rules of agreements and of the revenue reported under them. Pure.

A complete agreement covers each of its works, for its payer, from `effectiveFrom` until before its end. Two agreements
never cover the same work for the same payer at the same time: the later one is stale, unless it supersedes the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules.rule import Rule, add_rule
from deedlog.registry.rules.state import AgreementState, ReportState, Span, Spans, Standing, WorkState
from deedlog.registry.statements.agreements import Agreement, Cancellation, RevenueReport, Termination
from deedlog.registry.statements.subjects import AGREEMENT
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from deedlog.registry.rules.state import Fact, State

FOR_EVER = 2**64
"""The end of an agreement without one: later than any time that a statement can name."""

AHEAD = 600
"""Seconds that a payer's clock may run ahead of the registry's clock."""


def check_cancellation(state: State, fact: Fact, _statement: object) -> None:
    """Check that the agreement is not complete yet. Raises `InvalidData` (`cancellation.complete`).

    Whether a party signed the cancellation is checked when the agreement completes.
    """
    agreement = fact.named(AGREEMENT)
    if agreement in state.agreements:
        raise InvalidData("cancellation.complete", field="agreement", agreement=to_hex(agreement))


def apply_cancellation(state: State, fact: Fact, _statement: object) -> None:
    """Record the cancellation. It takes effect when the agreement would complete."""
    state.cancellations.setdefault(fact.named(AGREEMENT), []).append(fact)


def check_agreement(state: State, fact: Fact, agreement: Agreement) -> None:
    """Check a complete agreement: in time, not cancelled, with all creators as parties, and not in conflict.

    The creators of each work must be parties. The agreement must not begin before the end of a period that was already
    reported, and no other agreement may cover the same works, unless this one supersedes it.

    Raises `InvalidData`: `agreement.expired`, `agreement.cancelled`, `work.…`, `agreement.creator_missing`,
    `agreement.before_report`, `agreement.stale`, or an error about `supersedes` or `leaving`.
    """
    if fact.time > agreement.acceptBy:
        raise InvalidData("agreement.expired", field="acceptBy", time=agreement.acceptBy)
    signers = set(agreement.signers())
    for cancellation in state.cancellations.get(fact.digest, ()):
        if signers & state.holders(cancellation.accounts, fact.time):
            raise InvalidData("agreement.cancelled", other=to_hex(cancellation.digest))
    for work in agreement.works:
        for creator in state.holders(state.work(work, "works").creators, fact.time):
            if creator not in agreement.parties:
                raise InvalidData(
                    "agreement.creator_missing", field="parties", work=to_hex(work), account=to_hex(creator)
                )
    before = _superseded(state, fact, agreement)
    reported, work = state.last_reported({*agreement.works, *(before.agreement.works if before else ())})
    if agreement.effectiveFrom < reported:
        raise InvalidData("agreement.before_report", field="effectiveFrom", work=to_hex(work), time=reported)
    _check_stale(state, agreement)


def _superseded(state: State, fact: Fact, agreement: Agreement) -> AgreementState | None:
    """Return the agreement that this one supersedes, or None. Each of its parties must stay, or leave and sign."""
    if agreement.supersedes == NONE:
        return None
    before = state.agreement(agreement.supersedes, "supersedes")
    if not set(before.agreement.works) & set(agreement.works):
        raise InvalidData("agreement.other_works", field="supersedes", agreement=to_hex(agreement.supersedes))
    leaving = state.holders(before.agreement.parties, fact.time).difference(agreement.parties)
    for account in sorted(leaving.difference(agreement.leaving)):
        raise InvalidData("agreement.leaves_unsigned", field="leaving", account=to_hex(account))
    for account in sorted(set(agreement.leaving) - leaving):
        raise InvalidData("agreement.never_a_party", field="leaving", account=to_hex(account))
    return before


def _check_stale(state: State, agreement: Agreement) -> None:
    payer = state.original(agreement.payer)
    for work in agreement.works:
        covered = state.works[work].covered.get(payer, Spans())
        for other in covered.meeting(agreement.effectiveFrom, agreement.effectiveUntil or FOR_EVER):
            if other.digest != agreement.supersedes:  # the superseded one will end where this one begins
                raise InvalidData("agreement.stale", field="works", work=to_hex(work), other=to_hex(other.digest))


def apply_agreement(state: State, fact: Fact, agreement: Agreement) -> None:
    """Let the agreement cover its works. An agreement that it supersedes ends where it begins."""
    if agreement.supersedes != NONE:
        _end(state, agreement.supersedes, agreement.effectiveFrom)
        state.agreements[agreement.supersedes].superseded_by = fact.digest
    _cover(state, fact.digest, agreement)


def assume_agreement(state: State, digest: bytes, agreement: Agreement) -> None:
    """Let an agreement cover its works although no other statement about them is known.

    This is for a payee who has only the agreement and its reports. From these, nobody can see whether the agreement was
    superseded or terminated.
    """
    for work in agreement.works:
        state.works.setdefault(work, WorkState(creators=agreement.parties))
    # As when it is folded: no account can be rotated to a signer or to the payer afterwards.
    state.known.update((*agreement.signers(), agreement.payer))
    _cover(state, digest, agreement)


def _cover(state: State, digest: bytes, agreement: Agreement) -> None:
    span = Span(agreement.effectiveFrom, agreement.effectiveUntil or FOR_EVER, digest)
    state.agreements[digest] = AgreementState(agreement, span.start, span.end)
    payer = state.original(agreement.payer)
    for work in agreement.works:
        state.works[work].covered.setdefault(payer, Spans()).add(span)


def _end(state: State, digest: bytes, end: int) -> None:
    """Make an agreement end at `end` (Unix seconds), unless it ends earlier."""
    found = state.agreements[digest]
    if end < found.end:
        span = Span(found.start, found.end, digest)
        payer = state.original(found.agreement.payer)
        for work in found.agreement.works:
            state.works[work].covered[payer].shorten(span, end)
        found.end = end


def termination_signers(state: State, fact: Fact) -> set[bytes]:
    """Return the current holders of all parties of the agreement. Raises `InvalidData` (`agreement.unknown`)."""
    agreement = fact.named(AGREEMENT)
    found = state.agreements.get(agreement)
    if found is None:
        raise InvalidData("agreement.unknown", field="agreement", agreement=to_hex(agreement))
    return state.holders(found.agreement.parties, fact.time)


def check_termination(state: State, _fact: Fact, termination: Termination) -> None:
    """Check that the agreement can still be changed, and that the termination shortens it.

    The new end must not be before the end of a period that was already reported.

    Raises `InvalidData`: `agreement.…`, `termination.over` or `termination.before_report`.
    """
    found = state.agreement(termination.agreement, "agreement")
    if termination.effectiveFrom >= found.end:
        raise InvalidData("termination.over", field="effectiveFrom", time=found.end)
    reported, work = state.last_reported(found.agreement.works)
    if termination.effectiveFrom < reported:
        raise InvalidData("termination.before_report", field="effectiveFrom", work=to_hex(work), time=reported)


def apply_termination(state: State, fact: Fact, termination: Termination) -> None:
    """End the agreement at the termination's `effectiveFrom`."""
    _end(state, termination.agreement, termination.effectiveFrom)
    state.agreements[termination.agreement].terminated_by = fact.digest


def check_report(state: State, fact: Fact, report: RevenueReport) -> None:
    """Check a report: its period is over, one agreement of this payer covers it, and it was not reported before.

    The currency must be that of earlier reports under the agreement. A correction replaces the latest report of exactly
    the same work and period.

    Raises `InvalidData`: `work.…` or `report.…`.
    """
    state.work(report.work, "work")
    if report.periodEnd > fact.time + AHEAD:
        raise InvalidData("report.not_over", field="periodEnd", time=report.periodEnd)
    under = _reported_under(state, report)
    agreement = state.agreements[under]
    if agreement.currency not in (None, report.currency):
        raise InvalidData("report.currency", field="currency", expected=str(agreement.currency), actual=report.currency)
    if report.corrects != NONE:
        _check_correction(state, report, under)
        return
    overlapping = agreement.reported.get(report.work, Spans()).meeting(report.periodStart, report.periodEnd)
    if overlapping:
        raise InvalidData("report.overlaps", field="periodStart", other=to_hex(overlapping[0].digest))


def _reported_under(state: State, report: RevenueReport) -> bytes:
    """Return the digest of the agreement that covers a report's whole period.

    Raises `InvalidData`: `report.not_the_payer`, `report.straddles` or `report.no_agreement`.
    """
    covered, payer = state.works[report.work].covered, state.original(report.payer)
    if covered and payer not in covered:
        raise InvalidData("report.not_the_payer", field="payer", payer=to_hex(report.payer))
    meeting = covered.get(payer, Spans()).meeting(report.periodStart, report.periodEnd)
    for span in meeting:
        if span.start <= report.periodStart and report.periodEnd <= span.end:
            return span.digest
    # A span that overlaps the period without covering all of it begins or ends inside it.
    changes = [instant for span in meeting for instant in (span.start, span.end)]
    within = [instant for instant in changes if report.periodStart < instant < report.periodEnd]
    if within:
        raise InvalidData("report.straddles", field="periodEnd", time=min(within))
    raise InvalidData("report.no_agreement", field="work", work=to_hex(report.work))


def _check_correction(state: State, report: RevenueReport, under: bytes) -> None:
    """Check that a report corrects the latest report on the same work and period, under the same agreement.

    Raises `InvalidData`: `report.corrects_unknown`, `report.corrected` or `report.corrects_another`.
    """
    found = state.reports.get(report.corrects)
    if found is None:
        raise InvalidData("report.corrects_unknown", field="corrects", report=to_hex(report.corrects))
    if found.corrected_by is not None:
        raise InvalidData("report.corrected", field="corrects", other=to_hex(found.corrected_by))
    same = (report.work, report.periodStart, report.periodEnd, under)
    if (found.report.work, found.report.periodStart, found.report.periodEnd, found.agreement) != same:
        raise InvalidData("report.corrects_another", field="corrects", report=to_hex(report.corrects))


def apply_report(state: State, fact: Fact, report: RevenueReport) -> None:
    """Add the report to the agreement that covers its period. It replaces the report that it corrects, if any."""
    digest = _reported_under(state, report)
    agreement = state.agreements[digest]
    agreement.reports.append(fact.digest)
    agreement.currency = report.currency
    work = state.works[report.work]
    work.reported_until = max(work.reported_until, report.periodEnd)
    state.reports[fact.digest] = ReportState(report, digest)
    if report.corrects != NONE:
        state.reports[report.corrects].corrected_by = fact.digest
    else:
        span = Span(report.periodStart, report.periodEnd, fact.digest)
        agreement.reported.setdefault(report.work, Spans()).add(span)


def agreement_standing(state: State, digest: bytes, at: int) -> Standing:
    """Return the status at a time (`agreement.is_…`), with the agreement's period and the statement that ended it."""
    found = state.agreements[digest]
    params: dict[str, str | int] = {"start": found.start}
    if found.end != FOR_EVER:
        params["end"] = found.end
    other = found.superseded_by or found.terminated_by
    if other is not None:
        params["other"] = to_hex(other)
    return Standing(f"agreement.is_{found.status(at)}", params)


def report_standing(state: State, digest: bytes, _at: int) -> Standing:
    """Return whether the report is the latest for its period (`report.counts`) or corrected (`report.is_corrected`)."""
    found = state.reports[digest]
    if found.corrected_by is None:
        return Standing("report.counts", {"agreement": to_hex(found.agreement)})
    return Standing("report.is_corrected", {"other": to_hex(found.corrected_by)})


def report_readers(state: State, digest: bytes) -> tuple[bytes, ...]:
    """Return the parties of the agreement that the report belongs to. A party that left in an amendment is not one."""
    found = state.reports.get(digest)
    return () if found is None else state.agreements[found.agreement].agreement.parties


add_rule(Agreement, Rule(check_agreement, apply_agreement, agreement_standing, needs_body=True))
add_rule(Cancellation, Rule(check_cancellation, apply_cancellation))
add_rule(Termination, Rule(check_termination, apply_termination, needs_body=True, signers=termination_signers))
add_rule(RevenueReport, Rule(check_report, apply_report, report_standing, needs_body=True, readers=report_readers))
