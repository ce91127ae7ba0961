"""People with real keys who send letters to a real registry: who and what there is, and how a letter gets there.

What chance decides comes from Hypothesis. What the registry answers is judged by who derives from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import delete
from support.models.naive_drafts import NaiveRegistry
from support.worlds.registries.registry_world import NOW, PLATFORM, World, person, salt

from deedlog.anchor.log import sequencer as log
from deedlog.registry.acceptance import drafts
from deedlog.registry.acceptance.accept import Submission, accept
from deedlog.registry.acceptance.submission import check_sent
from deedlog.registry.errors import DeedlogError
from deedlog.registry.statements.base import Statement
from deedlog.registry.statements.signatures import Signature, account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data
from deedlog.registry.store.tables import LOG

TICK = 3600
"""People speak of multiples of it, so that what they say meets; it is longer than all tolerances of clocks."""


@dataclass(frozen=True)
class Letter:
    """What somebody sends: a statement that is complete, or signatures of a draft."""

    statement: Statement
    digest: bytes
    signatures: tuple[Signature, ...]
    draft: bool
    forged: bool = False
    """Whether one of the signatures is not what it says."""

    @property
    def kind(self):
        return self.statement.kind

    @property
    def accounts(self):
        return tuple(signature.account for signature in self.signatures)


class RandomCorrespondents(RuleBasedStateMachine):
    """`keys` are everybody's, also those that were rotated away; `data` is where chance comes from."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.model = NaiveRegistry()
        self.waiting = []
        self.sent = []
        self.keys = {}
        self.broken = False
        self.seen = None
        for number in range(5):
            self.newcomer(f"person {number}")
        self.payers = [self.newcomer(f"payer {number}") for number in range(2)]
        self.stranger = self.newcomer("stranger")
        self.salts = 0
        forget(world)

    # Chance.

    def one(self, items):
        items = list(items)
        return items[self.number(0, len(items) - 1)]

    def number(self, least, most):
        return self.data.draw(st.integers(least, most))

    def chance(self, percent):
        return self.number(0, 99) >= 100 - percent

    def some(self, items, least):
        """Return `least` of these or more, in any order."""
        items = sorted(items)
        wanted = self.number(min(least, len(items)), len(items))
        return [items.pop(self.number(0, len(items) - 1)) for _ in range(wanted)]

    # Who and what there is.

    @property
    def now(self):
        return self.world.now

    @property
    def rights(self):
        return self.model.rights

    def newcomer(self, name):
        key = person(name)
        account = account_of_private_key(key)
        self.keys[account] = key
        return account

    def anybody(self):
        return self.one(list(self.keys)[:5] if self.chance(70) else self.keys)

    def live(self):
        """Return somebody who can sign; sometimes a key that was rotated away."""
        account = self.one(list(self.keys)[:5])
        return account if self.chance(3) else self.rights.holder(account, self.now)

    def live_of(self, accounts):
        return self.rights.holders(accounts, self.now)

    def salt(self):
        self.salts += 1
        return salt(str(self.salts))

    def some_digest(self, kind):
        """Return the digest of a statement of a kind; sometimes of any other, or of none."""
        found = self.rights.of(kind)
        if not found or self.chance(4):
            found = self.rights.counted
        return self.one(found).digest if found and not self.chance(2) else self.salt()

    def some_work(self):
        works = [fact.digest for kind in ("Work", "Upload") for fact in self.rights.of(kind)]
        owned = [digest for digest in works if self.rights.creators(digest)]
        found = works if self.chance(5) else owned
        return self.one(found) if found and not self.chance(2) else self.some_digest("Upload")

    def changeable(self):
        found = self.rights.of("Agreement")
        if self.chance(12):
            return found
        return [each for each in found if not list(self.rights.against_changing(each.digest))]

    def instant(self):
        return self.now + TICK * self.number(-6, 6) + self.one((0, 0, 0, 0, -1, 1))

    def first_free(self, works):
        """Return the first instant that no report forbids."""
        reports = [each.statement.periodEnd for each in self.rights.of("RevenueReport") if each.statement.work in works]
        return max(reports, default=self.now - 5 * TICK)

    # Letters.

    def letter(self, statement, accounts, *, draft):
        digest = statement.digest(self.world.separator)
        return Letter(statement, digest, tuple(sign(digest, self.keys[account]) for account in accounts), draft)

    def say(self, statement, accounts=None):
        """Send what is signed by all who must; sometimes somebody is missing, or is a stranger; or as a draft."""
        signers = set(statement.signers() if accounts is None else accounts)
        if self.chance(3):
            signers.add(self.anybody())
        if self.chance(3):
            signers.discard(self.one(sorted(signers)))
        self.send(self.letter(statement, sorted(signers), draft=bool(signers) and self.chance(15)))

    def send(self, *letters):
        """Send letters; sometimes they arrive together with the next ones."""
        self.waiting += letters
        if not self.chance(15):
            self.deliver()

    def deliver(self):
        self.broken = True
        letters, self.waiting = self.waiting, []
        for draft, group in groupby(letters, lambda letter: letter.draft):
            together = list(group)
            answers = self.sign_drafts(together) if draft else self.accept(together)
            for letter, answer in zip(together, answers, strict=True):
                self.judge(letter, answer)
        self.broken = False

    def submission(self, letter):
        return Submission(typed_data(letter.statement, self.world.identity.address), letter.signatures)

    def accept(self, letters):
        submissions = [self.submission(letter) for letter in letters]
        return accept(self.world.database, self.world.identity.address, submissions, PLATFORM, self.now)

    def sign_drafts(self, letters):
        answers, signings = {}, []
        for place, letter in enumerate(letters):
            try:
                sent = check_sent(self.submission(letter), self.world.identity.address, PLATFORM, self.now)
            except DeedlogError as error:
                answers[place] = error
            else:
                signings.append(drafts.Signing(sent, PLATFORM, self.now))
        taken = iter(drafts.sign_all(self.world.database, signings) if signings else ())
        return [answers[place] if place in answers else next(taken) for place in range(len(letters))]

    def judge(self, letter, answer):
        """Compare an answer with the model, and let the model take it."""
        raise NotImplementedError


def forget(world: World):
    """Make a registry new, with an empty log: much faster than a new database."""
    with world.database.write() as connection:
        for table in reversed(LOG.metadata.sorted_tables):
            connection.execute(delete(table))
    log.create(world.database, world.identity, world.log_key, NOW)
    world.now = NOW
