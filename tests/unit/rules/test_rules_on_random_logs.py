"""Random logs come to what a second, naive reading of the requirements says."""

from __future__ import annotations

import copy
import dis
import inspect
import itertools
import random
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models.naive_rights import OPEN
from support.models.rights_log import (
    ANNA,
    BEN,
    PAYER,
    PLATFORM,
    TICK,
    Log,
    RandomLog,
    agreement,
    claim,
    countersignature,
    person,
    report,
    rotation,
    upload,
    work,
)
from support.worlds.logs.short_log import changes, covering_in

from deedlog.registry.errors import InvalidData
from deedlog.registry.rules import accounts as rules_of_accounts
from deedlog.registry.rules import agreements as rules_of_agreements
from deedlog.registry.rules import fold
from deedlog.registry.rules import state as rules_of_state
from deedlog.registry.rules import works as rules_of_works
from deedlog.registry.rules.state import State

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
            code = fold.standing(state, fact.digest, at).code
            assert code == rights.stands(fact, at), (fact, at)
            codes[code] += 1
    return codes


def run(log, steps):
    """Fold a random log as it grows; return the codes met."""
    state, codes = State(), Counter()
    for fact in log.steps(steps):
        fold.apply(state, fact)
        codes[compare_standing(state, log, fact)] += 1
    return codes + compare_all(state, log)


def raises_of(module):
    """Return where the functions of a module raise an error: (function, line)."""
    codes = [each.__code__ for each in functions_of(module)]
    codes = [code for code in codes if code.co_filename == module.__file__]
    for code in codes:
        codes += [each for each in code.co_consts if inspect.iscode(each)]
    found = set()
    for code in codes:
        for instruction in dis.get_instructions(code):
            if instruction.opname == "RAISE_VARARGS" and instruction.arg == 1:
                found.add((code.co_qualname, instruction.positions.lineno))
    return found


def functions_of(module):
    """Yield the functions of a module and of its classes, those included that a decorator has made."""
    for each in vars(module).values():
        if getattr(each, "__module__", None) == module.__name__:
            if inspect.isfunction(each):
                yield each
            elif inspect.isclass(each):
                yield from filter(inspect.isfunction, vars(each).values())


def test_random_logs_come_to_what_the_naive_model_says_and_meet_every_rule(monkeypatch):
    raised = set()
    plain = InvalidData.__init__

    def noting(self, code, **params):
        caller = sys._getframe(1)
        raised.add((caller.f_code.co_qualname, caller.f_lineno))
        plain(self, code, **params)

    monkeypatch.setattr(InvalidData, "__init__", noting)
    codes = Counter()
    for seed in range(80):
        codes += run(RandomLog(random.Random(seed)), 120)
    assert set(codes) == REFUSALS | STANDINGS
    # A rule that no random log breaks has not been compared with the model.
    for module in (rules_of_accounts, rules_of_agreements, rules_of_works, rules_of_state):
        found = raises_of(module)
        assert found, module
        assert found <= raised, found - raised


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_short_random_logs_come_to_what_the_naive_model_says(chance, steps):
    run(RandomLog(chance), steps)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_random_logs_come_to_what_the_naive_model_says():
    for seed in range(1000, 3000):
        run(RandomLog(random.Random(seed)), random.Random(-seed).choice((40, 150, 300)))


def test_a_prefix_of_a_log_is_the_log_at_the_time_of_its_last_entry():
    log = RandomLog(random.Random(7))
    facts = list(log.steps(150))
    for first, after in itertools.pairwise(facts):
        if first.time < after.time:
            assert fold.state(facts, first.time) == fold.state(facts[: facts.index(after)])
    assert fold.state(facts, facts[0].time - 1) == State()
    assert fold.state(facts) == fold.state(facts, log.time)


def test_asking_changes_nothing_and_answers_what_folding_says():
    log = RandomLog(random.Random(8))
    state = State()
    for fact in log.steps(150):
        before = copy.deepcopy(state)
        try:
            lacking = fact.statement is None and fold.RULES[fact.kind].needs_body
            asked = "standing.no_body" if lacking else fold.check(state, fact) or "standing.counts"
        except InvalidData as error:
            asked = error.code
        assert state == before
        repeated = fact.digest in state.standings
        fold.apply(state, fact)
        if repeated:
            assert state == before
            continue
        assert state.standings[fact.digest].code == asked
        if not state.standings[fact.digest].counts:
            for member in ("successions", "works", "claims", "contributions", "cancellations", "agreements", "reports"):
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
            fold.state(log.facts)
        finally:
            sys.settrace(before)
        return ran

    assert lines(400) < 2.5 * lines(200)
