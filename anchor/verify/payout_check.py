"""A payee's own payouts, from bundles alone: the payee's line of the agreement, the payer's reports and rotations.

Pure. Checks that all required accounts have signed, that everything is in one log, and that the reports are the
payer's, on these works, each counted once. Does not check whether the agreement was in force: that needs all statements
in the log about its works.
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
from deedlog.registry.rules import agreements, fold, payouts
from deedlog.registry.rules.state import State
from deedlog.registry.statements import Agreement, RevenueReport, Rotation, Share
from deedlog.registry.statements import entry as entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.anchor.verify.verdict import Verdict
    from deedlog.registry.rules.state import Fact


_OF_ANOTHER_AGREEMENT = (
    "report.no_agreement",
    "report.not_the_payer",
    "report.straddles",
    "work.unknown",
)
"""Error codes of a report that the agreement does not cover: another work, payer or period."""


@dataclass(frozen=True, slots=True)
class OwnPayouts:
    """What a payee is due from each report, in minor units of `currency` (empty without reports).

    `account` is the payee's, `ppm` its share in parts per million.
    """

    account: bytes
    ppm: int
    currency: str
    changes: list[payouts.Change]
    paid: list[int]
    registry_pinned: bool


def own_payouts(
    agreement: Bundle, reports: Sequence[Bundle], account: bytes | None, registry: bytes | None, blocks: Sequence[bytes]
) -> OwnPayouts:
    """Return a payee's payouts under an agreement.

    `reports` may include the rotations of the payer. If `account` is None, the payee is the account whose line is the
    only open one. `registry` is the address that the user pins, `blocks` are the hashes of blocks that the user says
    are final. Raises `InvalidData`: `payout_check.…`, `registry.other`, or the code of the rule that a report breaks.
    """
    sound = _sound(agreement, registry, blocks)
    statement = sound.statement
    if not isinstance(statement, Agreement):
        raise InvalidData("payout_check.no_agreement", kind=statement.kind)
    line = _line(statement, account)
    found: list[tuple[bytes, RevenueReport]] = []
    rights = State()
    for bundle in sorted((agreement, *reports), key=position_of):
        if bundle is agreement:
            agreements.assume_agreement(rights, sound.digest, statement)
            continue
        verdict = _sound(bundle, registry, blocks)
        if verdict.registry != sound.registry:
            raise InvalidData("registry.other", expected=to_hex(sound.registry), actual=to_hex(verdict.registry))
        fact = fact_of(verdict.statement, verdict.digest, entries.parse(bundle.entry))
        if isinstance(verdict.statement, RevenueReport):
            _check_report(rights, fact)
            found.append((verdict.digest, verdict.statement))
        elif isinstance(verdict.statement, Rotation):
            fold.check(rights, fact)
        else:
            raise InvalidData("payout_check.no_report", digest=to_hex(verdict.digest), kind=verdict.statement.kind)
        fold.apply(rights, fact)
    changes = payouts.changes(found)
    currency = found[0][1].currency if found else ""
    return OwnPayouts(line.party, line.ppm, currency, changes, payouts.own(line.ppm, changes), sound.registry_pinned)


def _sound(bundle: Bundle, registry: bytes | None, blocks: Sequence[bytes]) -> Verdict:
    """Return the verdict on a bundle; raise `InvalidData` (`payout_check.unsound`) if any answer is no."""
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


def _check_report(rights: State, fact: Fact) -> None:
    """Raise `InvalidData` unless a report counts, given the agreement, reports and rotations before it in the log.

    Applies the registry's own rule. A report that it refuses may count under another agreement
    (`payout_check.other_agreement`).
    """
    try:
        fold.check(rights, fact)
    except InvalidData as error:
        if error.code in _OF_ANOTHER_AGREEMENT:
            raise InvalidData("payout_check.other_agreement", digest=to_hex(fact.digest)) from error
        raise
