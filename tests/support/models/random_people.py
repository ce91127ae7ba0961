"""Random people who do random things at a real registry, with real keys, right and wrong.

A Hypothesis state machine: its rules are what people do. What the registry answers is judged by who derives from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import delete
from support.models.naive_drafts import NaiveRegistry
from support.worlds.registries.registry_world import NOW, PLATFORM, World, person, salt

from deedlog.anchor.log import sequencer as log
from deedlog.registry.acceptance import drafts
from deedlog.registry.acceptance.accept import Submission, accept
from deedlog.registry.acceptance.submission import check_sent
from deedlog.registry.errors import DeedlogError, InvalidData
from deedlog.registry.statements import (
    Agreement,
    Cancellation,
    Claim,
    Contribution,
    Countersignature,
    RevenueReport,
    Rotation,
    Share,
    Termination,
    Upload,
    Work,
)
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.base import Statement
from deedlog.registry.statements.signatures import Signature, account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data
from deedlog.registry.statements.vocabulary import NONE
from deedlog.registry.store.tables import LOG

TICK = 3600
"""People speak of multiples of it, so that what they say meets; it is longer than all tolerances of clocks."""

CONTENTS = 4
"""Files that may be claimed more than once."""


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


class RandomPeople(RuleBasedStateMachine):
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

    # What people do.

    @initialize(data=st.data())
    def begin(self, data):
        self.data = data
        for _ in range(2):
            self.say(self.make_work())

    @rule(data=st.data())
    def register_work(self, data):
        self.data = data
        made = self.make_work()
        signers = list(made.creators)
        if len(signers) > 1 and self.chance(60):
            self.send(self.letter(made, self.some(signers, 1), draft=True))
        else:
            self.say(made)

    def make_work(self):
        creators = {self.live() for _ in range(self.one((1, 1, 2, 3)))}
        content = salt(f"content {self.number(1, CONTENTS)}") if self.chance(20) else self.salt()
        if self.rights.of("Work") and self.chance(20):  # the same once more, under another salt
            before = self.one(self.rights.of("Work")).statement
            creators, content = before.creators, before.contentHash
        made_at = self.now + self.one((0, 0, 0, 0, 600, 601))
        return Work(
            "A film", "Us", tuple(sorted(creators)), "own", "none", content, 1, "video/mp4", made_at, self.salt()
        )

    @rule(data=st.data())
    def speak_of_works(self, data):
        self.data = data
        kind = self.one(("Upload", "Claim", "Contribution", "Countersignature", "Countersignature"))
        if kind == "Upload":
            made = Upload(
                "A film", "Us", "none", self.salt(), 1, "video/mp4", self.live(), self.salt(), self.now, self.salt()
            )
        elif kind == "Claim":
            made = Claim(self.some_digest("Upload"), self.live(), "Me", "own", self.now, self.salt())
        elif kind == "Contribution":
            made = Contribution(self.some_work(), self.live(), "camera", "equal", "Me", "human", self.now, self.salt())
        else:
            named = self.some_digest(self.one(("Claim", "Contribution")))
            made = Countersignature(named, self.confirming(named), self.now, self.salt())
        self.say(made)

    def confirming(self, digest):
        """Return who may confirm a claim, mostly."""
        claim, contribution = self.rights.find("Claim", digest), self.rights.find("Contribution", digest)
        if self.chance(10) or not (claim or contribution):
            return self.live()
        if claim:
            return self.rights.holder(self.rights.find("Upload", claim.statement.upload).statement.platform, self.now)
        return self.one(sorted(self.live_of(self.rights.creators(contribution.statement.work))))

    @rule(data=st.data())
    def propose(self, data):
        self.data = data
        self.send_a_proposal()

    def send_a_proposal(self):
        made = self.make_agreement()
        self.send(self.letter(made, self.some(made.signers(), 1), draft=True))

    @rule(data=st.data())
    def agree(self, data):
        self.data = data
        self.say(self.make_agreement())

    def make_agreement(self):
        found = self.changeable()
        before = self.one(found) if found and self.chance(60) else None
        works = {self.some_work() for _ in range(self.one((1, 1, 2)))}
        members = {"supersedes": NONE, "leaving": ()}
        if before is not None:
            members["supersedes"] = self.some_digest("Work") if self.chance(3) else before.digest
            if not self.chance(5):
                works = {*before.statement.works} if self.chance(60) else {*works, before.statement.works[0]}
        parties = {self.live() for _ in range(2)}
        for work in works:
            parties |= self.live_of(self.rights.creators(work) or ())
        if self.chance(6):
            parties.discard(self.one(sorted(parties)))
        while len(parties) < 2:
            parties.add(self.one(self.keys))
        if before is not None:
            leaving = self.live_of(before.statement.parties) - parties
            if leaving and self.chance(10):
                leaving.discard(self.one(sorted(leaving)))
            if self.chance(6):
                leaving.add(self.one(self.keys))
            members["leaving"] = tuple(sorted(leaving))
        elif self.chance(1):
            members["leaving"] = (self.stranger,)
        return self.with_times_and_lines(works, sorted(parties), before, members)

    def with_times_and_lines(self, works, parties, before, members):
        touched = {*works, *(before.statement.works if before else ())}
        start = self.instant()
        if self.chance(65):
            start = self.first_free(touched) - self.chance(8)
        elif before is not None and self.rights.end(before) < self.now + 20 * TICK:
            start = self.rights.end(before)
        until = start + TICK * self.number(1, 8) if self.chance(50) else 0
        until = start - self.number(0, 1) if self.chance(2) else until
        payer = self.rights.holder(self.one(self.payers), self.now) if self.chance(85) else self.one(self.keys)
        payer = before.statement.payer if before is not None and self.chance(70) else payer
        lines = self.lines(parties)
        return as_said(
            Agreement,
            works=tuple(sorted(works)),
            parties=tuple(parties),
            shares=tuple(lines),
            termsHash=NONE,
            payer=payer,
            acceptBy=self.now + TICK * self.one((50, 50, 50, 2, 1, 0)) - self.chance(3),
            effectiveFrom=start,
            effectiveUntil=until,
            salt=self.salt(),
            **members,
        )

    def lines(self, parties):
        """Return lines that come to the whole, mostly."""
        cuts = sorted({self.number(1, WHOLE - 1) for _ in parties[1:]})
        while len(cuts) < len(parties) - 1:
            cuts = sorted({*cuts, len(cuts) + 1, WHOLE - 1 - len(cuts)})[: len(parties) - 1]
        parts = [end - start for start, end in zip([0, *cuts], [*cuts, WHOLE], strict=True)]
        if self.chance(3):
            parts[0] += 1
        lines = [Share(party, "camera", ppm, self.salt()) for party, ppm in zip(parties, parts, strict=True)]
        if self.chance(1):
            lines.reverse()
        return lines[1:] if len(lines) > 2 and self.chance(1) else lines

    def some_draft(self):
        """Return a draft, of those that can come to something mostly; None if there is none."""
        found = list(self.model.drafts.values())
        alive = [draft for draft in found if not self.model.against_draft(draft["letter"], self.now)]
        found = alive if alive and not self.chance(20) else found
        return self.one(found[-5:]) if found else None

    def draft_or_proposal(self):
        """Return a draft; where there is none, propose one and return None."""
        draft = self.some_draft()
        if draft is None:
            self.send_a_proposal()
        return draft

    @rule(data=st.data())
    def sign_a_draft(self, data):
        self.data = data
        draft = self.draft_or_proposal()
        if draft is None:
            return
        statement = draft["letter"].statement
        needed = self.model.needed(statement, self.now)
        accounts = [self.one(sorted(needed))]
        if self.chance(18):
            accounts = [self.one(self.keys)]
        elif self.chance(20):
            accounts = self.some(needed, 1)
        letter = self.letter(statement, accounts, draft=True)
        if self.chance(6):
            signature = letter.signatures[0]
            earlier = [each for sent in self.sent for each in sent.signatures if sent.digest != letter.digest]
            earlier = [each for each in earlier if each.account == signature.account]
            if self.chance(30) or not earlier:  # twice, or as another's
                account = self.one(self.keys)
                signatures = (*letter.signatures, Signature(account, signature.signature))
                letter = Letter(statement, letter.digest, signatures, draft=True, forged=account != signature.account)
            else:
                signatures = (self.one(earlier), *letter.signatures[1:])
                letter = Letter(statement, letter.digest, signatures, draft=True, forged=True)
        self.send(letter)

    @rule(data=st.data())
    def complete_a_draft(self, data):
        self.data = data
        draft = self.draft_or_proposal()
        if draft is None:
            return
        statement = draft["letter"].statement
        missing = sorted(self.model.missing(draft, self.now))
        if self.chance(20):
            self.say(statement, self.model.needed(statement, self.now))
        elif self.chance(50):
            self.send(*[self.letter(statement, [account], draft=True) for account in missing])
        else:
            self.send(self.letter(statement, missing, draft=True))

    @rule(data=st.data())
    def decline(self, data):
        self.data = data
        draft = self.some_draft()
        digest = draft["letter"].digest if draft and not self.chance(3) else self.salt()
        readers = [account for account in self.keys if draft and self.model.reads(account, draft, self.now)]
        account = self.one(readers) if readers and not self.chance(15) else self.one(self.keys)
        may = digest in self.model.drafts and self.model.reads(account, self.model.drafts[digest], self.now)
        done = self.world.database.retry_write
        why_not = reason(lambda: done(lambda connection: drafts.decline(connection, digest, account, self.now)))
        assert why_not == (None if may else "draft.unknown")
        if may:
            self.model.decline(digest, account)

    @rule(data=st.data())
    def cancel(self, data):
        self.data = data
        draft = self.some_draft()
        if draft is not None and not self.chance(10):
            digest = draft["letter"].digest
            parties = self.live_of(draft["parties"])
            accounts = {self.one(sorted(parties) if self.chance(85) else self.keys)}
        elif self.chance(40):  # what somebody holds, and has sent to nobody
            made = self.make_agreement()
            digest = made.digest(self.world.separator)
            accounts = {self.one(made.signers() if self.chance(80) else self.keys)}
            self.waiting.append(
                self.letter(Cancellation(digest, "no more", self.now, self.salt()), accounts, draft=False)
            )
            self.say(made)
            return
        else:
            digest, accounts = self.some_digest("Agreement"), {self.live()}
        if self.chance(5):
            accounts.add(self.one(self.keys))
        self.say(Cancellation(digest, "no more", self.now, self.salt()), accounts)

    @rule(data=st.data())
    def terminate(self, data):
        self.data = data
        found = self.changeable()
        if not found:
            self.say(self.make_agreement())
            return
        ended = self.one(found)
        start = self.first_free(ended.statement.works) - self.chance(8) if self.chance(60) else self.instant()
        digest = self.some_digest("Agreement") if self.chance(5) else ended.digest
        made = Termination(digest, "the end", start, self.salt())
        needed = self.model.needed(made, self.now) or {self.live()}
        if self.chance(70):
            self.send(self.letter(made, self.some(needed, 1), draft=True))
        else:
            self.say(made, needed)

    @rule(data=st.data())
    def report(self, data):
        self.data = data
        self.send_a_report()

    @rule(data=st.data())
    def report_too(self, data):
        """Report twice as often as anything else: it needs most to have happened before."""
        self.data = data
        self.send_a_report()

    def send_a_report(self):
        found = self.changeable() if self.chance(80) else self.rights.of("Agreement")
        if not found:
            self.say(self.make_agreement())
            return
        under = self.one(found)
        work = self.some_work() if self.chance(4) else self.one(under.statement.works)
        payer = self.rights.holder(under.statement.payer, self.now)
        payer = self.one(self.keys) if self.chance(4) else payer
        reports = self.rights.reports_under(under, self.now)
        corrects = NONE
        if reports and self.chance(35):
            corrected = self.one(reports if self.chance(90) else self.rights.of("RevenueReport"))
            work, start, end = corrected.statement.work, corrected.statement.periodStart, corrected.statement.periodEnd
            end += TICK * self.chance(5)
            corrects = self.salt() if self.chance(3) else corrected.digest
        else:
            ends = [each.statement.periodEnd for each in reports if each.statement.work == work]
            start = self.instant() if self.chance(12) else max(ends, default=self.rights.start(under))
            end = start + TICK * self.number(1, 3)
            if self.chance(40):
                end = max(start + 1, min(end, self.rights.end(under))) + self.one((0, 0, 0, 1))
            elif self.chance(40):
                end = max(start + 1, min(end, self.now + 600 + self.one((0, 1))))
            end = start if self.chance(2) else end
        currency = reports[0].statement.currency if reports and not self.chance(4) else self.one(("CNY", "USD"))
        amount = self.number(-1000, 10_000_000)
        made = as_said(
            RevenueReport,
            work=work,
            periodStart=start,
            periodEnd=end,
            currency=currency,
            amount=amount,
            basis="gross",
            corrects=corrects,
            payer=payer,
            salt=self.salt(),
        )
        self.say(made)

    @rule(data=st.data())
    def rotate(self, data):
        self.data = data
        before = self.live() if self.chance(85) else self.one(self.keys)
        before = self.rights.holder(self.one(self.payers), self.now) if self.chance(20) else before
        if self.chance(40):
            ended = [each for each in self.model.drafts.values() if each["letter"].kind == "Termination"]
            draft = self.one(ended[-2:]) if ended else self.some_draft()
            before = self.one(sorted(draft["signed"])) if draft else before
        after = self.newcomer(f"newcomer {len(self.keys)}") if self.chance(75) else self.one(self.keys)
        made = as_said(Rotation, from_=before, to=after, madeAt=self.now, salt=self.salt())
        if self.chance(50):
            self.send(self.letter(made, [self.one((before, after))], draft=True))
        else:
            self.say(made)

    @rule(data=st.data())
    def send_again(self, data):
        """What was sent once is sent again, through either door: all of it, or signatures of it."""
        self.data = data
        if self.sent:
            letter = self.one(self.sent[-12:])
            draft = bool(letter.signatures) and self.chance(50)  # nobody proposes anything without a signature
            self.send(replace(letter, draft=draft))

    @rule(ticks=st.sampled_from((0, 1, 1, 2, 10, 60)), more=st.sampled_from((0, 0, 1)))
    def let_time_pass(self, ticks, more):
        self.world.now += TICK * ticks + more

    @rule()
    def sequence(self):
        self.world.sequence()


def reason(work):
    """Return why something cannot be done; None: it is done."""
    try:
        work()
    except InvalidData as error:
        return error.code
    return None


def as_said(kind, **members):
    """Return a statement as somebody can send it who has other software: nothing has looked at it as a whole."""
    made = object.__new__(kind)
    for name, value in members.items():
        object.__setattr__(made, name, value)
    return made


def forget(world: World):
    """Make a registry new, with an empty log: much faster than a new database."""
    with world.database.write() as connection:
        for table in reversed(LOG.metadata.sorted_tables):
            connection.execute(delete(table))
    log.create(world.database, world.identity, world.log_key, NOW)
    world.now = NOW
