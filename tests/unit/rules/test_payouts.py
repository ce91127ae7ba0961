"""Payouts: to the last unit what exact fractions say, nothing lost and nothing made, and from one's own line alone."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models.rights_log import ANNA, BEN, CLEO, HASH, report

from deedlog.registry.rules.payouts import Change, Payout, changes, closing, own, payouts, to_date
from deedlog.registry.statements.agreements import WHOLE

MOST = 2**255 - 1
LEAST = -(2**255)


@st.composite
def shares(draw):
    """Return ppm by party, each at least one, that come to the whole."""
    count = draw(st.integers(2, 64))
    cuts = draw(st.sets(st.integers(1, WHOLE - 1), min_size=count - 1, max_size=count - 1))
    bounds = [0, *sorted(cuts), WHOLE]
    accounts = draw(st.permutations([bytes([number]) * 20 for number in range(1, count + 1)]))
    return {account: after - before for account, before, after in zip(accounts, bounds, bounds[1:], strict=False)}


few = settings(max_examples=40, deadline=None)

amounts = st.one_of(
    st.integers(-20, 20),
    st.integers(-(10**7), 10**7),
    st.integers(LEAST, MOST),
    st.sampled_from([0, 1, -1, WHOLE - 1, WHOLE, WHOLE + 1, MOST, LEAST]),
)
periods = st.lists(amounts, max_size=12)


def revenue(amounts_of_reports):
    return [Change(number.to_bytes(32, "big"), amount) for number, amount in enumerate(amounts_of_reports)]


def exact(ppm, total):
    """Return what a share of all revenue would be, were money divisible."""
    return Fraction(ppm, 1_000_000) * total


@few
@given(shares(), periods)
def test_each_payee_has_had_what_exact_fractions_say_rounded_down_after_every_report(parts, reported):
    had = dict.fromkeys(parts, 0)
    for row, total in zip(payouts(parts, revenue(reported)), accumulate(reported), strict=True):
        for payee, ppm in parts.items():
            had[payee] += row.paid[payee]
            assert had[payee] == floor(exact(ppm, total)) == to_date(total, ppm)


@few
@given(shares(), periods)
def test_what_is_paid_and_what_is_carried_more_are_the_amount_always(parts, reported):
    before = 0
    for row, amount in zip(payouts(parts, revenue(reported)), reported, strict=True):
        assert sum(row.paid.values()) + row.carried - before == amount == row.change.amount
        assert 0 <= row.carried < len(parts)
        before = row.carried


@few
@given(shares(), periods)
def test_ones_own_line_gives_the_payouts_of_the_whole_body(parts, reported):
    rows = payouts(parts, revenue(reported))
    for payee, ppm in parts.items():
        assert own(ppm, revenue(reported)) == [row.paid[payee] for row in rows]


@few
@given(shares(), periods)
def test_at_the_end_all_that_is_carried_is_shared_out_by_the_largest_remainder(parts, reported):
    total = sum(reported)
    rows = payouts(parts, revenue(reported))
    last = closing(parts, revenue(reported))
    assert set(last) == set(parts)
    assert set(last.values()) <= {0, 1}
    assert sum(last.values()) == (rows[-1].carried if rows else 0)
    for payee, ppm in parts.items():
        rest = exact(ppm, total) % 1
        assert not last[payee] or rest > 0, "somebody gets more than a unit above their share"
        for other, theirs in parts.items():
            if last[payee] > last[other]:
                assert (-rest, payee) < (-(exact(theirs, total) % 1), other)
        # In the end nobody is a whole unit away from what they are due.
        assert abs(sum(row.paid[payee] for row in rows) + last[payee] - exact(ppm, total)) < 1
    assert sum(sum(row.paid.values()) for row in rows) + sum(last.values()) == total


@few
@given(shares(), periods)
def test_the_order_of_the_parties_changes_nothing(parts, reported):
    turned = dict(reversed(parts.items()))
    assert payouts(turned, revenue(reported)) == payouts(parts, revenue(reported))
    assert closing(turned, revenue(reported)) == closing(parts, revenue(reported))


@few
@given(st.integers(1, WHOLE), periods, periods)
def test_a_period_reported_in_parts_pays_in_all_what_it_pays_at_once(ppm, before, parts):
    whole = own(ppm, revenue([*before, sum(parts)]))
    assert sum(own(ppm, revenue([*before, *parts]))[len(before) :]) == whole[-1]


@few
@given(shares(), periods)
def test_the_order_of_the_reports_changes_no_payout_to_date(parts, reported):
    there, back = payouts(parts, revenue(reported)), payouts(parts, revenue(reversed(reported)))
    for payee in parts:
        assert sum(row.paid[payee] for row in there) == sum(row.paid[payee] for row in back)
    assert closing(parts, revenue(reported)) == closing(parts, revenue(reversed(reported)))


@few
@given(shares(), amounts)
def test_a_refund_of_everything_leaves_nobody_with_anything(parts, amount):
    rows = payouts(parts, revenue([amount, -amount]))
    assert all(sum(row.paid[payee] for row in rows) == 0 for payee in parts)
    assert rows[-1].carried == 0
    assert set(closing(parts, revenue([amount, -amount])).values()) == {0}


@few
@given(st.lists(st.tuples(amounts, st.booleans()), max_size=12))
def test_what_reports_add_comes_to_the_last_word_on_each_period(said):
    # Each report is of a new period, or corrects the last one.
    reports, words = [], []
    for number, (amount, corrects) in enumerate(said):
        digest = bytes([number + 1]) * 32
        if corrects and reports:
            reports.append((digest, report(HASH, 0, 1, amount, corrects=reports[-1][0])))
            words[-1] = amount
        else:
            reports.append((digest, report(HASH, 0, 1, amount)))
            words.append(amount)
    found = changes(reports)
    assert [change.report for change in found] == [digest for digest, _ in reports]
    assert sum(change.amount for change in found) == sum(words)


@few
@given(shares(), periods)
def test_no_float_comes_near_money(parts, reported):
    for row in payouts(parts, revenue(reported)):
        assert isinstance(row.carried, int)
        assert all(type(value) is int for value in row.paid.values())
    assert all(type(value) is int for value in closing(parts, revenue(reported)).values())


def test_an_example_to_the_last_unit():
    # A third each is 333,333 and one has 333,334 parts. 100 units: 33 each, one carried; twice that: 66, 66, 66, two.
    parts = {ANNA: 333_333, BEN: 333_333, CLEO: 333_334}
    first, second, third = revenue([100, 100, -50])
    assert payouts(parts, [first, second, third]) == [
        Payout(first, {ANNA: 33, BEN: 33, CLEO: 33}, 1),
        Payout(second, {ANNA: 33, BEN: 33, CLEO: 33}, 2),
        Payout(third, {ANNA: -17, BEN: -17, CLEO: -16}, 2),
    ]


@pytest.mark.parametrize(
    ("total", "last"),
    [
        (0, {ANNA: 0, BEN: 0, CLEO: 0}),
        (1, {ANNA: 0, BEN: 0, CLEO: 1}),  # the largest part
        (2, {ANNA: 1, BEN: 0, CLEO: 1}),  # then, of two that are equal, the lower account
        (-1, {ANNA: 1, BEN: 1, CLEO: 0}),  # floor gave -1 each: two come back to the smaller parts
        (3, {ANNA: 1, BEN: 1, CLEO: 0}),  # 0.999999 twice, and 1.000002
    ],
)
def test_the_largest_remainder_by_hand(total, last):
    assert closing({CLEO: 333_334, BEN: 333_333, ANNA: 333_333}, revenue([total])) == last


def test_one_part_in_a_million_of_the_largest_amount():
    reported = revenue([MOST, MOST, LEAST])
    assert own(1, reported)[0] == MOST // WHOLE
    assert sum(own(1, reported)) == (2 * MOST + LEAST) // WHOLE
    assert own(WHOLE, reported) == [MOST, MOST, LEAST]


def test_nothing_reported_pays_nothing():
    assert payouts({ANNA: 1, BEN: WHOLE - 1}, []) == []
    assert closing({ANNA: 1, BEN: WHOLE - 1}, []) == {ANNA: 0, BEN: 0}
    assert changes([]) == []
