"""A kind of statement that only this file declares goes all the way: nothing else has to be told of it.

It asks for much: it is private and has readers of its own, its signers and some readers follow from other statements,
it has lines, it names and bears on another statement and on an account, and what comes later changes its standing.

The tables of kinds, tags, rules and texts are one for a process. So the kind is declared in a process of its own: the
test runs this file as a program, on each database.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import pytest
import uvicorn
from click.testing import CliRunner
from eth_account.messages import _hash_eip191_message, encode_typed_data
from ports import free_port
from support.worlds.registries.registry_world import ALICE, BOB, PLATFORM_KEY, open_world, person, salt, work
from support.worlds.registries.site_world import Site
from support.worlds.session.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.fsck.database import check_database
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.disclosure import open_line
from deedlog.api import texts
from deedlog.api.app import create_app
from deedlog.api.cli import cli
from deedlog.api.settings import Settings
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.rules.rule import Rule, add_rule
from deedlog.registry.rules.state import Standing
from deedlog.registry.statements import KINDS, Rotation
from deedlog.registry.statements.base import Statement, declare, struct
from deedlog.registry.statements.eip712 import Lines, StructValue, domain_separator
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.statements.subjects import TAGS, WORK, Tag, Value, define
from deedlog.registry.statements.typed_data import typed_data
from deedlog.registry.statements.vocabulary import (
    NONE,
    Account,
    Amount,
    Creators,
    Hash,
    HashOrNone,
    Time,
)
from deedlog.registry.store.database import Database

HERE = Path(__file__)
TESTS = HERE.parents[2]
ROOT = TESTS.parent


def test_a_made_up_kind_goes_all_the_way(database_url, tmp_path):
    paths = os.pathsep.join(map(str, (ROOT, TESTS, ROOT / "scripts")))
    done = subprocess.run(
        [sys.executable, HERE, tmp_path, database_url],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Sponsorship" not in KINDS, "it was never declared here"


if __name__ == "__main__":
    SPONSOR = define(Tag("sponsor", Value.ACCOUNT))
    RENEWS = define(Tag("renews", Value.STATEMENT))

    @struct
    @dataclass(frozen=True)
    class Gift(StructValue):
        """What one person gets."""

        amount: Amount
        salt: Hash

    Gifts = Annotated[tuple[Gift | bytes, ...], Lines(Gift, 64)]

    @declare
    @dataclass(frozen=True)
    class Sponsorship(Statement):
        """A sponsor's promise to people who had a part in a work; the work's creators agree to it."""

        PRIVATE = True
        SUBJECTS = (RENEWS, SPONSOR, WORK)
        BEARS_ON = (RENEWS, SPONSOR)
        EVENTS = (("promised", None), ("renewed", RENEWS))

        work: Hash
        people: Creators
        gifts: Gifts
        auditor: Account
        until: Time
        renews: HashOrNone
        sponsor: Account
        salt: Hash

        def signers(self):
            return None

        def subjects(self):
            before = () if self.renews == NONE else (RENEWS.of(self.renews),)
            return (*before, SPONSOR.of(self.sponsor), WORK.of(self.work))

        def readers(self):
            return (self.auditor,)

        def line_owners(self):
            return self.people

        def check_whole(self):
            if len(self.gifts) != len(self.people):
                raise InvalidData("sponsorship.gifts", field="gifts", people=len(self.people))

    @dataclass
    class Sponsorships:
        """The sponsorships that count, and the one of each sponsor that nothing has renewed."""

        statements: dict = field(default_factory=dict)
        renewed_by: dict = field(default_factory=dict)
        newest: dict = field(default_factory=dict)

    def sponsorship_signers(state, fact):
        creators = state.work(fact.named(WORK), "work").creators
        return {fact.named(SPONSOR), *state.holders(creators, fact.time)}

    def check_sponsorship(state, fact, sponsorship):
        newest = state.part(Sponsorships).newest.get(state.original(sponsorship.sponsor), NONE)
        if sponsorship.renews != newest:
            raise InvalidData("sponsorship.another", field="renews", other=to_hex(newest))
        if sponsorship.until <= fact.time:
            raise InvalidData("sponsorship.expired", field="until", time=sponsorship.until)

    def apply_sponsorship(state, fact, sponsorship):
        part = state.part(Sponsorships)
        part.statements[fact.digest] = sponsorship
        part.newest[state.original(sponsorship.sponsor)] = fact.digest
        if sponsorship.renews != NONE:
            part.renewed_by[sponsorship.renews] = fact.digest

    def sponsorship_standing(state, digest, _at):
        other = state.part(Sponsorships).renewed_by.get(digest)
        if other is not None:
            return Standing("sponsorship.is_renewed", {"other": to_hex(other)})
        return Standing("sponsorship.is_promised")

    def sponsorship_readers(state, digest):
        """The auditor of the sponsorship that renews one may read that too."""
        part = state.part(Sponsorships)
        other = part.renewed_by.get(digest)
        return () if other is None else (part.statements[other].auditor,)

    add_rule(
        Sponsorship,
        Rule(
            check_sponsorship,
            apply_sponsorship,
            sponsorship_standing,
            needs_body=True,
            signers=sponsorship_signers,
            readers=sponsorship_readers,
        ),
    )

    texts.extend(
        {
            "kind.Sponsorship": {"en": "Sponsorship", "zh": "赞助"},
            "kind.Sponsorship.signing": {"en": "You promise these gifts.", "zh": "您承诺给出这些赠与。"},
            "member.people": {"en": "people", "zh": "受赠者"},
            "member.gifts": {"en": "gifts", "zh": "赠与"},
            "member.auditor": {"en": "auditor", "zh": "审计者"},
            "member.until": {"en": "promised until", "zh": "承诺期限"},
            "member.renews": {"en": "renews", "zh": "所续的赞助"},
            "member.sponsor": {"en": "sponsor", "zh": "赞助者"},
            "sponsorship.gifts": {"en": "Give {people} gifts, one each.", "zh": "请给出 {people} 份赠与，每人一份。"},
            "sponsorship.another": {
                "en": "The sponsor's newest sponsorship is {other}. Renew that one.",
                "zh": "赞助者最近的赞助是 {other}。请续这一份。",
            },
            "sponsorship.expired": {"en": "It ended at {time}.", "zh": "已于 {time} 结束。"},
            "sponsorship.is_promised": {"en": "Promised.", "zh": "已承诺。"},
            "sponsorship.is_renewed": {"en": "Renewed by {other}.", "zh": "已由 {other} 续期。"},
        }
    )

SAM, ADA, IDA, BOB_2, CLEO = map(person, ("sam", "ada", "ida", "bob's new key", "cleo"))


def sponsorship(of, **changes):
    people = sorted(map(account_of_private_key, (BOB, CLEO)))
    values = {
        "work": of,
        "people": tuple(people),
        "gifts": tuple(Gift(amount, salt(f"gift of {amount}")) for amount in (500, 700)),
        "auditor": account_of_private_key(ADA),
        "until": 2_000_000_000,
        "renews": NONE,
        "sponsor": account_of_private_key(SAM),
        "salt": salt("sponsorship"),
    }
    return Sponsorship(**(values | changes))


def vector(identity):
    """Type string, digest and signature are what an independent implementation of EIP-712 makes of it."""
    statement = sponsorship(salt("a work"))
    assert Sponsorship.STRUCT.type_string == (
        "Sponsorship(bytes32 work,address[] people,Gift[] gifts,address auditor,uint64 until,bytes32 renews,"
        "address sponsor,bytes32 salt)Gift(int256 amount,bytes32 salt)"
    )
    data = typed_data(statement, identity.address)
    theirs = _hash_eip191_message(encode_typed_data(full_message=data))
    assert statement.digest(domain_separator(identity.address)) == theirs


def declared_twice():
    """A second meaning of a tag, a second kind and a second rule of a name are refused, and change nothing."""
    for again in (
        lambda: define(Tag("sponsor", Value.FILE)),
        lambda: define(Tag("work", Value.STATEMENT, ("Upload",))),
        lambda: declare(Sponsorship),
        lambda: add_rule(Sponsorship, Rule()),
        lambda: texts.extend({"kind.Work": {"en": "a", "zh": "b"}}),
        lambda: texts.extend({"kind.Loan": {"en": "Loan"}}),
    ):
        with pytest.raises(ValueError, match=r"already|cannot mean|needs a text"):
            again()
    assert (TAGS["sponsor"], TAGS["work"]) == (SPONSOR, WORK)
    assert "kind.Loan" not in texts.catalogue("en")


@contextlib.contextmanager
def served(folder, url):
    """A registry whose web process is a thread here; its log is sequenced by the test."""
    world = open_world(Database(url))
    (folder / "identity.json").write_text(json.dumps(world.identity.to_json()), "utf-8")
    port = free_port()
    app = create_app(Settings(data=folder, database_url=url, port=port))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "it answers")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield world, Site(None, world.identity, client, client)
    finally:
        server.should_exit = True
        thread.join()
        world.database.close()


class Story:
    """What people do at that registry, and what each of them sees."""

    def __init__(self, world, site, folder):
        self.world, self.site, self.folder = world, site, folder
        self.client = site.anyone
        self.registry = to_checksum(world.identity.address)
        self.sessions = {}
        alice, bob, heir = map(account_of_private_key, (ALICE, BOB, BOB_2))
        self.made = work(creators=tuple(sorted((alice, bob))), salt=salt("of two"))
        self.other = work(creators=(alice,), salt=salt("of one"))
        of = self.digest(self.made)
        self.first, self.rival = sponsorship(of), sponsorship(of, salt=salt("rival"))
        auditor = account_of_private_key(IDA)
        self.second = sponsorship(of, renews=self.digest(self.first), auditor=auditor, salt=salt("second"))
        self.handed_over = Rotation(bob, heir, int(time.time()), salt("rotation"))

    def digest(self, statement):
        return statement.digest(self.world.separator)

    def get(self, path, key=None):
        if key is not None and key not in self.sessions:
            self.sessions[key] = self.site.sign_in(key)
        return self.client.get(path, headers=self.sessions.get(key, {}))

    def shown(self, statement, key=None):
        return self.get(f"/v1/statements/{to_hex(self.digest(statement))}", key).json()

    def draft(self, statement, key):
        answer = self.get(f"/v1/drafts/{to_hex(self.digest(statement))}", key)
        return answer.json() | {"status": answer.status_code}

    def propose(self, statement, *keys):
        answer = self.client.post("/v1/drafts", json=self.site.body(statement, *keys)).json()
        return answer.get("outcome", answer.get("code")), answer.get("missing")

    def events(self):
        return [event["name"] for event in self.get("/v1/events").json()["events"]]

    def sequence(self):
        self.world.now = int(time.time())
        self.world.sequence()

    def bundle(self, statement, key=None):
        answer = self.get(f"/v1/statements/{to_hex(self.digest(statement))}/bundle", key)
        path = self.folder / f"{self.digest(statement).hex()}.deed"
        if answer.is_success:
            path.write_bytes(answer.content)
        return answer.status_code, path

    def verify(self, language, require, *others):
        """Run `deedlog verify` on the bundle of the first, which may be there already, beside those of others."""
        path = self.folder / f"{self.digest(self.first).hex()}.deed"
        if not path.exists():
            self.bundle(self.first, ADA)
        beside = [option for other in others for option in ("--with", self.bundle(other)[1])]
        pinned = ("--registry", self.registry, "--require", require)
        return self.run("--lang", language, "verify", path, *beside, *pinned)

    def run(self, *arguments):
        """Run a command in this process, the only one that knows the kind."""
        done = CliRunner().invoke(cli, list(map(str, arguments)))
        return done.exit_code, done.output


def accepted(answer):
    assert answer.status_code == 201, answer.text
    return answer


def typed_data_is_made_for_it(tell):
    """Typed data is made for it, and what is wrong with it is said in the reader's language."""
    fields = tell.first.message()
    answer = tell.client.post("/v1/typed-data/Sponsorship", json=fields).json()
    assert (answer["typed_data"], answer["digest"]) == (
        typed_data(tell.first, tell.site.identity.address),
        to_hex(tell.digest(tell.first)),
    )
    wrong = tell.client.post(
        "/v1/typed-data/Sponsorship", json=fields | {"gifts": fields["gifts"][:1]}, params={"lang": "zh"}
    )
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["params"]) == (
        422,
        "sponsorship.gifts",
        {"people": 2},
    )
    assert "2 份赠与" in wrong.json()["detail"]
    assert "Sponsorship" in tell.client.get("/openapi.json").text


def its_signers_follow_from_the_work(tell):
    """Its signers follow from the work. Not even all signatures of others are enough."""
    alone = tell.site.post(tell.first, SAM).json()
    assert (alone["code"], alone["params"]["account"] in map(shown_account, (ALICE, BOB))) == (
        "signature.missing",
        True,
    )
    assert tell.propose(tell.first, ADA)[0] == "signature.not_a_signer"
    assert tell.propose(sponsorship(salt("no work")), SAM)[0] == "work.unknown"
    assert tell.propose(tell.first, SAM) == ("proposed", sorted(map(shown_account, (ALICE, BOB)), key=str.lower))
    assert tell.propose(tell.rival, SAM)[0] == "proposed"
    assert (tell.draft(tell.first, BOB)["state"], tell.draft(tell.first, CLEO)["code"]) == ("proposed", "draft.unknown")


def a_creator_hands_over(tell):
    """A creator hands over while it waits: the successor signs in their place."""
    accepted(tell.site.post(tell.handed_over, BOB, BOB_2))
    assert tell.propose(tell.first, ALICE) == ("signed", [shown_account(BOB_2)])
    assert {party["account"] for party in tell.draft(tell.rival, BOB_2)["parties"]} == set(
        map(shown_account, (ALICE, BOB_2, SAM))
    )
    tell.sequence()
    assert check_database(tell.world.database, tell.world.identity).counts.drafts == 2
    assert tell.propose(tell.first, BOB_2) == ("accepted", [])


def it_is_private(tell):
    """It is private: for who signed it, its auditor, and nobody else."""
    assert [reads(tell, tell.first, key) for key in (ALICE, BOB_2, SAM, ADA)] == [True] * 4
    assert [reads(tell, tell.first, key) for key in (None, CLEO, IDA, PLATFORM_KEY)] == [False] * 4
    assert tell.shown(tell.first)["standing"]["code"] == "sponsorship.is_promised"


def it_bears_on_its_sponsor(tell):
    """It bears on its sponsor: what else they promise must renew it."""
    late = tell.draft(tell.rival, SAM)
    assert (late["state"], late["reason"]["code"]) == ("stale", "sponsorship.another")
    assert tell.propose(sponsorship(tell.digest(tell.other)), SAM)[0] == "sponsorship.another"
    over = sponsorship(tell.digest(tell.made), renews=tell.digest(tell.first), until=int(time.time()) - 1)
    assert tell.propose(over, SAM)[0] == "sponsorship.expired"
    accepted(tell.site.post(tell.second, SAM, ALICE, BOB_2))
    assert tell.site.post(tell.second, SAM, ALICE, BOB_2).json()["outcome"] == "known"


def it_bears_on_what_it_renews(tell):
    """It bears on what it renews: that has another standing now, and another reader."""
    standing = tell.shown(tell.first)["standing"]
    assert (standing["code"], standing["params"]) == (
        "sponsorship.is_renewed",
        {"other": to_hex(tell.digest(tell.second))},
    )
    assert [reads(tell, tell.first, key) for key in (IDA, ADA, CLEO)] == [True, True, False]
    assert [reads(tell, tell.second, key) for key in (IDA, ADA)] == [True, False]
    happened = tell.events()
    assert [name for name in happened if name in ("promised", "renewed")] == ["promised", "promised", "renewed"]
    naming = tell.get(f"/v1/statements?work={to_hex(tell.digest(tell.first))}").json()["statements"]
    assert [found["digest"] for found in naming] == [to_hex(tell.digest(tell.second))]
    listed = tell.get("/v1/statements?kind=Sponsorship").json()["statements"]
    assert [found["standing"]["code"] for found in listed] == ["sponsorship.is_renewed", "sponsorship.is_promised"]


def log_and_database_are_in_order(tell):
    """It is logged, and the log and the database are in order with it."""
    tell.sequence()
    counts = check_database(tell.world.database, tell.world.identity).counts
    assert (counts.statements, counts.unlogged, counts.drafts) == (5, 0, 1)
    code, said = tell.run("audit", tell.client.base_url, "--registry", tell.registry)
    assert (code, "5 entries" in said) == (0, True), said


def its_bundle_is_for_its_readers(tell):
    """Its bundle is for its readers. Alone it cannot say who must sign; with what it names it can."""
    assert tell.bundle(tell.first)[0] == 403
    code, said = tell.verify("zh", "signatures,included")
    assert code == 0, said
    for words in ("赞助 (Sponsorship)", "受赠者 (people)", "赠与 (gifts)[1]: 700", "UTC"):
        assert words in said
    assert texts.text("zh", "complete.needs_others") in said
    code, said = tell.verify("en", "signatures,complete,included", tell.made, tell.handed_over)
    assert code == 0, said
    assert texts.text("en", "sponsorship.is_promised") in said


def one_line_can_be_shown_alone(tell):
    """One line of it can be shown without the others, to the account that it is about."""
    path = tell.bundle(tell.first, ADA)[1]
    opened = open_line(bundles.parse(path.read_bytes(), contracts()), account_of_private_key(CLEO))
    shown = [line for line in opened.typed_data["message"]["gifts"] if not isinstance(line, str)]
    assert len(shown) == 1
    path.write_bytes(opened.format())
    code, said = tell.verify("en", "signatures,complete,included", tell.made, tell.handed_over)
    assert (code, f"Shown lines: {shown[0]['amount']}." in said) == (0, True), said
    with pytest.raises(InvalidData, match="no_line"):
        open_line(opened, account_of_private_key(BOB))


def story(world, site, folder):
    tell = Story(world, site, folder)
    accepted(site.post(tell.made, ALICE, BOB))
    accepted(site.post(tell.other, ALICE))
    for part in (
        typed_data_is_made_for_it,
        its_signers_follow_from_the_work,
        a_creator_hands_over,
        it_is_private,
        it_bears_on_its_sponsor,
        it_bears_on_what_it_renews,
        log_and_database_are_in_order,
        its_bundle_is_for_its_readers,
        one_line_can_be_shown_alone,
    ):
        part(tell)


def shown_account(key):
    return to_checksum(account_of_private_key(key))


def reads(tell, statement, key):
    """Return whether the holder of a key sees a statement's body; all see that it is there."""
    shown = tell.shown(statement, key)
    assert shown["kind"] == "Sponsorship"
    assert (shown["typed_data"] is None) == shown["withheld"]
    return not shown["withheld"]


if __name__ == "__main__":
    declared_twice()
    with served(Path(sys.argv[1]), sys.argv[2]) as (its_world, its_site):
        vector(its_world.identity)
        story(its_world, its_site, Path(sys.argv[1]))
