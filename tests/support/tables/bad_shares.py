"""The table of bad input about shares over HTTP: what is sent, and the problem that it must get.

Each row makes a request from a scene that is set once (`Scene`): a function that returns it; status, code, member at
fault; what the English text must say. `tests/api/writing/test_agreements.py` sends them, in both languages.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from support.worlds.registries.shares_world import (
    DAY,
    accounts,
    agreement,
    cancellation,
    claim,
    contribution,
    countersignature,
    equal,
    now,
    people,
    report,
    rotation,
    termination,
    upload,
    work,
)
from support.worlds.session.waiting import before_deadline, sleep_until

from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.signatures import sign

START = 90 * DAY
"""Seconds ago at which the scene's agreements begin."""


class Scene:
    """Works, agreements and reports of people who share; after it is set, nothing in it is accepted any more."""

    def __init__(self, sharing):
        self.sharing = sharing
        self.anna, self.ben, self.cleo, self.payer, self.stranger, self.gone, self.heir, self.silent = people(8)
        self.now = now()
        self.free = sharing.register(work(self.anna), self.anna)
        self.other = sharing.register(work(self.anna), self.anna)
        self.of_two = sharing.register(work(self.anna, self.ben), self.anna, self.ben)
        self.of_a_stranger = sharing.register(work(self.stranger), self.stranger)
        self.uploaded = sharing.register(upload(self.payer), self.payer, client=sharing.site.platform)
        self.claimed = sharing.register(claim(self.uploaded, self.ben), self.ben)
        self.part = sharing.register(contribution(self.free, self.ben), self.ben)
        self.confirmed = sharing.register(contribution(self.free, self.cleo), self.cleo)
        sharing.register(countersignature(self.confirmed, self.anna), self.anna)
        sharing.register(work(self.gone), self.gone)
        sharing.register(rotation(self.gone, self.heir), self.gone, self.heir)
        self._agree()

    def _agree(self):
        """Set a work with an agreement, its amendment and reports; another that is terminated; and drafts."""
        trio = self.trio = (self.anna, self.ben, self.cleo)
        self.shared = self.sharing.register(work(self.anna), self.anna)
        begin = self.now - START
        first = self.agreement(self.shared, trio, effectiveFrom=begin)
        self.first = self.sharing.register(first, *trio)
        self.reported = self.report(self.shared, 0, 10)
        self.mistaken = self.sharing.register(self.reported, self.payer)
        corrected = self.report(self.shared, 0, 10, corrects=self.mistaken)
        self.corrected = self.sharing.register(corrected, self.payer)
        second = self.agreement(self.shared, trio, supersedes=self.first, effectiveFrom=begin + 20 * DAY)
        self.second = self.sharing.register(second, *trio)
        self.ended = self.sharing.register(work(self.anna), self.anna)
        over = self.sharing.register(self.agreement(self.ended, trio, effectiveFrom=begin), *trio)
        self.terminated = over
        self.sharing.register(termination(over, begin + 5 * DAY), *trio)
        self.sharing.register(agreement([self.other], equal(trio), self.silent), *trio)
        self.open = self.agreement(self.free, trio)
        assert self.sharing.propose(self.open, self.anna).status_code == 201
        _, (self.expired, answer) = before_deadline(self._propose)
        assert answer.status_code == 201
        sleep_until(self.expired.acceptBy + 1)

    def _propose(self, accept_by):
        made = self.agreement(self.free, self.trio, acceptBy=accept_by)
        return made, self.sharing.propose(made, self.anna)

    def agreement(self, on, parties, **changes):
        return agreement([on], equal(parties), self.payer, **changes)

    def amendment(self, parties=None, **changes):
        """Return what would be agreed in place of the scene's second agreement."""
        given = {"supersedes": self.second, "effectiveFrom": self.now - START + 40 * DAY}
        return self.agreement(self.shared, parties or (self.anna, self.ben, self.cleo), **(given | changes))

    def report(self, on, first, end, amount=1000, payer=None, **changes):
        """Return a report of the days `first` to `end` since the scene's agreements began."""
        begin = self.now - START
        return report(on, payer or self.payer, begin + first * DAY, begin + end * DAY, amount, **changes)


def agreed(change=None, parties=("anna", "ben"), on="free", **members):
    """Send an agreement with all signatures, of which something is changed first."""

    def send(scene):
        persons = [getattr(scene, name) for name in parties]
        made = scene.agreement(getattr(scene, on), persons, **members)
        return scene.sharing.site, body_of(scene, made, persons, change)

    return send


def body_of(scene, made, persons, change=None):
    """Return the request of an agreement; `change` changes the message after it is signed."""
    body = scene.sharing.site.body(made, *(person.key for person in persons))
    if change is not None:
        change(scene, body["typed_data"]["message"])
    return body


def message(**members):
    return lambda _scene, message: message.update(members)


def ppm(number, value):
    return lambda _scene, message: message["shares"][number].update(ppm=value)


def twice(_scene, message):
    message["parties"] = message["parties"][:1] * 2


def out_of_order(_scene, message):
    message["parties"].reverse()
    message["shares"].reverse()


def in_capitals(_scene, message):
    message["parties"][0] = "0x" + message["parties"][0][2:].upper()


def so_many(count):
    def change(_scene, message):
        message["parties"] = [to_hex(bytes([0] * 18 + [1, number])) for number in range(count)]
        message["shares"] = [{**message["shares"][0], "party": party} for party in message["parties"]]

    return change


def sent(make, *by, at=None):
    """Send a statement that `make` makes of the scene, signed by these of its people."""

    def send(scene):
        body = scene.sharing.site.body(make(scene), *(getattr(scene, name).key for name in by))
        return scene.sharing.site, body if at is None else (at, body)

    return send


def accepted(draft, by, change=None):
    """Sign a draft of the scene; `change` makes of its digest what is signed instead."""

    def send(scene):
        made = getattr(scene, draft)
        digest = scene.sharing.digest(made)
        person = getattr(scene, by)
        signed = digest if change is None else change(scene, made)
        signature = {"account": person.shown, "signature": to_hex(sign(signed, person.key).signature)}
        return scene.sharing.site, (f"/v1/drafts/{to_hex(digest)}/signatures", {"signatures": [signature]})

    return send


def other_version(scene, made):
    """Return the digest of what is the draft in all but its salt."""
    return scene.sharing.digest(replace(made, salt=secrets.token_bytes(32)))


def spoilt(scene, statement, by, **members):
    """Send a statement of which members are changed after it was signed."""
    body = scene.sharing.site.body(statement, by.key)
    body["typed_data"]["message"].update(members)
    return scene.sharing.site, body


def unknown(_scene):
    return secrets.token_bytes(32)


TRIO = ("anna", "ben", "cleo")

CASES = {
    # Sums and lines
    "one part too few": (
        agreed(ppm(0, 499_999)),
        *(422, "agreement.sum", "shares", "add up to 999999 ppm"),
    ),
    "one part too many": (
        agreed(ppm(0, 500_001)),
        *(422, "agreement.sum", "shares", "add up to 1000001 ppm"),
    ),
    "a share of nothing": (agreed(ppm(0, 0)), 422, "integer.range", "shares[0].ppm", "from 1 to"),
    "a negative share": (agreed(ppm(0, -1)), 422, "integer.range", "shares[0].ppm", "from 1 to"),
    "a share in a string": (
        agreed(ppm(0, "500000")),
        *(422, "integer.not_a_number", "shares[0].ppm", "JSON number"),
    ),
    "half a part": (agreed(ppm(0, 0.5)), 400, "json.fraction", None, "Write integers, as decimal strings where the"),
    "another's line": (
        agreed(lambda _scene, message: message["shares"].reverse()),
        *(422, "agreement.line_of_another", "shares[0].party", "in the order of parties"),
    ),
    "a line too few": (
        agreed(lambda _scene, message: message["shares"].pop(), parties=TRIO),
        *(422, "agreement.lines", "shares", "2 shares but 3 parties"),
    ),
    "a hidden line": (
        agreed(lambda _scene, message: message["shares"].__setitem__(0, "0x" + "11" * 32)),
        *(422, "line.hidden", "shares[0]", "shares can be hidden later, when you show"),
    ),
    # Parties
    "a party twice": (agreed(twice), 422, "list.not_ascending", "parties[1]", "Sort it"),
    "parties out of order": (agreed(out_of_order), 422, "list.not_ascending", "parties[1]", "Sort it"),
    "a party in capitals": (agreed(in_capitals), 422, "hex.malformed", "parties[0]", "lower-case hex"),
    "no party": (agreed(so_many(0)), 422, "list.length", "parties", "2 to 64 items"),
    "one party": (agreed(so_many(1)), 422, "list.length", "parties", "2 to 64 items"),
    "65 parties": (agreed(so_many(65)), 422, "list.length", "parties", "2 to 64 items"),
    "who stays and leaves": (
        agreed(lambda _scene, message: message.update(leaving=message["parties"][:1])),
        *(422, "agreement.stays_and_leaves", "leaving", "Remove it from one of them"),
    ),
    "who leaves where nothing is superseded": (
        agreed(lambda scene, message: message.update(leaving=[to_hex(scene.cleo.account)])),
        *(422, "agreement.nothing_to_leave", "leaving", "Empty leaving"),
    ),
    "an end before its beginning": (
        agreed(message(effectiveUntil="1")),
        *(422, "agreement.ends_before_it_begins", "effectiveUntil", "0 for no end"),
    ),
    # Works
    "no work": (agreed(message(works=[])), 422, "list.length", "works", "1 to 64 items"),
    "65 works": (
        agreed(message(works=[to_hex(number.to_bytes(32, "big")) for number in range(1, 66)])),
        *(422, "list.length", "works", "1 to 64 items"),
    ),
    "an unknown work": (
        sent(lambda scene: scene.agreement(unknown(scene), [scene.anna, scene.ben]), "anna", "ben"),
        *(422, "work.unknown", "works", "Check the digest"),
    ),
    "what is no work": (
        sent(lambda scene: scene.agreement(scene.part, [scene.anna, scene.ben]), "anna", "ben"),
        *(422, "work.unknown", "works", "Check the digest"),
    ),
    "an upload that nobody has claimed": (
        sent(lambda scene: scene.agreement(scene.uploaded, [scene.anna, scene.ben]), "anna", "ben"),
        *(422, "work.unclaimed", "works", "First its creator must claim it, and the"),
    ),
    "the work of a stranger": (
        sent(lambda scene: scene.agreement(scene.of_a_stranger, [scene.anna, scene.ben]), "anna", "ben"),
        *(422, "agreement.creator_missing", "parties", "every creator of a work must be a party"),
    ),
    "without one of two creators": (
        sent(lambda scene: scene.agreement(scene.of_two, [scene.anna, scene.cleo]), "anna", "cleo"),
        *(422, "agreement.creator_missing", "parties", "Add it to parties"),
    ),
    # Acceptances
    "a signature too few": (
        sent(lambda scene: scene.agreement(scene.free, [scene.anna, scene.ben]), "anna"),
        *(422, "signature.missing", None, "Every signer of this statement must have"),
    ),
    "a proposal by who is no party": (
        sent(lambda scene: scene.agreement(scene.free, [scene.anna, scene.ben]), "cleo", at="/v1/drafts"),
        *(422, "signature.not_a_signer", None, "Remove its signature"),
    ),
    "an acceptance by who is no party": (
        accepted("open", "stranger"),
        *(422, "signature.not_a_signer", None, "Remove its signature"),
    ),
    "an acceptance by the payer": (
        accepted("open", "payer"),
        *(422, "signature.not_a_signer", None, "Remove its signature"),
    ),
    "an acceptance after acceptBy": (accepted("expired", "ben"), 409, "agreement.expired", "acceptBy", "acceptBy"),
    "an acceptance of another version": (
        accepted("open", "ben", other_version),
        *(422, "signature.signer", None, "Sign this typed data with the key of the"),
    ),
    "an acceptance of no draft": (
        lambda scene: (
            scene.sharing.site,
            (
                f"/v1/drafts/0x{'ab' * 32}/signatures",
                {"signatures": [{"account": scene.anna.shown, "signature": "0x" + "11" * 65}]},
            ),
        ),
        *(404, "draft.unknown", None, "no draft"),
    ),
    "an acceptance by a key that was rotated away": (
        sent(lambda scene: scene.agreement(scene.free, [scene.anna, scene.gone]), "anna", "gone"),
        *(409, "account.rotated_away", None, "Sign with"),
    ),
    # Amendments
    "supersedes what does not exist": (
        sent(lambda scene: scene.amendment(supersedes=unknown(scene)), *TRIO),
        *(422, "agreement.unknown", "supersedes", "A draft counts only once everybody has signed"),
    ),
    "supersedes a draft": (
        sent(lambda scene: scene.amendment(supersedes=scene.sharing.digest(scene.open)), *TRIO),
        *(422, "agreement.unknown", "supersedes", "A draft counts only once everybody has signed"),
    ),
    "supersedes what is superseded": (
        sent(lambda scene: scene.amendment(supersedes=scene.first), *TRIO),
        *(409, "agreement.superseded", "supersedes", "Name that one instead"),
    ),
    "supersedes what is terminated": (
        sent(lambda scene: scene.amendment(supersedes=scene.terminated), *TRIO),
        *(409, "agreement.terminated", "supersedes", "Make a new agreement that supersedes nothing"),
    ),
    "supersedes one of other works": (
        sent(
            lambda scene: scene.agreement(scene.other, [scene.anna, scene.ben, scene.cleo], supersedes=scene.second),
            *TRIO,
        ),
        *(422, "agreement.other_works", "supersedes", "Name an agreement that shares a work with"),
    ),
    "without the signature of one who leaves": (
        sent(lambda scene: scene.amendment([scene.anna, scene.ben], leaving=accounts([scene.cleo])), "anna", "ben"),
        *(422, "signature.missing", None, "Every signer of this statement must have"),
    ),
    "a party removed without a word": (
        sent(lambda scene: scene.amendment([scene.anna, scene.ben]), "anna", "ben"),
        *(422, "agreement.leaves_unsigned", "leaving", "a party that leaves must sign too"),
    ),
    "one leaves who never was a party": (
        sent(lambda scene: scene.amendment(leaving=accounts([scene.stranger])), *TRIO, "stranger"),
        *(422, "agreement.never_a_party", "leaving", "cannot leave"),
    ),
    "from before the end of the last report": (
        sent(lambda scene: scene.amendment(effectiveFrom=scene.now - START + 9 * DAY), *TRIO),
        *(409, "agreement.before_report", "effectiveFrom", "stays shared as it was"),
    ),
    "a second agreement on the same work": (
        sent(lambda scene: scene.agreement(scene.shared, scene.trio, effectiveFrom=scene.now), *TRIO),
        *(409, "agreement.stale", "works", "Supersede it"),
    ),
    # Cancellations and terminations
    "a cancellation of what is complete": (
        sent(lambda scene: cancellation(scene.second), "anna"),
        *(409, "cancellation.complete", "agreement", "Termination"),
    ),
    "a cancellation by a stranger": (
        sent(lambda scene: cancellation(scene.sharing.digest(scene.open)), "stranger"),
        *(422, "cancellation.not_a_party", None, "Sign with a party's account"),
    ),
    "a termination that one party did not sign": (
        sent(lambda scene: termination(scene.second, scene.now), "anna", "ben"),
        *(422, "signature.missing", None, "Every signer of this statement must have"),
    ),
    "a termination that a stranger signed": (
        sent(lambda scene: termination(scene.second, scene.now), *TRIO, "stranger"),
        *(422, "signature.not_a_signer", None, "Remove its signature"),
    ),
    "a termination of no agreement": (
        sent(lambda scene: termination(scene.free, scene.now), "anna"),
        *(422, "agreement.unknown", "agreement", "A draft counts only once everybody has signed"),
    ),
    "a termination of what is superseded": (
        sent(lambda scene: termination(scene.first, scene.now), *TRIO),
        *(409, "agreement.superseded", "agreement", "Name that one instead"),
    ),
    # Reports
    "a report of an overlapping period": (
        sent(lambda scene: scene.report(scene.shared, 9, 12), "payer"),
        *(409, "report.overlaps", "periodStart", "report another period"),
    ),
    "a report by who is not the payer": (
        sent(lambda scene: scene.report(scene.shared, 21, 22, payer=scene.anna), "anna"),
        *(422, "report.not_the_payer", "payer", "not the payer"),
    ),
    "a report in the payer's name": (
        sent(lambda scene: scene.report(scene.shared, 21, 22), "anna"),
        *(422, "signature.missing", None, "Every signer of this statement must have"),
    ),
    "a report in another currency": (
        sent(lambda scene: scene.report(scene.shared, 11, 12, currency="USD"), "payer"),
        *(422, "report.currency", "currency", "Report in CNY"),
    ),
    "a currency in small letters": (
        lambda scene: spoilt(scene, scene.reported, scene.payer, currency="cny"),
        *(422, "text.pattern", "currency", "This must match"),
    ),
    "a report that straddles a change": (
        sent(lambda scene: scene.report(scene.shared, 15, 25), "payer"),
        *(422, "report.straddles", "periodEnd", "one up to that time, one from it"),
    ),
    "a report without an agreement": (
        sent(lambda scene: scene.report(scene.free, 0, 1), "payer"),
        *(422, "report.no_agreement", "work", "No agreement"),
    ),
    "a report after the end": (
        sent(lambda scene: scene.report(scene.ended, 6, 7), "payer"),
        *(422, "report.no_agreement", "work", "No agreement"),
    ),
    "a report of what is to come": (
        sent(lambda scene: scene.report(scene.shared, 80, 100), "payer"),
        *(422, "report.not_over", "periodEnd", "Report it after that"),
    ),
    "a report that corrects nothing here": (
        sent(lambda scene: scene.report(scene.shared, 0, 10, corrects=unknown(scene)), "payer"),
        *(422, "report.corrects_unknown", "corrects", "Check the digest in corrects, or set it to"),
    ),
    "a report that corrects what is corrected": (
        sent(lambda scene: scene.report(scene.shared, 0, 10, corrects=scene.mistaken), "payer"),
        *(409, "report.corrected", "corrects", "Correct that one instead"),
    ),
    "a report that corrects another period": (
        sent(lambda scene: scene.report(scene.shared, 0, 11, corrects=scene.corrected), "payer"),
        *(422, "report.corrects_another", "corrects", "Correct the matching report, or set corrects"),
    ),
    # Rotations
    "a rotation to who is somebody": (
        sent(lambda scene: rotation(scene.anna, scene.ben), "anna", "ben"),
        *(409, "rotation.to_somebody", "to", "make a new key"),
    ),
    "a rotation to a payer who signed nothing": (
        sent(lambda scene: rotation(scene.anna, scene.silent), "anna", "silent"),
        *(409, "rotation.to_somebody", "to", "make a new key"),
    ),
    "a circle of rotations": (
        sent(lambda scene: rotation(scene.heir, scene.gone), "heir", "gone"),
        *(409, "account.rotated_away", None, "Sign with"),
    ),
    "a rotation without its successor": (
        sent(lambda scene: rotation(scene.anna, people(1)[0]), "anna"),
        *(422, "signature.missing", None, "Every signer of this statement must have"),
    ),
    "a work by a key that was rotated away": (
        sent(lambda scene: work(scene.gone), "gone"),
        *(409, "account.rotated_away", None, "Sign with"),
    ),
    "a second rotation": (
        sent(lambda scene: rotation(scene.gone, scene.cleo), "gone", "cleo"),
        *(409, "account.rotated_away", None, "Sign with"),
    ),
    # Parts, claims and who confirms them
    "a contribution to no work": (
        sent(lambda scene: contribution(unknown(scene), scene.ben), "ben"),
        *(422, "work.unknown", "work", "Check the digest"),
    ),
    "a role of another list": (
        lambda scene: spoilt(scene, contribution(scene.free, scene.ben), scene.ben, role="king"),
        *(422, "word.unknown", "role", "viewer-contribution"),
    ),
    "a countersignature by a stranger": (
        sent(lambda scene: countersignature(scene.part, scene.stranger), "stranger"),
        *(422, "countersignature.of_another", "account", "Sign with that account"),
    ),
    "a countersignature of nothing": (
        sent(lambda scene: countersignature(scene.free, scene.anna), "anna"),
        *(422, "countersignature.nothing_to_confirm", "statement", "Check the digest, and register that"),
    ),
    "a second countersignature": (
        sent(lambda scene: countersignature(scene.confirmed, scene.anna), "anna"),
        *(409, "countersignature.twice", "statement", "Nothing more is needed"),
    ),
    "a claim of a work": (
        sent(lambda scene: claim(scene.free, scene.ben), "ben"),
        *(422, "claim.unknown_upload", "upload", "have the platform register"),
    ),
    "a claim confirmed by who made it": (
        sent(lambda scene: countersignature(scene.claimed, scene.ben), "ben"),
        *(422, "countersignature.of_another", "account", "Sign with that account"),
    ),
}
