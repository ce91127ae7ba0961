"""Who may correct a revenue report: its payer, under the agreement that it was made under."""

from __future__ import annotations

import dataclasses

from registry import rules
from registry.payouts import changes
from registry.rights import Fact
from registry.statements import NONE, Agreement, RevenueReport, Share, Work

CREATOR, PARTNER, PAYER, OTHER_PAYER = (bytes([number]) * 20 for number in range(1, 5))
WORK, BY_PAYER, BY_OTHER, REPORT, CORRECTION = (bytes([number]) * 32 for number in range(1, 6))


def fact(digest, statement, *signers, time=60):
    return Fact(digest, statement.kind, signers, time, statement)


def agreement(payer):
    shares = (Share(CREATOR, "presenter", 600_000, NONE), Share(PARTNER, "script", 400_000, NONE))
    return Agreement((WORK,), (CREATOR, PARTNER), (), shares, NONE, payer, 1000, 100, 0, NONE, NONE)


def report(payer, amount, corrects=NONE):
    return RevenueReport(WORK, 100, 200, "CNY", amount, "net", corrects, payer, NONE)


WORLD = (
    fact(WORK, Work("t", "c", (CREATOR,), "own", "none", NONE, 1, "video/mp4", 0, NONE), CREATOR),
    fact(BY_PAYER, agreement(PAYER), CREATOR, PARTNER),
    fact(BY_OTHER, agreement(OTHER_PAYER), CREATOR, PARTNER),
    fact(REPORT, report(PAYER, 1000), PAYER, time=300),
)


def test_a_payer_corrects_their_own_report():
    state = rules.state([*WORLD, fact(CORRECTION, report(PAYER, 7, REPORT), PAYER, time=301)])
    assert rules.standing(state, REPORT, 400).code == "report.is_corrected"
    assert [change.amount for change in changes(state, BY_PAYER)] == [1000, -993]


def test_a_payer_cannot_take_back_what_another_payer_reported():
    """It was enough that work and period were the same: the other's report was void, and paid out a second time."""
    state = rules.state([*WORLD, fact(CORRECTION, report(OTHER_PAYER, 7, REPORT), OTHER_PAYER, time=301)])
    refused = rules.standing(state, CORRECTION, 400)
    assert (refused.code, refused.counts) == ("report.corrects_another", False)
    assert rules.standing(state, REPORT, 400).code == "report.counts"
    assert [change.amount for change in changes(state, BY_PAYER)] == [1000]
    assert changes(state, BY_OTHER) == []


def test_the_holder_of_a_payers_account_corrects_what_the_payer_reported():
    successor = bytes([9]) * 20
    rotated = dataclasses.replace(rules.state(WORLD), successors={PAYER: (successor, 300)})
    rules.check(rotated, fact(CORRECTION, report(successor, 7, REPORT), successor, time=301))
