"""The rules of rights: random logs come to what a second, naive reading says; each promise and attack by name."""

from __future__ import annotations

import copy
import itertools
import random
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_rights import OPEN
from rights_log import (
    ANNA,
    BEN,
    CLEO,
    DORA,
    HASH,
    NEW,
    NEWER,
    NOW,
    PAYER,
    PLATFORM,
    STRANGER,
    TICK,
    Log,
    RandomLog,
    agreement,
    cancellation,
    claim,
    contribution,
    countersignature,
    person,
    rendition,
    report,
    rotation,
    termination,
    upload,
    work,
)

from registry import payouts, rules
from registry.eip712 import domain_separator
from registry.errors import InvalidData
from registry.hexadecimal import to_hex
from registry.rights import Fact, State
from registry.signatures import account_of_private_key, check, sign

ROOT = Path(__file__).resolve().parents[2]

REFUSALS = {
    "account.rotated_away",
    "agreement.before_report",
    "agreement.cancelled",
    "agreement.creator_missing",
    "agreement.expired",
    "agreement.leaves_unsigned",
    "agreement.never_a_party",
    "agreement.other_works",
    "agreement.stale",
    "agreement.superseded",
    "agreement.terminated",
    "agreement.unknown",
    "cancellation.complete",
    "claim.taken",
    "claim.unknown_upload",
    "countersignature.nothing_to_confirm",
    "countersignature.of_another",
    "countersignature.of_oneself",
    "countersignature.twice",
    "rendition.unknown_source",
    "report.corrected",
    "report.corrects_another",
    "report.corrects_unknown",
    "report.currency",
    "report.no_agreement",
    "report.not_over",
    "report.not_the_payer",
    "report.overlaps",
    "report.straddles",
    "rotation.to_somebody",
    "signature.missing",
    "signature.not_a_signer",
    "standing.no_body",
    "termination.before_report",
    "termination.over",
    "work.unclaimed",
    "work.unknown",
}
STANDINGS = {
    "agreement.is_agreed",
    "agreement.is_ended",
    "agreement.is_in_force",
    "agreement.is_superseded",
    "agreement.is_terminated",
    "claim.claimed",
    "claim.confirmed",
    "report.counts",
    "report.is_corrected",
    "standing.counts",
    "upload.claimed",
    "upload.unclaimed",
}


# Random logs, and the naive model.


def compare_standing(state, log, fact):
    """The next entry counts, or is refused for one of the reasons that there are."""
    reasons = log.rights.reasons[fact.digest]
    found = state.standings[fact.digest]
    assert found.counts == (not reasons), (fact, found, reasons)
    assert found.code in (reasons or {"standing.counts"}), (fact, found, reasons)
    return found.code


def compare_all(state, log):
    """The whole state is what the model finds; return the codes of what the statements come to."""
    rights, now = log.rights, log.time
    agreements = rights.of("Agreement")
    assert list(state.agreements) == [each.digest for each in agreements]
    instants = {0, now, OPEN - 1}
    for each in agreements:
        mine = state.agreements[each.digest]
        assert (mine.start, mine.end) == (rights.start(each), rights.end(each))
        instants |= {at + step for at in (mine.start, mine.end) for step in (-1, 0, 1) if 0 <= at + step < OPEN}
        assert mine.reports == [report.digest for report in rights.reports_under(each, now)]
        assert sum(change.amount for change in changes(state, each.digest)) == rights.revenue(each, now)
    for account in {account for fact in log.facts for account in fact.accounts} | set(log.people):
        for at in (0, now - TICK, now - 1, now):
            assert state.holder(account, at) == rights.holder(account, at)
    for digest, mine in state.works.items():
        assert list(mine.creators) == rights.creators(digest)
        for payer in {each.statement.payer for each in agreements}:
            for at in instants:
                covering = [each.digest for each in rights.covering(digest, payer, at, now)]
                assert len(covering) <= 1, "two agreements are in force for a work and a payer"
                assert covering == covering_in(state, digest, payer, at, now)
    codes = Counter()
    for fact in rights.counted:
        for at in (now, *sorted(instants)[:: max(1, len(instants) // 5)]):
            code = rules.standing(state, fact.digest, at).code
            assert code == rights.stands(fact, at), (fact, at)
            codes[code] += 1
    return codes


def changes(state, digest):
    """Return what the reports under an agreement added to its revenue."""
    return payouts.changes([(each, state.reports[each].report) for each in state.agreements[digest].reports])


def covering_in(state, digest, payer, at, now):
    holder = state.holder(payer, now)
    found = [(other, state.agreements[other]) for other in state.agreements]
    return [
        other
        for other, each in found
        if digest in each.agreement.works
        and state.holder(each.agreement.payer, now) == holder
        and each.start <= at < each.end
    ]


def run(log, steps):
    """Fold a random log as it grows; return the codes met."""
    state, codes = State(), Counter()
    for fact in log.steps(steps):
        rules.take(state, fact)
        codes[compare_standing(state, log, fact)] += 1
    return codes + compare_all(state, log)


def test_random_logs_come_to_what_the_naive_model_says_and_meet_every_rule():
    codes = Counter()
    for seed in range(80):
        codes += run(RandomLog(random.Random(seed)), 120)
    assert set(codes) == REFUSALS | STANDINGS


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_short_random_logs_come_to_what_the_naive_model_says(chance, steps):
    run(RandomLog(chance), steps)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_random_logs_come_to_what_the_naive_model_says():
    for seed in range(1000, 3000):
        run(RandomLog(random.Random(seed)), random.Random(-seed).choice((40, 150, 300)))


def test_every_refusal_of_the_rules_is_known_here():
    files = [*ROOT.glob("registry/rules*.py"), ROOT / "registry/rights.py"]
    said = {code for file in files for code in re.findall(r'InvalidData\(\s*"([a-z_.]+)"', file.read_text())}
    assert said | {"signature.missing", "signature.not_a_signer", "standing.no_body"} == REFUSALS


def test_a_prefix_of_a_log_is_the_log_at_the_time_of_its_last_entry():
    log = RandomLog(random.Random(7))
    facts = list(log.steps(150))
    for first, after in itertools.pairwise(facts):
        if first.time < after.time:
            assert rules.state(facts, first.time) == rules.state(facts[: facts.index(after)])
    assert rules.state(facts, facts[0].time - 1) == State()
    assert rules.state(facts) == rules.state(facts, log.time)


def test_asking_changes_nothing_and_answers_what_folding_says():
    log = RandomLog(random.Random(8))
    state = State()
    for fact in log.steps(150):
        before = copy.deepcopy(state)
        try:
            lacking = fact.statement is None and rules.RULES[fact.kind].needs_body
            asked = "standing.no_body" if lacking else rules.check(state, fact) or "standing.counts"
        except InvalidData as error:
            asked = error.code
        assert state == before
        repeated = fact.digest in state.standings
        rules.take(state, fact)
        if repeated:
            assert state == before
            continue
        assert state.standings[fact.digest].code == asked
        if not state.standings[fact.digest].counts:
            for member in ("lines", "works", "claims", "contributions", "cancellations", "agreements", "reports"):
                assert getattr(state, member) == getattr(before, member)


# Long logs.


def many_reports(log, count):
    of = log.add(work(ANNA))
    log.add(agreement([of], [ANNA, BEN]))
    for number in reversed(range(count)):
        log.add(report(of, number, number + 1))


def many_amendments(log, count):
    of = log.add(work(ANNA))
    before = log.add(agreement([of], [ANNA, BEN]))
    for number in range(count // 2):
        log.add(report(of, number, number + 1))
        before = log.add(agreement([of], [ANNA, BEN], supersedes=before, effectiveFrom=number + 1))


def many_renewals(log, count):
    of = log.add(work(ANNA))
    for number in range(count):
        log.add(agreement([of], [ANNA, BEN], effectiveFrom=number, effectiveUntil=number + 1))


def many_payers(log, count):
    of = log.add(work(ANNA))
    for number in range(count):
        log.add(agreement([of], [ANNA, BEN], payer=person(1000 + number)))


def many_rotations(log, count):
    of = log.add(work(ANNA))
    log.add(agreement([of], [ANNA, BEN]))
    payer = PAYER
    for number in range(count // 2):
        log.add(rotation(payer, person(1000 + number)))
        payer = person(1000 + number)
    for number in range(count // 2):
        log.add(report(of, number, number + 1, payer=payer))


def many_claims(log, count):
    of = log.add(upload())
    for number in range(count // 2):
        log.add(countersignature(log.add(claim(of, person(1000 + number))), PLATFORM))


@pytest.mark.parametrize(
    "fill", [many_reports, many_amendments, many_renewals, many_payers, many_rotations, many_claims]
)
def test_folding_takes_time_in_proportion_to_the_log(fill):
    # Anybody can write such a log. What is counted is the lines that run, so that the machine does not matter.
    def lines(count):
        log, ran = Log(), 0
        fill(log, count)

        def trace(_frame, event, _value):
            nonlocal ran
            ran += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            rules.state(log.facts)
        finally:
            sys.settrace(before)
        return ran

    assert lines(400) < 2.5 * lines(200)


# Short logs, by hand.


@pytest.fixture
def log():
    return Log()


def fold(log, at=rules.FOR_EVER):
    return rules.state(log.facts, at)


def last(log):
    """Return what the last statement comes to, after all: its standing."""
    return rules.standing(fold(log), log.facts[-1].digest, log.time)


def refused(log, statement, accounts=None, **how):
    """Log a statement that does not count; return the code and the parameters of why not."""
    log.add(statement, accounts, **how)
    standing = last(log)
    assert not standing.counts
    return standing.code, standing.params


def counts(log, statement, accounts=None, **how):
    """Log a statement that counts; return its digest."""
    digest = log.add(statement, accounts, **how)
    assert fold(log).standings[digest].counts, last(log)
    return digest


def in_force(log, of, payer=PAYER, at=NOW):
    """Return the one agreement that covers a work for a payer at an instant, or None."""
    found = covering_in(fold(log), of, payer, at, log.time)
    assert len(found) <= 1
    return found[0] if found else None


def claimed_upload(log, creator=ANNA):
    of = counts(log, upload())
    mine = counts(log, claim(of, creator))
    counts(log, countersignature(mine, PLATFORM))
    return of


# Works, claims, contributions.


def test_a_work_with_several_creators_counts_only_when_all_of_them_have_signed(log):
    shared = work(ANNA, BEN, CLEO)
    assert refused(log, shared, [ANNA, CLEO]) == ("signature.missing", {"account": to_hex(BEN)})
    assert refused(log, shared, [ANNA, BEN, CLEO, DORA]) == ("signature.not_a_signer", {"account": to_hex(DORA)})
    assert counts(log, shared, [ANNA, BEN, CLEO])


def test_an_upload_has_no_creator_until_the_platform_confirms_a_claim(log):
    of = counts(log, upload())
    assert last(log).code == "upload.unclaimed"
    mine = counts(log, claim(of, ANNA))
    assert last(log).code == "claim.claimed"
    assert refused(log, contribution(of, BEN))[0] == "work.unclaimed"
    assert refused(log, agreement([of], [ANNA, BEN]))[0] == "work.unclaimed"
    assert refused(log, countersignature(mine, ANNA))[0] == "countersignature.of_another"
    counts(log, countersignature(mine, PLATFORM))
    state = fold(log)
    assert state.works[of].creators == (ANNA,)
    assert rules.standing(state, of, NOW).params == {"claim": to_hex(mine), "account": to_hex(ANNA)}
    assert rules.standing(state, mine, NOW).code == "claim.confirmed"
    counts(log, contribution(of, BEN))
    counts(log, agreement([of], [ANNA, BEN]))


def test_of_two_claims_the_first_confirmed_wins_whichever_was_first_made(log):
    of = counts(log, upload())
    first, second = counts(log, claim(of, ANNA)), counts(log, claim(of, BEN))
    counts(log, countersignature(second, PLATFORM))
    assert refused(log, countersignature(first, PLATFORM)) == ("claim.taken", {"other": to_hex(second)})
    late = counts(log, claim(of, CLEO))
    assert refused(log, countersignature(late, PLATFORM))[0] == "claim.taken"
    state = fold(log)
    assert state.works[of].creators == (BEN,)
    assert rules.standing(state, first, NOW).code == "claim.claimed"


def test_a_claim_names_an_upload_and_nothing_else(log):
    of = counts(log, work(ANNA))
    assert refused(log, claim(of, BEN))[0] == "claim.unknown_upload"
    assert refused(log, claim(HASH, BEN))[0] == "claim.unknown_upload"


def test_a_contribution_is_claimed_for_ever_until_a_creator_countersigns_it(log):
    of = counts(log, work(ANNA, BEN))
    part = counts(log, contribution(of, CLEO))
    assert last(log).code == "claim.claimed"
    assert refused(log, countersignature(part, STRANGER)) == (
        "countersignature.of_another",
        {"account": to_hex(STRANGER)},
    )
    assert refused(log, countersignature(part, CLEO))[0] == "countersignature.of_another"
    assert rules.standing(fold(log), part, 2**63).code == "claim.claimed"
    counts(log, countersignature(part, ANNA))
    assert refused(log, countersignature(part, ANNA)) == ("countersignature.twice", {"statement": to_hex(part)})
    counts(log, countersignature(part, BEN))
    assert rules.standing(fold(log), part, NOW).params == {"accounts": f"{to_hex(ANNA)}, {to_hex(BEN)}"}


def test_a_creator_does_not_confirm_their_own_part_not_even_after_a_rotation(log):
    of = counts(log, work(ANNA, BEN))
    part = counts(log, contribution(of, ANNA))
    assert refused(log, countersignature(part, ANNA))[0] == "countersignature.of_oneself"
    counts(log, rotation(ANNA, NEW))
    assert refused(log, countersignature(part, NEW))[0] == "countersignature.of_oneself"
    counts(log, countersignature(part, BEN))
    counts(log, rotation(BEN, NEWER))
    assert refused(log, countersignature(part, NEWER))[0] == "countersignature.twice"


def test_only_claims_and_contributions_are_countersigned(log):
    of = counts(log, work(ANNA))
    for digest in (of, HASH, counts(log, agreement([of], [ANNA, BEN]))):
        assert refused(log, countersignature(digest, ANNA))[0] == "countersignature.nothing_to_confirm"


def test_a_rendition_has_a_source_that_is_registered_claimed_or_not(log):
    counts(log, rendition(counts(log, upload())))
    counts(log, rendition(counts(log, work(ANNA)), ANNA))
    assert refused(log, rendition(HASH))[0] == "rendition.unknown_source"


# Agreements.


def test_an_agreement_is_agreed_then_in_force_then_ended(log):
    of = counts(log, work(ANNA))
    shared = counts(log, agreement([of], [ANNA, BEN], effectiveFrom=100, effectiveUntil=200))
    codes = [rules.standing(fold(log), shared, at).code for at in (0, 99, 100, 199, 200, 2**63)]
    assert codes == [f"agreement.is_{word}" for word in ("agreed", "agreed", "in_force", "in_force", "ended", "ended")]


def test_an_agreement_that_one_party_did_not_sign_pays_nobody(log):
    of = counts(log, work(ANNA))
    shared = agreement([of], [ANNA, BEN, CLEO])
    assert refused(log, shared, [ANNA, BEN]) == ("signature.missing", {"account": to_hex(CLEO)})
    assert refused(log, shared, [ANNA, BEN, CLEO, PAYER])[0] == "signature.not_a_signer"
    assert in_force(log, of) is None
    counts(log, shared)


def test_shares_changed_after_two_of_three_have_signed_are_another_agreement(log):
    keys = [bytes([number]) * 32 for number in (1, 2, 3)]
    parties = sorted(map(account_of_private_key, keys))
    of = counts(log, work(*parties))
    separator = domain_separator(b"\x01" * 20)
    shown = agreement([of], parties)
    first, *others = shown.shares
    more = replace(first, ppm=first.ppm + 1), replace(others[0], ppm=others[0].ppm - 1), others[1]
    changed = replace(shown, shares=more)
    assert shown.digest(separator) != changed.digest(separator)
    two = [sign(shown.digest(separator), key) for key in keys[:2]]
    third = sign(changed.digest(separator), keys[2])
    check(third, changed.digest(separator))
    for signature in two:
        check(signature, shown.digest(separator))
        with pytest.raises(InvalidData, match=r"signature\.signer"):
            check(signature, changed.digest(separator))
    # Whoever logs it with the one signature that holds comes to nothing.
    code, _ = refused(log, changed, [third.account], digest=changed.digest(separator))
    assert code == "signature.missing"


def test_in_whatever_order_signatures_come_the_agreement_is_the_same(log):
    of = counts(log, work(ANNA, BEN, CLEO))
    shared = agreement([of], [ANNA, BEN, CLEO])
    states = []
    for accounts in itertools.permutations((ANNA, BEN, CLEO)):
        fact = Fact(HASH, "Agreement", accounts, shared.subjects(), NOW, shared)
        states.append(rules.state([*log.facts, fact]))
    assert states[0].standings[HASH].counts
    assert all(state == states[0] for state in states)


def test_until_accept_by_is_judged_by_the_time_of_the_entry(log):
    of = counts(log, work(ANNA))
    shared = agreement([of], [ANNA, BEN], acceptBy=log.time + 10)
    log.time += 11
    assert refused(log, shared) == ("agreement.expired", {"time": NOW + 10})
    log.time -= 1
    log.facts.pop()
    counts(log, shared)


@pytest.mark.parametrize("account", [ANNA, BEN, CLEO], ids=["a creator", "a party", "one who leaves"])
def test_any_party_cancels_an_agreement_before_it_is_complete(log, account):
    of = counts(log, work(ANNA))
    before = counts(log, agreement([of], [ANNA, CLEO]))
    after = log.name()
    note = counts(log, cancellation(after), [account])
    changed = agreement([of], [ANNA, BEN], supersedes=before, leaving=(CLEO,))
    assert refused(log, changed, digest=after) == ("agreement.cancelled", {"other": to_hex(note)})
    assert in_force(log, of) == before


def test_a_stranger_and_the_payer_cancel_nothing(log):
    of = counts(log, work(ANNA))
    shared = log.name()
    counts(log, cancellation(shared), [STRANGER])
    counts(log, cancellation(shared), [PAYER])
    counts(log, agreement([of], [ANNA, BEN]), digest=shared)


def test_a_complete_agreement_is_not_cancelled_any_more(log):
    of = counts(log, work(ANNA))
    shared = counts(log, agreement([of], [ANNA, BEN]))
    assert refused(log, cancellation(shared), [ANNA])[0] == "cancellation.complete"
    assert in_force(log, of) == shared


def test_the_creator_of_each_work_is_a_party(log):
    mine, theirs = counts(log, work(ANNA)), counts(log, work(BEN, CLEO))
    assert refused(log, agreement([mine, theirs], [ANNA, BEN]))[1] == {"work": to_hex(theirs), "account": to_hex(CLEO)}
    assert refused(log, agreement([theirs], [ANNA, STRANGER]))[0] == "agreement.creator_missing"
    counts(log, agreement([mine, theirs], [ANNA, BEN, CLEO]))


def test_an_agreement_over_an_unknown_work_or_over_what_is_no_work(log):
    of = counts(log, work(ANNA))
    part = counts(log, contribution(of, BEN))
    for digest in (HASH, part):
        assert refused(log, agreement([of, digest], [ANNA, BEN])) == ("work.unknown", {"work": to_hex(digest)})


def test_a_second_agreement_on_the_same_work_is_stale_names_the_first_and_pays_nothing(log):
    of, more = counts(log, work(ANNA)), counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    stale = ("agreement.stale", {"work": to_hex(of), "other": to_hex(first)})
    assert refused(log, agreement([of], [ANNA, CLEO])) == stale
    assert refused(log, agreement([of, more], [ANNA, CLEO])) == stale
    assert in_force(log, of) == first
    assert in_force(log, more) is None
    counts(log, agreement([of], [ANNA, CLEO], payer=STRANGER))  # another payer, another stream of money


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        (0, 100, True),
        (0, 101, False),
        (100, 200, False),
        (150, 160, False),
        (199, 0, False),
        (200, 0, True),
        (0, 0, False),
    ],
)
def test_agreements_may_touch_and_never_meet(log, start, end, fits):
    of = counts(log, work(ANNA))
    counts(log, agreement([of], [ANNA, BEN], effectiveFrom=100, effectiveUntil=200))
    other = agreement([of], [ANNA, BEN], effectiveFrom=start, effectiveUntil=end)
    if fits:
        counts(log, other)
    else:
        assert refused(log, other)[0] == "agreement.stale"


def test_a_renewal_begins_when_the_other_ends_and_a_third_fits_between_two(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN], effectiveUntil=100))
    last_one = counts(log, agreement([of], [ANNA, BEN], effectiveFrom=200))
    between = counts(log, agreement([of], [ANNA, BEN], effectiveFrom=100, effectiveUntil=200))
    found = [in_force(log, of, at=at) for at in (99, 100, 199, 200)]
    assert found == [first, between, between, last_one]


# Amendments and terminations.


def test_an_amendment_in_which_one_leaves_is_signed_by_all_of_both(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN, CLEO]))
    after = agreement([of], [ANNA, BEN, DORA], supersedes=first, leaving=(CLEO,), effectiveFrom=500)
    assert refused(log, after, [ANNA, BEN, DORA]) == ("signature.missing", {"account": to_hex(CLEO)})
    second = counts(log, after)
    assert [in_force(log, of, at=at) for at in (499, 500)] == [first, second]
    state = fold(log)
    assert rules.standing(state, first, 499).code == "agreement.is_in_force"
    assert rules.standing(state, first, 500).code == "agreement.is_superseded"
    assert rules.standing(state, first, 500).params["other"] == to_hex(second)


def test_nobody_is_removed_without_their_consent(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN, CLEO]))
    without = agreement([of], [ANNA, BEN], supersedes=first)
    assert refused(log, without) == ("agreement.leaves_unsigned", {"account": to_hex(CLEO)})
    # Nor by passing over what is there, nor by ending it alone, nor with a stranger in their place.
    assert refused(log, agreement([of], [ANNA, BEN]))[0] == "agreement.stale"
    assert refused(log, termination(first, NOW), [ANNA, BEN]) == ("signature.missing", {"account": to_hex(CLEO)})
    assert refused(log, termination(first, NOW), [ANNA, BEN, STRANGER])[0] == "signature.missing"
    instead = agreement([of], [ANNA, BEN], supersedes=first, leaving=(STRANGER,))
    assert refused(log, instead)[0] == "agreement.leaves_unsigned"
    # Nor with a work of their own beside it.
    other = counts(log, work(ANNA))
    assert refused(log, agreement([of, other], [ANNA, BEN], supersedes=first))[0] == "agreement.leaves_unsigned"
    assert in_force(log, of) == first


def test_only_parties_leave(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    after = agreement([of], [ANNA, BEN], supersedes=first, leaving=(STRANGER,))
    assert refused(log, after) == ("agreement.never_a_party", {"account": to_hex(STRANGER)})


def test_of_two_amendments_the_first_complete_one_wins(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    second = counts(log, agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=10))
    third = agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=5)
    assert refused(log, third) == ("agreement.superseded", {"other": to_hex(second)})
    assert in_force(log, of) == second
    counts(log, replace(third, supersedes=second, effectiveFrom=20))


@pytest.mark.parametrize("amended_first", [True, False])
def test_an_amendment_races_a_termination_and_the_first_complete_one_wins(log, amended_first):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    amendment = agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=500)
    end = termination(first, 400)
    if amended_first:
        second = counts(log, amendment)
        assert refused(log, end, [ANNA, BEN]) == ("agreement.superseded", {"other": to_hex(second)})
        assert [in_force(log, of, at=at) for at in (450, 500)] == [first, second]
    else:
        ended = counts(log, end, [ANNA, BEN])
        assert refused(log, amendment) == ("agreement.terminated", {"other": to_hex(ended)})
        assert [in_force(log, of, at=at) for at in (399, 400, 500)] == [first, None, None]
        assert rules.standing(fold(log), first, 400).code == "agreement.is_terminated"


def test_what_does_not_exist_or_is_refused_is_neither_amended_nor_terminated(log):
    of = counts(log, work(ANNA))
    counts(log, agreement([of], [ANNA, BEN]))
    refused(log, agreement([of], [ANNA, BEN]))
    stale = log.facts[-1].digest
    for digest in (HASH, of, stale):
        assert refused(log, agreement([of], [ANNA, BEN], supersedes=digest))[0] == "agreement.unknown"
        assert refused(log, termination(digest, NOW), [ANNA, BEN])[0] == "agreement.unknown"


def test_an_amendment_of_an_agreement_over_other_works(log):
    mine, other = counts(log, work(ANNA)), counts(log, work(ANNA))
    first = counts(log, agreement([mine], [ANNA, BEN]))
    assert refused(log, agreement([other], [ANNA, BEN], supersedes=first)) == (
        "agreement.other_works",
        {"agreement": to_hex(first)},
    )


def test_an_amendment_may_take_works_in_and_leave_works_out_but_not_take_those_of_others(log):
    one, two, three, four = (counts(log, work(ANNA)) for _ in range(4))
    first = counts(log, agreement([one, two], [ANNA, BEN]))
    other = counts(log, agreement([four], [ANNA, CLEO]))
    taking = agreement([two, three, four], [ANNA, BEN], supersedes=first, effectiveFrom=50)
    assert refused(log, taking) == ("agreement.stale", {"work": to_hex(four), "other": to_hex(other)})
    second = counts(log, replace(taking, works=tuple(sorted([two, three]))))
    assert [in_force(log, of, at=50) for of in (one, two, three, four)] == [None, second, second, other]
    assert [in_force(log, of, at=49) for of in (one, two, three, four)] == [first, first, None, other]
    counts(log, agreement([one], [ANNA, BEN], effectiveFrom=50))


def test_an_amendment_that_begins_before_the_agreement_did_takes_all_of_its_place(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN], effectiveFrom=100))
    second = counts(log, agreement([of], [ANNA, BEN], effectiveFrom=50, effectiveUntil=80, supersedes=first))
    assert [in_force(log, of, at=at) for at in (49, 50, 79, 80, 100)] == [None, second, second, None, None]
    counts(log, agreement([of], [ANNA, BEN], effectiveFrom=80))


def test_a_termination_is_signed_by_every_party_and_by_nobody_else_and_once(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN], effectiveUntil=2 * NOW))
    assert refused(log, termination(first, NOW), [ANNA]) == ("signature.missing", {"account": to_hex(BEN)})
    assert refused(log, termination(first, NOW), [ANNA, BEN, CLEO])[0] == "signature.not_a_signer"
    assert refused(log, termination(first, 2 * NOW), [ANNA, BEN]) == ("termination.over", {"time": 2 * NOW})
    ended = counts(log, termination(first, NOW), [ANNA, BEN])
    assert refused(log, termination(first, NOW - 1), [ANNA, BEN]) == ("agreement.terminated", {"other": to_hex(ended)})
    assert in_force(log, of, at=NOW) is None
    counts(log, agreement([of], [ANNA, CLEO], effectiveFrom=NOW))


def test_nothing_that_was_reported_is_undone(log):
    of, beside = counts(log, work(ANNA)), counts(log, work(ANNA))
    first = counts(log, agreement([of, beside], [ANNA, BEN]))
    counts(log, report(beside, 0, 100))
    counts(log, report(of, 10, 60))
    before = {"work": to_hex(beside), "time": 100}
    for start in (0, 60, 99):
        amendment = agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=start)
        assert refused(log, amendment) == ("agreement.before_report", before)
        assert refused(log, termination(first, start), [ANNA, BEN]) == ("termination.before_report", before)
        # Of any of the works, whoever pays.
        assert refused(log, agreement([beside], [ANNA, BEN], payer=STRANGER, effectiveFrom=start))[1] == before
    counts(log, agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=100))


# Reports.


@pytest.fixture
def shared(log):
    """Return a work, and the agreement over it from 100 until before 1000."""
    of = counts(log, work(ANNA))
    return of, counts(log, agreement([of], [ANNA, BEN], effectiveFrom=100, effectiveUntil=1000))


def test_a_report_is_the_payers(log, shared):
    of, _ = shared
    for account in (ANNA, BEN, STRANGER):
        assert refused(log, report(of, 100, 200, payer=account)) == (
            "report.not_the_payer",
            {"payer": to_hex(account)},
        )
    assert refused(log, report(of, 100, 200), [ANNA])[0] == "signature.missing"
    counts(log, report(of, 100, 200))


def test_a_report_on_what_nobody_agreed_about(log, shared):
    of, _ = shared
    other = counts(log, work(ANNA))
    unclaimed = counts(log, upload())
    assert refused(log, report(other, 100, 200))[0] == "report.no_agreement"
    assert refused(log, report(of, 0, 100))[0] == "report.no_agreement"
    assert refused(log, report(of, 1000, 1100))[0] == "report.no_agreement"
    assert refused(log, report(HASH, 100, 200))[0] == "work.unknown"
    assert refused(log, report(unclaimed, 100, 200))[0] == "work.unclaimed"


def test_a_straddling_report_is_refused_and_names_the_instant(log, shared):
    of, first = shared
    assert refused(log, report(of, 99, 200)) == ("report.straddles", {"time": 100})
    assert refused(log, report(of, 900, 1001)) == ("report.straddles", {"time": 1000})
    assert refused(log, report(of, 100, 1001)) == ("report.straddles", {"time": 1000})
    second = counts(log, agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=500, effectiveUntil=700))
    assert refused(log, report(of, 400, 600)) == ("report.straddles", {"time": 500})
    assert refused(log, report(of, 400, 800)) == ("report.straddles", {"time": 500})
    one, two = counts(log, report(of, 400, 500)), counts(log, report(of, 500, 600))
    assert [fold(log).reports[digest].agreement for digest in (one, two)] == [first, second]


def test_a_report_straddles_the_instant_of_a_termination(log, shared):
    of, first = shared
    counts(log, termination(first, 300), [ANNA, BEN])
    assert refused(log, report(of, 200, 400)) == ("report.straddles", {"time": 300})
    assert refused(log, report(of, 300, 400))[0] == "report.no_agreement"
    counts(log, report(of, 200, 300))


@pytest.mark.parametrize(("start", "end"), [(200, 300), (199, 201), (299, 300), (250, 260), (100, 400)])
def test_a_period_is_reported_once(log, shared, start, end):
    of, _ = shared
    first = counts(log, report(of, 200, 300))
    assert refused(log, report(of, start, end)) == ("report.overlaps", {"other": to_hex(first)})
    counts(log, report(of, 100, 200))
    counts(log, report(of, 300, 400))


def test_periods_of_different_works_do_not_meet(log):
    one, two = counts(log, work(ANNA)), counts(log, work(ANNA))
    counts(log, agreement([one, two], [ANNA, BEN]))
    counts(log, report(one, 0, 100))
    counts(log, report(two, 50, 150))


def test_a_payer_reports_no_period_that_is_not_over(log):
    # They could otherwise report until the end of time, and no amendment could ever begin.
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    assert refused(log, report(of, 0, 2**63))[0] == "report.not_over"
    assert refused(log, report(of, 0, log.time + 601)) == ("report.not_over", {"time": NOW + 601})
    counts(log, report(of, 0, log.time + 600))
    counts(log, agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=log.time + 600))


def test_an_agreement_has_one_currency_and_another_may_have_another(log, shared):
    of, first = shared
    paid = counts(log, report(of, 100, 200))
    differs = ("report.currency", {"expected": "CNY", "actual": "EUR"})
    assert refused(log, report(of, 200, 300, currency="EUR")) == differs
    assert refused(log, report(of, 100, 200, currency="EUR", corrects=paid)) == differs
    counts(log, agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=200, effectiveUntil=1000))
    counts(log, report(of, 200, 300, currency="EUR"))


def test_a_correction_is_of_the_last_word_on_the_same_work_and_period(log, shared):
    of, first = shared
    other = counts(log, work(ANNA))
    counts(log, agreement([other], [ANNA, BEN]))
    paid = counts(log, report(of, 100, 200, 100))
    assert refused(log, report(of, 100, 200, corrects=HASH))[0] == "report.corrects_unknown"
    for different in (report(of, 100, 201, corrects=paid), report(of, 101, 200, corrects=paid)):
        assert refused(log, different)[0] == "report.corrects_another"
    assert refused(log, report(other, 100, 200, corrects=paid))[0] == "report.corrects_another"
    second = counts(log, report(of, 100, 200, 90, corrects=paid))
    assert refused(log, report(of, 100, 200, corrects=paid)) == ("report.corrected", {"other": to_hex(second)})
    third = counts(log, report(of, 100, 200, -5, corrects=second))
    state = fold(log)
    assert [rules.standing(state, each, NOW).code for each in (paid, second, third)] == [
        "report.is_corrected",
        "report.is_corrected",
        "report.counts",
    ]
    assert [change.amount for change in changes(state, first)] == [100, -10, -95]


def test_a_report_of_before_an_amendment_is_corrected_after_it(log, shared):
    of, first = shared
    paid = counts(log, report(of, 100, 200))
    counts(log, agreement([of], [ANNA, BEN], supersedes=first, effectiveFrom=200))
    again = counts(log, report(of, 100, 200, 7, corrects=paid))
    assert fold(log).reports[again].agreement == first


def test_one_payer_does_not_correct_what_another_reported(log):
    # Two payers may pay for one work; the one would take revenue out of what the other shares.
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    second = counts(log, agreement([of], [ANNA, CLEO], payer=STRANGER))
    paid = counts(log, report(of, 0, 100, 5000))
    meddling = report(of, 0, 100, 0, corrects=paid, payer=STRANGER)
    assert refused(log, meddling) == ("report.corrects_another", {"report": to_hex(paid)})
    state = fold(log)
    assert changes(state, second) == []
    assert [change.amount for change in changes(state, first)] == [5000]
    counts(log, report(of, 0, 100, 10, payer=STRANGER))


# Rotations.


def test_the_holder_is_asked_at_an_instant(log):
    counts(log, rotation(ANNA, NEW))
    log.time += 10
    counts(log, rotation(NEW, NEWER))
    state = fold(log)
    found = [state.holder(ANNA, at) for at in (NOW - 1, NOW, NOW + 9, NOW + 10)]
    assert found == [ANNA, NEW, NEW, NEWER]
    assert state.holder(NEW, NOW - 1) == NEW


def test_the_successor_of_a_creator_is_the_party_and_the_old_key_signs_nothing(log):
    of = counts(log, work(ANNA))
    counts(log, rotation(ANNA, NEW))
    away = ("account.rotated_away", {"account": to_hex(ANNA), "holder": to_hex(NEW)})
    assert refused(log, agreement([of], [ANNA, BEN])) == away
    assert refused(log, work(ANNA)) == away
    assert refused(log, rotation(ANNA, NEWER)) == away
    assert refused(log, agreement([of], [BEN, CLEO]))[0] == "agreement.creator_missing"
    counts(log, agreement([of], [BEN, NEW]))


def test_a_signature_given_before_a_rotation_does_not_complete_an_agreement_after_it(log):
    of = counts(log, work(ANNA))
    shared = agreement([of], [ANNA, BEN])
    counts(log, rotation(BEN, NEW))
    assert refused(log, shared)[0] == "account.rotated_away"


def test_the_successor_of_a_party_amends_leaves_terminates_and_cancels(log):
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN]))
    counts(log, rotation(BEN, NEW))
    assert refused(log, termination(first, NOW), [ANNA, BEN])[0] == "account.rotated_away"
    assert refused(log, agreement([of], [ANNA, CLEO], supersedes=first))[1] == {"account": to_hex(NEW)}
    leaving = agreement([of], [ANNA, CLEO], supersedes=first, leaving=(NEW,))
    note = counts(log, cancellation(wanted := log.name()), [NEW])
    assert refused(log, leaving, digest=wanted)[1] == {"other": to_hex(note)}
    second = counts(log, leaving)
    counts(log, rotation(CLEO, NEWER))
    counts(log, termination(second, NOW), [ANNA, NEWER])


def test_the_successor_of_a_payer_is_the_same_payer(log, shared):
    of, _ = shared
    paid = counts(log, report(of, 100, 200))
    counts(log, rotation(PAYER, NEW))
    assert refused(log, report(of, 200, 300))[0] == "account.rotated_away"
    assert refused(log, report(of, 150, 250, payer=NEW))[0] == "report.overlaps"
    counts(log, report(of, 100, 200, 50, payer=NEW, corrects=paid))
    counts(log, report(of, 200, 300, payer=NEW))
    for payer in (PAYER, NEW):
        again = agreement([of], [ANNA, BEN], effectiveFrom=300, effectiveUntil=400, payer=payer)
        assert refused(log, again)[0] == "agreement.stale"


def test_the_successor_of_a_platform_confirms(log):
    of = counts(log, upload())
    mine = counts(log, claim(of, ANNA))
    counts(log, rotation(PLATFORM, NEW))
    assert refused(log, countersignature(mine, PLATFORM))[0] == "account.rotated_away"
    counts(log, rotation(ANNA, NEWER))
    counts(log, countersignature(mine, NEW))
    counts(log, agreement([of], [BEN, NEWER]))


def test_a_rotation_to_somebody_and_a_circle(log):
    counts(log, work(ANNA))
    assert refused(log, rotation(BEN, ANNA)) == ("rotation.to_somebody", {"account": to_hex(ANNA)})
    counts(log, rotation(ANNA, NEW))
    assert refused(log, rotation(NEW, ANNA))[0] == "account.rotated_away"
    counts(log, rotation(NEW, NEWER))
    assert refused(log, rotation(NEWER, NEW))[0] == "account.rotated_away"
    assert refused(log, rotation(CLEO, NEWER))[0] == "rotation.to_somebody"
    assert fold(log).holder(ANNA, NOW) == NEWER


def test_who_signed_what_does_not_count_is_somebody_too(log):
    refused(log, claim(HASH, ANNA))
    log.add(work(BEN), body=False)
    for account in (ANNA, BEN):
        assert refused(log, rotation(CLEO, account))[0] == "rotation.to_somebody"


def test_a_rotation_does_not_make_one_payer_of_two(log):
    # A payer signs no agreement. Were it nobody, another payer could be rotated to it, and two agreements would be in
    # force for one work and one payer.
    of = counts(log, work(ANNA))
    first = counts(log, agreement([of], [ANNA, BEN], payer=PAYER))
    second = counts(log, agreement([of], [ANNA, CLEO], payer=STRANGER))
    assert refused(log, rotation(PAYER, STRANGER))[0] == "rotation.to_somebody"
    assert [in_force(log, of, payer) for payer in (PAYER, STRANGER)] == [first, second]


def test_a_rotation_is_signed_by_both(log):
    for accounts in ([ANNA], [NEW]):
        assert refused(log, rotation(ANNA, NEW), accounts)[0] == "signature.missing"
    assert fold(log).holder(ANNA, NOW) == ANNA


# The fold.


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
