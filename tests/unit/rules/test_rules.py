"""The fold itself: what counts once, what is known without bodies, what was known at an instant."""

from __future__ import annotations

from dataclasses import replace

from support.models.rights_log import (
    ANNA,
    BEN,
    CLEO,
    HASH,
    NEW,
    NOW,
    PAYER,
    PLATFORM,
    STRANGER,
    agreement,
    contribution,
    countersignature,
    report,
    rotation,
    termination,
    work,
)
from support.worlds.logs.short_log import changes, claimed_upload, counts, fold, in_force

from deedlog.registry.rules import fold as rules
from deedlog.registry.statements.eip712 import domain_separator


def test_a_digest_counts_once_at_its_lowest_index(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    paid = counts(log, report(of, 0, 100))
    before = fold(log)
    log.time += 1000
    log.facts += [fact._replace(time=log.time) for fact in log.facts]
    log.add(work(STRANGER), digest=paid)
    assert fold(log) == before
    assert rules.standing(fold(log), first, NOW).counts
    assert [change.amount for change in changes(fold(log), first)] == [100]


def test_whoever_lacks_all_bodies_learns_what_there_is_in_what_order_who_signed_and_who_made_what(log):
    of = claimed_upload(log)
    part = counts(log, contribution(of, BEN))
    counts(log, countersignature(part, ANNA))
    shared = counts(log, agreement([of], [ANNA, BEN]))
    counts(log, rotation(ANNA, NEW))
    state = rules.state(fact._replace(statement=None) for fact in log.facts)
    assert list(state.standings) == [fact.digest for fact in log.facts]
    assert not rules.standing(state, shared, NOW).counts
    assert {digest for digest, standing in state.standings.items() if standing.code == "standing.no_body"} == {shared}
    whole = fold(log)
    for digest in (of, part):
        assert rules.standing(state, digest, NOW) == rules.standing(whole, digest, NOW)
    assert (state.works[of].creators, state.holder(ANNA, NOW)) == ((ANNA,), NEW)
    assert state.kinds[shared] == "Agreement"
    assert state.known == {ANNA, BEN, PLATFORM, PAYER, NEW}
    assert rules.standing(state, HASH, NOW).code == "standing.unknown"


def test_an_erased_work_carries_its_agreements(log):
    of = counts(log, work(ANNA))
    log.facts = [fact._replace(statement=None) for fact in log.facts]
    assert in_force(log, of) is None
    shared = counts(log, agreement([of], [ANNA, BEN]))
    assert in_force(log, of) == shared


def test_one_line_of_an_agreement_is_enough_to_fold_it(log):
    of = counts(log, work(ANNA))
    whole = agreement([of], [ANNA, BEN, CLEO])
    hidden = tuple(line if line.party == BEN else line.STRUCT.hash(line) for line in whole.shares)
    opened = replace(whole, shares=hidden)
    separator = domain_separator(b"\x01" * 20)
    assert opened.digest(separator) == whole.digest(separator)
    shared = counts(log, opened)
    assert in_force(log, of) == shared


def test_the_state_at_an_instant_knows_nothing_of_what_came_later(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    log.time += 10
    counts(log, termination(first, 5), [ANNA, BEN])
    for at, code in (
        (NOW - 1, "standing.unknown"),
        (NOW, "agreement.is_in_force"),
        (NOW + 10, "agreement.is_terminated"),
    ):
        assert rules.standing(fold(log, at), first, at).code == code
