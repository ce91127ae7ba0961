"""Logs for the tests of the rules: what people say, made short to write, and random logs of it."""

from __future__ import annotations

from support.models.naive_rights import NaiveRights

from deedlog.registry.rules.state import Fact
from deedlog.registry.statements import (
    Agreement,
    Cancellation,
    Claim,
    Contribution,
    Countersignature,
    Rendition,
    RevenueReport,
    Rotation,
    Share,
    Termination,
    Upload,
    Work,
)
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.vocabulary import NONE

HASH = b"\x07" * 32
NOW = 1_000_000
EVER = 2**63
"""An instant long after all others."""


def person(number):
    return number.to_bytes(20, "big")


ANNA, BEN, CLEO, DORA, PLATFORM, PAYER, STRANGER, NEW, NEWER = map(person, range(1, 10))


def work(*creators):
    return Work("A film", "Us", tuple(sorted(creators)), "own", "none", HASH, 1, "video/mp4", 0, HASH)


def upload(platform=PLATFORM):
    return Upload("A film", "Somebody", "none", HASH, 1, "video/mp4", platform, HASH, 0, HASH)


def rendition(source, maker=PLATFORM):
    return Rendition(source, HASH, 1, "video/mp4", "tool", maker, 0, HASH)


def claim(of, creator):
    return Claim(of, creator, "Me", "own", 0, HASH)


def countersignature(statement, account):
    return Countersignature(statement, account, 0, HASH)


def contribution(to, contributor):
    return Contribution(to, contributor, "camera", "equal", "Me", "human", 0, HASH)


def equal_shares(parties):
    """Return lines for these parties, as equal as they can be."""
    parties = sorted(parties)
    each, left = divmod(WHOLE, len(parties))
    return tuple(Share(party, "camera", each + (number < left), HASH) for number, party in enumerate(parties))


def agreement(works, parties, **members):
    given = {
        "works": tuple(sorted(works)),
        "parties": tuple(sorted(parties)),
        "leaving": (),
        "shares": equal_shares(parties),
        "termsHash": NONE,
        "payer": PAYER,
        "acceptBy": EVER,
        "effectiveFrom": 0,
        "effectiveUntil": 0,
        "supersedes": NONE,
        "salt": HASH,
    }
    return Agreement(**(given | members))


def cancellation(of):
    return Cancellation(of, "no more", 0, HASH)


def termination(of, effective_from):
    return Termination(of, "the end", effective_from, HASH)


def report(of, start, end, amount=100, **members):
    given = {"currency": "CNY", "basis": "gross", "corrects": NONE, "payer": PAYER, "salt": HASH}
    return RevenueReport(work=of, periodStart=start, periodEnd=end, amount=amount, **(given | members))


def rotation(before, after):
    return Rotation(before, after, 0, HASH)


class Log:
    """A log in the making. Digests are numbers; `time` is the clock of the next entry."""

    def __init__(self):
        self.facts = []
        self.time = NOW
        self.digests = 0

    def name(self):
        """Return a digest that nothing has yet."""
        self.digests += 1
        return self.digests.to_bytes(32, "big")

    def add(self, statement, accounts=None, *, digest=None, body=True):
        """Log a statement, signed by these accounts, or by whom it names; return its digest."""
        signed = tuple(sorted(statement.signers() if accounts is None else accounts))
        digest = digest or self.name()
        given = statement if body else None
        self.facts.append(Fact(digest, statement.kind, signed, statement.subjects(), self.time, given))
        return digest


TICK = 300
"""Random logs speak of multiples of it, so that what they say meets; a payer may be two of them ahead."""

STEPS = {
    "work": 3,
    "upload": 1,
    "rendition": 1,
    "claim": 2,
    "countersignature": 4,
    "contribution": 2,
    "propose": 6,
    "complete": 10,
    "cancellation": 1,
    "termination": 2,
    "report": 14,
    "rotation": 1,
    "again": 1,
    "bodiless": 1,
}
"""How often each step is tried."""


class RandomLog(Log):
    """People who do random things, most of them sensible. `random` decides; `rights` is the naive model of the log."""

    def __init__(self, random):
        super().__init__()
        self.random = random
        self.rights = NaiveRights()
        self.time = 20 * TICK
        self.people = [person(number) for number in range(1, 6)]
        self.proposed = []

    def steps(self, count):
        """Take random steps; yield each entry, which `rights` has taken already."""
        names, weights = list(STEPS), list(STEPS.values())
        for _ in range(count):
            self.time += TICK * self.random.choice((0, 0, 0, 1, 1, 2))
            before = len(self.facts)
            getattr(self, self.random.choices(names, weights)[0])()
            for fact in self.facts[before:]:
                self.rights.add(fact)
                yield fact

    # Chance.

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def live(self):
        """Return an account that can sign."""
        return self.rights.holder(self.random.choice(self.people), self.time)

    def anybody(self):
        """Return an account that may have been rotated away."""
        return self.random.choice(self.people)

    def some(self, kind):
        """Return the digest of a statement of a kind that counts; sometimes of any other, or of none."""
        found = self.rights.of(kind)
        if not found or self.chance(3):
            found = self.facts
        return self.random.choice(found).digest if found and not self.chance(1) else self.name()

    def some_work(self):
        found = [fact.digest for kind in ("Work", "Upload") for fact in self.rights.of(kind)]
        found = [digest for digest in found if self.rights.creators(digest)] if self.chance(95) else found
        return self.random.choice(found) if found and not self.chance(3) else self.some("Upload")

    def say(self, statement, accounts=None, digest=None):
        """Log a statement; sometimes a signature is missing, or is a stranger's."""
        signed = set(statement.signers() if accounts is None else accounts)
        if self.chance(2):
            signed.add(self.anybody())
        if self.chance(2):
            signed.discard(self.random.choice(sorted(signed)))
        return self.add(statement, signed, digest=digest)

    # The steps.

    def work(self):
        self.say(work(*{self.live() for _ in range(self.random.choice((1, 1, 2)))}))

    def upload(self):
        self.say(upload(self.live()))

    def rendition(self):
        self.say(rendition(self.some_work(), self.live()))

    def claim(self):
        self.say(claim(self.some("Upload"), self.live()))

    def countersignature(self):
        statement = self.some(self.random.choice(("Claim", "Contribution")))
        account = self.live()
        if self.chance(85):
            found = self.rights.find("Claim", statement)
            if found is not None:
                account = self.rights.find("Upload", found.statement.upload).statement.platform
            found = self.rights.find("Contribution", statement)
            if found is not None:
                account = self.random.choice(self.rights.creators(found.statement.work))
            account = self.rights.holder(account, self.time) if self.chance(95) else account
        self.say(countersignature(statement, account))

    def contribution(self):
        self.say(contribution(self.some_work(), self.live()))

    def instant(self):
        """Return an instant around now, mostly later."""
        return self.time + TICK * self.random.randint(-4, 8)

    def propose(self):
        """Propose an agreement, or an amendment, or a renewal that begins where another ends."""
        members = {}
        agreements = self.changeable() if self.chance(90) else self.rights.of("Agreement")
        works = {self.some_work() for _ in range(self.random.choice((1, 1, 2)))}
        before = self.random.choice(agreements) if agreements else None
        if before is not None and self.chance(60):
            members["supersedes"] = before.digest if self.chance(97) else self.some("Work")
            works = set(before.statement.works) if self.chance(50) else {*works, *before.statement.works[:1]}
            works = {self.some_work()} if self.chance(5) else works
        parties = {self.live() for _ in range(2)}
        for each in works:
            parties |= self.rights.holders(self.rights.creators(each) or (), self.time)
        if self.chance(5):
            parties.discard(self.random.choice(sorted(parties)))
        while len(parties) < 2:
            parties.add(self.live())
        if "supersedes" in members:
            had = self.rights.holders(before.statement.parties, self.time)
            members["leaving"] = {account for account in had if account not in parties and not self.chance(4)}
            members["leaving"] |= {self.live()} - parties if self.chance(10) else set()
            members["leaving"] = tuple(sorted(members["leaving"]))
        members["effectiveFrom"] = self.first_free(works, before) if self.chance(60) else max(0, self.instant())
        if self.chance(40):
            members["effectiveUntil"] = members["effectiveFrom"] + TICK * self.random.randint(1, 8)
        members["acceptBy"] = self.time + TICK * self.random.choice((1, 50, 50, 50, 50))
        payer = self.random.choice(self.people[:2]) if self.chance(90) else person(self.random.choice((90, 91)))
        members["payer"] = self.rights.holder(payer, self.time) if self.chance(50) else payer
        self.proposed.append((self.name(), agreement(works, parties, **members)))

    def changeable(self):
        """Return the agreements that can still be amended or terminated."""
        return [each for each in self.rights.of("Agreement") if not list(self.rights.against_changing(each.digest))]

    def first_free(self, works, before):
        """Return the first instant that no report forbids."""
        if before is not None and self.rights.end(before) < self.time + 20 * TICK and self.chance(50):
            return self.rights.end(before)
        works = {*works, *(before.statement.works if before is not None else ())}
        reports = [each.statement.periodEnd for each in self.rights.of("RevenueReport") if each.statement.work in works]
        return max(reports, default=self.time - 5 * TICK)

    def complete(self):
        if self.proposed:
            digest, statement = self.random.choice(self.proposed[-4:])
            self.say(statement, digest=digest)
            if self.chance(95):
                self.proposed.remove((digest, statement))

    def cancellation(self):
        if self.proposed and self.chance(80):
            digest, statement = self.random.choice(self.proposed)
            account = self.random.choice(statement.parties) if self.chance(70) else self.live()
        else:
            digest, account = self.some("Agreement"), self.live()
        self.say(cancellation(digest), [account])

    def termination(self):
        found = self.changeable() if self.chance(85) else self.rights.of("Agreement")
        if not found:
            self.say(termination(self.some("Work"), self.instant()), {self.live()})
            return
        ended = self.random.choice(found)
        parties = self.rights.holders(ended.statement.parties, self.time)
        when = self.first_free(ended.statement.works, None) if self.chance(60) else self.instant()
        self.say(termination(ended.digest, max(0, when - TICK * self.chance(20))), parties)

    def report(self):
        agreements = self.changeable() if self.chance(70) else self.rights.of("Agreement")
        if not agreements:
            self.say(report(self.some_work(), 0, TICK, payer=self.live()))
            return
        found = self.random.choice(agreements)
        of = self.random.choice(found.statement.works) if self.chance(95) else self.some_work()
        payer = found.statement.payer if self.chance(95) else self.live()
        reports = self.rights.reports_under(found, self.time)
        members = {"currency": "CNY" if self.chance(95) else "USD"}
        if self.chance(97):
            payer = self.rights.holder(payer, self.time)
        if reports and self.chance(30):
            corrected = self.random.choice(reports if self.chance(90) else self.rights.of("RevenueReport"))
            of, start, end = corrected.statement.work, corrected.statement.periodStart, corrected.statement.periodEnd
            end += TICK * self.chance(5)
            members["corrects"] = corrected.digest if self.chance(95) else self.name()
        else:
            ends = [each.statement.periodEnd for each in reports if each.statement.work == of]
            start = max(ends, default=self.rights.start(found)) if self.chance(85) else max(0, self.instant())
            end = start + TICK * self.random.choice((1, 1, 2, 3))
            if self.chance(40):
                end = min(end, max(start + 1, self.rights.end(found)))
        amount = self.random.randint(-1000, 10_000)
        self.say(report(of, start, end, amount, payer=payer, **members))

    def rotation(self):
        to = self.live() if self.chance(15) else person(100 + len(self.facts))
        to = person(self.random.choice((90, 91))) if self.chance(10) else to
        before = self.anybody()
        if before != to:
            self.say(rotation(before, to))
            self.people.append(to)

    def again(self):
        if self.facts:
            fact = self.random.choice(self.facts)
            self.facts.append(fact._replace(time=self.time))

    def bodiless(self):
        self.add(agreement([self.some_work()], [self.live(), STRANGER]), body=False)
