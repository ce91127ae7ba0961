"""A payee's own payouts, from bundles alone: their own line of the agreement, the payer's reports and rotations. Pure.

Whether the agreement was in force is not seen here: that takes all that the log has on its works. What is checked is
that everything is signed by who must, is in one log, and that the reports are the payer's, on these works, once each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.anchor.verify.inclusion import position_of
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.anchor.verify.with_others import fact_of
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules import fold, payouts
from deedlog.registry.rules.state import State
from deedlog.registry.statements import Agreement, RevenueReport, Rotation, Share
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.anchor.verify.verdict import Verdict


@dataclass(frozen=True, slots=True)
class OwnPayouts:
    """What a payee is due of each report, in minor units of `currency`."""

    account: bytes
    ppm: int
    currency: str
    changes: list[payouts.Change]
    paid: list[int]
    registry_pinned: bool


def own_payouts(
    agreement: Bundle, reports: Sequence[Bundle], account: bytes | None, registry: bytes | None, blocks: Sequence[bytes]
) -> OwnPayouts:
    """Return a payee's payouts; `account` None: whose line alone is open. Raises `InvalidData` (`payout_check.…`).

    Among `reports` may be the rotations by which the payer was succeeded.
    `registry` is the address that the user pins, `blocks` hashes of blocks that the user says are final.
    """
    sound = _sound(agreement, registry, blocks)
    statement = sound.statement
    if not isinstance(statement, Agreement):
        raise InvalidData("payout_check.no_agreement", kind=statement.kind)
    line = _line(statement, account)
    found: list[tuple[bytes, RevenueReport]] = []
    rights = State()
    for bundle in sorted(reports, key=position_of):
        verdict = _sound(bundle, registry, blocks)
        if verdict.registry != sound.registry:
            raise InvalidData("registry.other", expected=to_hex(sound.registry), actual=to_hex(verdict.registry))
        if isinstance(verdict.statement, Rotation):
            fold.apply(rights, fact_of(verdict.statement, verdict.digest, entries.parse(bundle.entry)))
            continue
        found.append((verdict.digest, _report(statement, verdict, found, rights)))
    changes = payouts.changes(found)
    currency = found[0][1].currency if found else ""
    return OwnPayouts(line.party, line.ppm, currency, changes, payouts.own(line.ppm, changes), sound.registry_pinned)


def _sound(bundle: Bundle, registry: bytes | None, blocks: Sequence[bytes]) -> Verdict:
    """Return the verdict on a bundle in which nothing is wrong, and whose statement is signed by all."""
    verdict = verify(bundle, Pins(registry=registry, block_hashes=tuple(blocks)))
    for name, finding in verdict.findings.items():
        if finding.answer is Answer.NO:
            raise InvalidData("payout_check.unsound", digest=to_hex(verdict.digest), question=name, reason=finding.code)
    return verdict


def _line(agreement: Agreement, account: bytes | None) -> Share:
    shown = [share for share in agreement.shares if isinstance(share, Share) and account in (None, share.party)]
    if len(shown) != 1:
        raise InvalidData("payout_check.which", lines=len(shown))
    return shown[0]


def _report(
    agreement: Agreement, verdict: Verdict, before: Sequence[tuple[bytes, RevenueReport]], rights: State
) -> RevenueReport:
    """Return a report that counts under an agreement, beside those and the rotations that the log has before it."""
    report, digest = verdict.statement, to_hex(verdict.digest)
    if not isinstance(report, RevenueReport):
        raise InvalidData("payout_check.no_report", digest=digest, kind=report.kind)
    end = agreement.effectiveUntil or report.periodEnd
    inside = agreement.effectiveFrom <= report.periodStart and report.periodEnd <= end
    payer = rights.original(report.payer) == rights.original(agreement.payer) and not rights.is_rotated(report.payer)
    if report.work not in agreement.works or not payer or not inside:
        raise InvalidData("payout_check.other_agreement", digest=digest)
    corrected = {other.corrects for _, other in before}
    for other_digest, other in before:
        if other.currency != report.currency:
            raise InvalidData("report.currency", field="currency", expected=other.currency, actual=report.currency)
        if report.corrects == NONE and other.overlaps(report):
            raise InvalidData("report.overlaps", field="periodStart", other=to_hex(other_digest))
    if report.corrects != NONE and (report.corrects in corrected or report.corrects not in dict(before)):
        raise InvalidData("report.corrects_unknown", field="corrects", report=to_hex(report.corrects))
    return report
