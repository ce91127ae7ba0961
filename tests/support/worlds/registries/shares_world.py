"""People who share works at a running registry: their statements made short to write, sent over HTTP.

All times are the registry's own clock, which is this machine's. Each person is new: what one test does bears on no
other's.
"""

from __future__ import annotations

import secrets
import time

import pytest
from support.worlds.session.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.registry.hexadecimal import from_hex, to_checksum, to_hex
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
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.vocabulary import NONE

DAY = 24 * 3600

on_one_database = pytest.mark.parametrize("sharing", ["sqlite"], indirect=True, scope="session")
"""For tests of what does not depend on the database."""


class Person:
    """Somebody with a key of their own; people are in the order of their accounts."""

    def __init__(self):
        self.key = secrets.token_bytes(32)
        self.account = account_of_private_key(self.key)
        self.shown = to_checksum(self.account)

    def __lt__(self, other):
        return self.account < other.account


def people(count):
    """Return new people, ascending by account."""
    return sorted(Person() for _ in range(count))


def accounts(persons):
    return tuple(sorted(person.account for person in persons))


def now():
    return int(time.time())


def work(*creators, **changes):
    values = {
        "title": "共同的作品 A work of several",
        "creditedAs": "我们 We",
        "creators": accounts(creators),
        "basis": "own",
        "aiUse": "none",
        "contentHash": secrets.token_bytes(32),
        "contentLength": 1000,
        "mediaType": "video/mp4",
        "madeAt": now() - 100,
        "salt": secrets.token_bytes(32),
    }
    return Work(**(values | changes))


def upload(platform):
    return Upload(
        title="An upload",
        creditedAs="user 17",
        aiUse="none",
        contentHash=secrets.token_bytes(32),
        contentLength=1000,
        mediaType="video/mp4",
        platform=platform.account,
        uploader=secrets.token_bytes(32),
        uploadedAt=now() - 100,
        salt=secrets.token_bytes(32),
    )


def claim(of, creator):
    return Claim(of, creator.account, "Me", "own", now(), secrets.token_bytes(32))


def contribution(to, contributor, **changes):
    values = {"role": "editing", "degree": "equal", "creditedAs": "Me", "agent": "human"}
    values |= {"madeAt": now(), "salt": secrets.token_bytes(32)}
    return Contribution(work=to, contributor=contributor.account, **(values | changes))


def countersignature(statement, by):
    return Countersignature(statement, by.account, now(), secrets.token_bytes(32))


def lines(ppm_of):
    """Return the lines of an agreement: `ppm_of` are parts by person."""
    return tuple(
        Share(person.account, "producer", ppm, secrets.token_bytes(32)) for person, ppm in sorted(ppm_of.items())
    )


def equal(persons):
    """Return parts by person, as equal as they can be."""
    each, left = divmod(WHOLE, len(persons))
    return {person: each + (number < left) for number, person in enumerate(sorted(persons))}


def agreement(works, ppm_of, payer, **changes):
    shares = lines(ppm_of)
    values = {
        "works": tuple(sorted(works)),
        "parties": tuple(share.party for share in shares),
        "leaving": (),
        "shares": shares,
        "termsHash": secrets.token_bytes(32),
        "payer": payer.account,
        "acceptBy": now() + DAY,
        "effectiveFrom": now() - 90 * DAY,
        "effectiveUntil": 0,
        "supersedes": NONE,
        "salt": secrets.token_bytes(32),
    }
    return Agreement(**(values | changes))


def cancellation(of):
    return Cancellation(of, "no more", now(), secrets.token_bytes(32))


def termination(of, effective_from):
    return Termination(of, "the end", effective_from, secrets.token_bytes(32))


def report(of, payer, start, end, amount, **changes):
    values = {"currency": "CNY", "basis": "gross", "corrects": NONE, "salt": secrets.token_bytes(32)}
    values |= {"payer": payer.account, "periodStart": start, "periodEnd": end, "amount": amount}
    return RevenueReport(work=of, **(values | changes))


def rotation(before, after):
    return Rotation(before.account, after.account, now(), secrets.token_bytes(32))


class Sharing:
    """What people do at a site; each sends what they signed, or has it sent."""

    def __init__(self, site):
        self.site = site
        self._sessions = {}
        self.seen = None
        """A cursor of the feed: all before it happened before the test that reads on from it."""

    def digest(self, statement):
        return statement.digest(domain_separator(self.site.identity.address))

    def session(self, person):
        """Return the headers of somebody who has signed in; nobody's are none."""
        if person is None:
            return {}
        if person.account not in self._sessions:
            self._sessions[person.account] = self.site.sign_in(person.key)
        return self._sessions[person.account]

    def get(self, path, person=None, **query):
        return self.site.anyone.get(path, headers=self.session(person), params=query)

    def signatures(self, statement, *signers):
        digest = self.digest(statement)
        made = [sign(digest, person.key) for person in signers]
        return [{"account": to_checksum(one.account), "signature": to_hex(one.signature)} for one in made]

    def post(self, statement, *signers, client=None, **more):
        return self.site.post(statement, *(person.key for person in signers), client=client, **more)

    def register(self, statement, *signers, client=None, **more):
        """Post a statement that is accepted; return its digest."""
        answer = self.post(statement, *signers, client=client, **more)
        assert answer.status_code == 201, answer.text
        return from_hex(answer.json()["digest"], 32, None)

    def share_a_work(self, count=3):
        """Return people, the first of whom has a work, a payer, the work, and an agreement that all have signed."""
        *persons, payer = people(count + 1)
        made = self.register(work(persons[0]), persons[0])
        digest = self.register(agreement([made], equal(persons), payer), *persons)
        return persons, payer, made, digest

    def proven(self, digest, person=None):
        """Return a statement's bundle once it is logged."""
        path = f"/v1/statements/{to_hex(digest)}"
        until(lambda: self.get(path, person).json()["log_index"] is not None, "it is logged")
        return bundles.parse(self.get(f"{path}/bundle", person).content, contracts())

    def propose(self, statement, *signers, client=None, **more):
        body = self.site.body(statement, *(person.key for person in signers), **more)
        return (client or self.site.anyone).post("/v1/drafts", json=body)

    def sign(self, statement, *signers, client=None):
        """Send signatures of a draft that the registry has."""
        path = f"/v1/drafts/{to_hex(self.digest(statement))}/signatures"
        return (client or self.site.anyone).post(path, json={"signatures": self.signatures(statement, *signers)})

    def decline(self, digest, person):
        return self.site.anyone.post(f"/v1/drafts/{to_hex(digest)}/decline", headers=self.session(person))

    def draft(self, digest, person=None):
        return self.get(f"/v1/drafts/{to_hex(digest)}", person)

    def statement(self, digest, person=None):
        return self.get(f"/v1/statements/{to_hex(digest)}", person)

    def standing(self, digest):
        """Return what anybody is told that a statement comes to."""
        return self.statement(digest).json()["standing"]["code"]

    def events(self, person=None, after=None):
        """Return all events after a cursor, as somebody sees them, and the cursor behind them."""
        found = []
        cursor = after
        while True:
            query = {} if cursor is None else {"after": cursor}
            page = self.get("/v1/events", person, **query).json()
            found += page["events"]
            if page["next"] == cursor:
                self.seen = cursor
                return found, cursor
            cursor = page["next"]
