"""Random people who do random things at a real registry, with real keys, right and wrong.

A Hypothesis state machine: its rules are what people do. What the registry answers is judged by who derives from it.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from support.models.random_letters import TICK, Letter
from support.models.random_statements import RandomStatements, as_said

from deedlog.registry.acceptance import drafts
from deedlog.registry.errors import InvalidData
from deedlog.registry.statements import (
    Cancellation,
    Claim,
    Contribution,
    Countersignature,
    RevenueReport,
    Rotation,
    Termination,
    Upload,
)
from deedlog.registry.statements.signatures import Signature
from deedlog.registry.statements.vocabulary import NONE


class RandomPeople(RandomStatements):
    """Each rule is something that people do."""

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
