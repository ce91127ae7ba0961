"""Random people do random things at a real registry, with real keys, right and wrong; a naive model says what of it.

After each step the registry's answer, its drafts as everybody sees them, and at the end all that its log comes to, are
what `NaiveRegistry` says.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from support.models.naive_drafts import claim_of, fact_of
from support.models.random_letters import TICK
from support.models.random_people import RandomPeople, reason
from support.worlds.databases.dialects import DIALECTS
from support.worlds.registries.registry_world import NOW, PLATFORM, World, open_world, person, salt

from deedlog.anchor.fsck.database import check_database
from deedlog.anchor.verify.disclosure import open_line
from deedlog.anchor.verify.payout_check import own_payouts
from deedlog.registry.acceptance import drafts
from deedlog.registry.acceptance.submission import check_sent
from deedlog.registry.errors import DeedlogError
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules import fold, payouts
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements import (
    KINDS,
    Rotation,
    Work,
)
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.statements.vocabulary import NONE
from deedlog.registry.store import drafts as draft_store
from deedlog.registry.store import partial_state
from deedlog.registry.store import statements as store
from deedlog.registry.store.database import Database


class People(RandomPeople):
    """Random people, each of whose acts is compared with the naive model."""

    def judge(self, letter, answer):
        """Compare an answer with those that the model allows, and let the model take it."""
        allowed = self.model.answers(letter, self.now)
        code = answer.code if isinstance(answer, DeedlogError) else answer.outcome
        assert code in allowed, (letter.kind, letter.draft, code, allowed)
        if isinstance(answer, DeedlogError):
            self.judge_reason(letter, answer)
        else:
            signers = letter.statement.signers()
            first = self.model.claims[claim_of(letter.statement, signers)] if code == "repeat" else letter.digest
            assert answer.digest == first
        self.model.take(letter, code, self.now)
        if letter.draft and not isinstance(answer, DeedlogError):
            draft = self.model.drafts.get(letter.digest)
            assert set(answer.missing) == (self.model.missing(draft, self.now) if draft else set())
        self.sent.append(letter)

    def judge_reason(self, letter, error):
        """What is in the way is named."""
        fact = fact_of(letter, letter.accounts, self.now)
        said = letter.statement
        if error.code == "agreement.stale":
            met = [other for other in self.rights.of("Agreement") if self.rights.would_meet(fact, said, other)]
            assert error.params["other"] in [to_hex(other.digest) for other in met]
        if error.code == "report.straddles":
            payer = self.rights.holder(said.payer, self.now)
            mine = [
                each
                for each in self.rights.of("Agreement")
                if said.work in each.statement.works and self.rights.holder(each.statement.payer, self.now) == payer
            ]
            assert error.params["time"] == self.rights.changes_within(mine, said)[0]
        if error.code in ("agreement.superseded", "agreement.terminated"):
            digest = said.supersedes if letter.kind == "Agreement" else said.agreement
            find = self.rights.amendment if error.code == "agreement.superseded" else self.rights.termination
            assert error.params["other"] == to_hex(find(self.rights.find("Agreement", digest)).digest)

    # What is compared.

    @invariant()
    def drafts_are_what_their_parties_see(self):
        state = (
            self.now,
            len(self.sent),
            [(digest, *draft["declined"]) for digest, draft in self.model.drafts.items()],
        )
        if self.seen == state:
            return
        self.broken, self.seen = True, state
        # A few in turn, for this takes longest: all of them at the end.
        turn = len(self.sent)
        readers, digests = list(self.keys), list(self.model.drafts)
        digests = {*digests[-2:], *digests[turn % 4 :: 4]}
        self.compare_drafts([readers[turn % len(readers)]], digests)
        self.broken = False

    def compare_drafts(self, readers, digests):
        """Compare these drafts, and the list of all that each of these accounts sees."""
        mine = self.model.drafts
        with self.world.database.read() as connection:
            for digest in digests:
                self.compare_draft(connection, draft_store.by_digest(connection, digest), mine[digest])
            for account in readers:
                found = [draft.digest for draft in draft_store.search(connection, account, 0)]
                assert found == [each for each, draft in mine.items() if self.model.reads(account, draft, self.now)]
                for digest in list(digests)[-2:]:
                    self.compare_reading(connection, digest, account)

    def compare_draft(self, connection, draft, expected):
        assert draft.statement == expected["letter"].statement
        state, reason = drafts.state_of(connection, draft, self.now)
        allowed = self.model.states(expected, self.now)
        assert state in allowed, (draft.statement.kind, state, allowed)
        if reason is not None:
            assert reason.code in self.model.against_draft(expected["letter"], self.now)
        assert set(draft.missing) == self.model.missing(expected, self.now)

    def compare_reading(self, connection, digest, account):
        may = self.model.reads(account, self.model.drafts[digest], self.now)
        why_not = reason(lambda: drafts.readable(connection, digest, account))
        assert why_not == (None if may else "draft.unknown")

    def teardown(self):
        if self.broken:
            return
        self.deliver()
        self.compare_drafts(self.keys, self.model.drafts)
        self.world.sequence()
        facts = logged(self.world)
        assert [(fact.digest, fact.kind, fact.accounts, fact.time) for fact in facts] == [
            (fact.digest, fact.kind, fact.accounts, fact.time) for fact in self.rights.counted
        ]
        state = fold.state(facts)
        for fact in self.rights.counted:
            for at in {self.now, self.now - TICK, self.now + 3 * TICK}:
                assert fold.standing(state, fact.digest, at).code == self.rights.stands(fact, at)
        self.compare_people_and_works(state)
        self.compare_agreements(state)
        with self.world.database.read() as connection:
            for fact in filter(lambda fact: fold.changes_later(fact.kind), self.rights.counted):
                near = partial_state.state_of(connection, [store.by_digest(connection, fact.digest)])
                assert fold.standing(near, fact.digest, self.now) == fold.standing(state, fact.digest, self.now)
        check_database(self.world.database, self.world.identity)

    def compare_people_and_works(self, state):
        for account in self.keys:
            for at in {NOW, self.now, *(fact.time for fact in self.rights.of("Rotation"))}:
                assert state.holder(account, at) == self.rights.holder(account, at)
            assert state.is_rotated(account) == (self.rights.successor(account) is not None)
        for digest, work in state.works.items():
            assert list(work.creators) == self.rights.creators(digest)

    def compare_agreements(self, state):
        assert set(state.agreements) == {fact.digest for fact in self.rights.of("Agreement")}
        assert set(state.reports) == {fact.digest for fact in self.rights.of("RevenueReport")}
        for fact in self.rights.of("Agreement"):
            found = state.agreements[fact.digest]
            reports = self.rights.reports_under(fact, self.now)
            assert found.reports == [report.digest for report in reports]
            assert found.end == self.rights.end(fact)
            for work in fact.statement.works:
                for at in {self.rights.start(fact), self.now, self.rights.end(fact) - 1}:
                    assert len(self.rights.covering(work, fact.statement.payer, at, self.now)) <= 1
            self.compare_payouts(fact, reports, state)

    def compare_payouts(self, fact, reports, state):
        """Each party's own payouts, from their line alone, are those that the whole body gives, and come to all."""
        shares = {share.party: share.ppm for share in fact.statement.shares}
        changes = payouts.changes([(report.digest, state.reports[report.digest].report) for report in reports])
        rows = payouts.payouts(shares, changes)
        revenue = self.rights.revenue(fact, self.now)
        assert sum(change.amount for change in changes) == revenue
        for party, ppm in shares.items():
            assert sum(row.paid[party] for row in rows) == revenue * ppm // WHOLE
        if rows:
            assert 0 <= rows[-1].carried < len(shares)
            assert sum(payouts.closing(shares, changes).values()) == rows[-1].carried
            self.compare_own_line(fact, reports, rows)

    def compare_own_line(self, fact, reports, rows):
        whole = self.world.bundle(fact.digest)
        line = {fact.statement.payer}
        rotations = []
        for each in self.rights.of("Rotation"):
            if each.statement.from_ in line:
                rotations.append(each)
                line.add(each.statement.to)
        beside = [self.world.bundle(each.digest) for each in (*reports, *rotations)]
        for party in fact.statement.parties:
            own = own_payouts(open_line(whole, party), beside, None, None, ())
            assert own.account == party
            assert own.paid == [row.paid[party] for row in rows]


def logged(world: World):
    """Return all entries of the log, in its order."""
    found, after = [], 0
    with world.database.read() as connection:
        while page := store.search(connection, store.Filter(), after):
            found += page
            after = page[-1].id
    return [
        Fact(
            kept.digest,
            kept.kind,
            tuple(signature.account for signature in kept.parsed_entry().signatures),
            kept.parsed_entry().subjects,
            kept.logged_at,
            KINDS[kept.kind].from_message(kept.message),
        )
        for kept in sorted(found, key=lambda kept: kept.log_index)
    ]


@pytest.fixture
def world(database_url):
    database = Database(database_url)
    yield open_world(database)
    database.close()


FEW = settings(max_examples=5, stateful_step_count=40, phases=[Phase.generate], database=None)
"""Not made smaller where they fail: that takes longer than a test may."""

MANY = settings(max_examples=400, stateful_step_count=60, phases=[Phase.generate, Phase.shrink], database=None)


def test_whatever_people_do_the_registry_answers_as_the_naive_model_does(world):
    let_people_act(world, FEW, 1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_many_people_do_for_long_the_registry_answers_as_the_naive_model_does(world):
    let_people_act(world, MANY, 2)


def let_people_act(world, how, number):
    """Let people do what chance says, which begins with a number: another one for each dialect."""
    begun = seed(10 * number + DIALECTS.index(world.database.engine.dialect.name))
    run_state_machine_as_test(begun(lambda: People(world)), settings=how)


def test_a_rotation_to_somebody_is_refused_when_it_is_proposed_and_not_when_it_completes(world):
    anna, ben = person("anna"), person("ben")
    to = account_of_private_key(ben)
    made = Rotation(account_of_private_key(anna), to, NOW, salt("rotation"))
    other = replace(made, salt=salt("another rotation"))
    assert signed(world, made, anna).outcome == "proposed"
    assert world.accept(Work("A film", "Us", (to,), "own", "none", salt("film"), 1, "video/mp4", NOW, NONE), ben)
    assert signed(world, other, anna).code == "rotation.to_somebody"
    with world.database.read() as connection:
        [draft] = draft_store.search(connection, to, 0)
        assert drafts.state_of(connection, draft, NOW)[0] == "stale"


def signed(world, statement, *keys):
    """Sign a draft; return the answer."""
    sent = check_sent(world.submission(statement, *keys), world.identity.address, PLATFORM, world.now)
    return drafts.sign_all(world.database, [drafts.Signing(sent, PLATFORM, world.now)])[0]
