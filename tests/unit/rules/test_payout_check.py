"""A payee's own check takes the reports that the registry's rule takes, and no other."""

from __future__ import annotations

import hashlib

import pytest
from support.models.rights_log import agreement, report, rotation, work
from support.worlds.logs.memory_log import LOG_KEY, MemoryLog
from support.worlds.registries.registry_world import NOW, identity

from deedlog.anchor import merkle
from deedlog.anchor.tlog.proof import TlogProof
from deedlog.anchor.verify.bundle import Bundle
from deedlog.anchor.verify.payout_check import own_payouts
from deedlog.registry.errors import InvalidData
from deedlog.registry.rules import fold
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.entry import Entry, build
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data

IDENTITY = identity(LOG_KEY)
SEPARATOR = domain_separator(IDENTITY.address)
DAY = 86_400
OTHER_WORK = b"\x08" * 32
KEYS = {
    account_of_private_key(key): key for key in (hashlib.sha256(b"payout %d" % number).digest() for number in range(5))
}
ANNA, BEN, PAYER, NEXT, STRANGER = sorted(KEYS)


class Story:
    """Statements signed by those who must sign them, in a log that nobody's rules have kept clean."""

    def __init__(self):
        self.time = NOW
        self.facts, self.entries, self.statements = [], [], []
        self.work = self.add(work(ANNA, BEN))
        self.agreement = self.add(
            agreement([self.work], [ANNA, BEN], payer=PAYER, effectiveFrom=NOW - 90 * DAY, effectiveUntil=NOW + DAY)
        )

    def add(self, statement):
        """Log a statement; return its digest."""
        digest = statement.digest(SEPARATOR)
        accounts = sorted(statement.signers())
        signatures = tuple(sign(digest, KEYS[account]) for account in accounts)
        self.entries.append(build(Entry(digest, statement.kind, signatures, statement.subjects(), self.time)))
        self.facts.append(Fact(digest, statement.kind, tuple(accounts), statement.subjects(), self.time, statement))
        self.statements.append(statement)
        return digest

    def report(self, start, end, amount=100, **members):
        return self.add(report(members.pop("of", self.work), start, end, amount, **({"payer": PAYER} | members)))

    def bundles(self):
        log = MemoryLog(self.entries)
        proofs = (
            TlogProof(index, tuple(merkle.inclusion_proof(log.leaf_hashes, index, log.size)), log.note)
            for index in range(log.size)
        )
        return [
            Bundle(typed_data(statement, IDENTITY.address), entry, IDENTITY, (), proof.format())
            for statement, entry, proof in zip(self.statements, self.entries, proofs, strict=True)
        ]


def month(number):
    return NOW - (90 - 30 * number) * DAY, NOW - (60 - 30 * number) * DAY


CASES = {
    "one": lambda story: story.report(*month(0)),
    "two that touch": lambda story: (story.report(*month(0)), story.report(*month(1))),
    "of another work": lambda story: story.report(*month(0), of=OTHER_WORK),
    "by somebody else": lambda story: story.report(*month(0), payer=STRANGER),
    "of before the agreement": lambda story: story.report(NOW - 100 * DAY, NOW - 95 * DAY),
    "over its start": lambda story: story.report(NOW - 100 * DAY, NOW - 80 * DAY),
    "over its end": lambda story: story.report(NOW - DAY, NOW + 2 * DAY),
    "that is not over": lambda story: story.report(NOW - DAY, NOW + DAY // 2),
    "of a period reported before": lambda story: (story.report(*month(0)), story.report(month(0)[1] - 1, NOW)),
    "in another currency": lambda story: (story.report(*month(0)), story.report(*month(1), currency="EUR")),
    "a correction": lambda story: story.report(*month(0), 200, corrects=story.report(*month(0))),
    "a correction of another period": lambda story: story.report(*month(1), corrects=story.report(*month(0))),
    "a correction of what is corrected": lambda story: [
        first := story.report(*month(0)),
        *(story.report(*month(0), amount, corrects=first) for amount in (200, 300)),
    ],
    "a correction of nothing": lambda story: story.report(*month(0), corrects=OTHER_WORK),
    "by a successor": lambda story: (story.add(rotation(PAYER, NEXT)), story.report(*month(0), payer=NEXT)),
    "by a party to whom the payer is rotated": lambda story: (
        story.add(rotation(PAYER, BEN)),
        story.report(*month(0), payer=BEN),
    ),
    "by a payer to whom a stranger is rotated": lambda story: (
        story.add(rotation(STRANGER, PAYER)),
        story.report(*month(0)),
    ),
    "by whom has a successor": lambda story: (story.add(rotation(PAYER, NEXT)), story.report(*month(0))),
}


@pytest.mark.parametrize("name", CASES)
def test_a_report_is_refused_if_and_only_if_the_registry_refuses_it(name):
    story = Story()
    CASES[name](story)
    state = fold.state(story.facts)
    bundles = story.bundles()
    taken = []
    for fact, bundle in list(zip(story.facts, bundles, strict=True))[2:]:
        standing = state.standings[fact.digest]
        if standing.counts:
            taken.append(bundle)
            continue
        with pytest.raises(InvalidData) as refused:
            own_payouts(bundles[1], [*taken, bundle], ANNA, IDENTITY.address, ())
        assert refused.value.code in (standing.code, "payout_check.other_agreement")
    own = own_payouts(bundles[1], taken, ANNA, IDENTITY.address, ())
    reports = [
        fact.digest for fact in story.facts if fact.kind == "RevenueReport" and state.standings[fact.digest].counts
    ]
    assert [change.report for change in own.changes] == reports


def test_among_the_cases_are_refusals_of_every_sort():
    codes = set()
    for story_of in CASES.values():
        story = Story()
        story_of(story)
        codes |= {standing.code for standing in fold.state(story.facts).standings.values() if not standing.counts}
    assert codes == {
        *("account.rotated_away", "report.corrected", "report.corrects_another", "report.corrects_unknown"),
        *("report.currency", "report.no_agreement", "report.not_over", "report.not_the_payer", "report.overlaps"),
        *("report.straddles", "rotation.to_somebody", "work.unknown"),
    }
