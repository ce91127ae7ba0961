"""The rules of agreements, amendments, terminations and reports: each promise and attack by name."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from support.models.rights_log import (
    ANNA,
    BEN,
    CLEO,
    DORA,
    HASH,
    NOW,
    PAYER,
    STRANGER,
    agreement,
    cancellation,
    contribution,
    report,
    termination,
    upload,
    work,
)
from support.worlds.logs.short_log import changes, counts, fold, in_force, refused

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules import fold as rules
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, check, sign

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
