"""A registry asks its rules about a part of its log only; what it answers is what the naive model says of all of it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sqlalchemy import update
from support.models.rights_log import (
    ANNA,
    BEN,
    CLEO,
    NEW,
    PAYER,
    STRANGER,
    Log,
    RandomLog,
    agreement,
    report,
    rotation,
    work,
)
from support.worlds.registries import shares_world
from support.worlds.registries.registry_world import open_world
from support.worlds.registries.shares_world import equal, people

from deedlog.registry.acceptance.accept import Submitter, WriteRequest, accept_checked
from deedlog.registry.acceptance.submission import SignedStatement
from deedlog.registry.errors import DeedlogError
from deedlog.registry.rules import fold
from deedlog.registry.statements.signatures import Signature
from deedlog.registry.store import partial_state
from deedlog.registry.store import statements as store
from deedlog.registry.store.tables import STATEMENT


class Registry:
    """A registry that logs at once what it accepts. Signatures are not checked here."""

    def __init__(self, database):
        self.database = database
        self.logged = 0

    def send(self, fact):
        """Return the code of the answer: `accepted`, `known`, or why not."""
        statement = fact.statement
        if hasattr(statement, "contentHash"):
            statement = replace(statement, contentHash=fact.digest)  # or it were a repeat
        signatures = tuple(Signature(account, bytes(65)) for account in fact.accounts)
        sent = SignedStatement(statement, fact.digest, signatures, None, None, None)
        [[answer]] = accept_checked(self.database, [WriteRequest([sent.checked()], Submitter(), fact.time)])
        if isinstance(answer, DeedlogError):
            return answer.code
        if answer.outcome == "accepted":
            found = {"log_index": self.logged, "logged_at": fact.time}
            with self.database.write() as connection:
                connection.execute(update(STATEMENT).where(STATEMENT.c.digest == fact.digest).values(found))
            self.logged += 1
        return answer.outcome


class StrictLog(RandomLog):
    """A random log of what a registry accepts: what is refused is in no log, and who signed it is nobody by that."""

    def cancellation(self):
        """Say nothing: a registry takes one only for a draft that it has."""

    def bodiless(self):
        """Say nothing: whoever sends a statement sends its body."""

    def say(self, statement, accounts=None, digest=None):
        """Say it with the signatures that it needs: what lacks one is refused before the rules are asked."""
        return self.add(statement, accounts, digest=digest)

    def sent(self, count):
        """Yield each statement that is sent, and the reasons to refuse it; None for one that is sent again."""
        for fact in self.steps(count):
            known = [earlier for earlier in self.facts if earlier.digest == fact.digest][:-1]
            reasons = self.rights.reasons[fact.digest]
            yield fact, None if known else reasons
            if known or reasons:
                self.facts.pop()
            if reasons and not known:
                self.rights.seen.remove(fact)


def compare(database, seed, steps):
    registry, log = Registry(database), StrictLog(random.Random(seed))
    for fact, reasons in log.sent(steps):
        answer = registry.send(fact)
        assert answer in ({"known"} if reasons is None else reasons or {"accepted"}), (fact, reasons)
    with database.read() as connection:
        for fact in log.rights.counted:
            state = partial_state.state_around(connection, [fact.digest], fact.accounts)
            assert fold.standing(state, fact.digest, log.time).code == log.rights.stands(fact, log.time), fact


def test_a_registry_answers_what_the_naive_model_says_of_its_whole_log(database):
    compare(database, 1, 80)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 20))
def test_a_registry_answers_what_the_naive_model_says_of_longer_logs(database, seed):
    compare(database, seed, 200)


def test_the_payers_of_agreements_are_known_by_their_rotations(database):
    # A payer signs no agreement, so that none of its signers leads to it.
    registry, log = Registry(database), Log()

    def answer(statement):
        log.add(statement)
        return registry.send(log.facts[-1])

    assert answer(work(ANNA)) == "accepted"
    of = log.facts[-1].digest
    assert answer(agreement([of], [ANNA, BEN], effectiveUntil=1000)) == "accepted"
    assert answer(rotation(PAYER, NEW)) == "accepted"
    assert answer(report(of, 0, 100, payer=NEW)) == "accepted"
    assert answer(agreement([of], [ANNA, CLEO], payer=NEW, effectiveFrom=500)) == "agreement.stale"
    assert answer(agreement([of], [ANNA, CLEO], payer=NEW, effectiveFrom=1000)) == "accepted"
    assert answer(agreement([of], [ANNA, CLEO], payer=PAYER, effectiveFrom=2000)) == "agreement.stale"
    assert answer(agreement([of], [ANNA, CLEO], payer=STRANGER, effectiveFrom=2000)) == "accepted"
    assert answer(rotation(NEW, STRANGER)) == "rotation.to_somebody"


def test_an_agreement_accepted_in_time_is_in_force_however_late_it_is_logged(database):
    world = open_world(database)
    world.now = shares_world.now()
    anna, ben, payer = people(3)
    of = world.accept(shares_world.work(anna), anna.key).digest
    made = shares_world.agreement([of], equal([anna, ben]), payer, acceptBy=world.now, effectiveFrom=world.now)
    digest = world.accept(made, anna.key, ben.key).digest

    def stands():
        with database.read() as connection:
            kept = store.by_digest(connection, digest)
            return fold.standing(partial_state.state_of(connection, [kept]), digest, world.now).code

    world.now += 600
    assert stands() == "agreement.is_in_force"
    assert world.sequence() == 2
    assert stands() == "agreement.is_in_force"
    late = shares_world.agreement([of], equal([anna, ben]), payer, acceptBy=world.now - 1, effectiveFrom=world.now)
    assert world.accept(late, anna.key, ben.key).code == "agreement.expired"


def test_what_comes_second_is_never_accepted_earlier_whatever_the_clocks(database):
    world = open_world(database)
    noon = world.now = shares_world.now()
    anna, ben, payer = people(3)
    of = world.accept(shares_world.work(anna), anna.key).digest
    world.now = noon + 5  # another process, whose clock is ahead
    world.accept(shares_world.work(ben), ben.key)
    world.now = noon
    late, made = (
        shares_world.agreement([of], equal([anna, ben]), payer, acceptBy=noon + more, effectiveFrom=noon)
        for more in (4, 5)
    )
    assert world.accept(late, anna.key, ben.key).code == "agreement.expired"
    digest = world.accept(made, anna.key, ben.key).digest
    world.sequence()
    with database.read() as connection:
        state = partial_state.state_of(connection, [store.by_digest(connection, digest)])
    assert fold.standing(state, digest, world.now).code == "agreement.is_in_force"
