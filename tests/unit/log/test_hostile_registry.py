"""A registry that wants something signed that nobody saw: what the commands of shares believe of its answers."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.faults.strange_server import answering
from support.worlds.registries.registry_world import identity
from support.worlds.registries.shares_world import Person, agreement, lines, people, rotation

from deedlog.api.cli import cli
from deedlog.registry import keystore, sign_in
from deedlog.registry.errors import DeedlogError
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.eip712 import domain_separator, line_hash
from deedlog.registry.statements.signatures import sign
from deedlog.registry.statements.typed_data import typed_data

IDENTITY = identity(Ed25519PrivateKey.from_private_bytes(bytes(32)))
WORK = b"\x01" * 32
MOMENT = "2026-11-20T00:00:00Z"
ESCAPE = "\x1b]0;owned\x07"


class Hostile:
    """Answers as it is told, by method and path; keeps what it is sent."""

    def __init__(self, routes):
        self.posted = []
        self._routes = routes
        self.url = ""
        self._account = ""

    def __call__(self, method, path, body):
        if path == "/v1/registry":
            return answer({"identity": IDENTITY.to_json()})
        if path == "/v1/sessions/nonce":
            self._account = json.loads(body)["account"]
            site = sign_in.site_at(self.url)
            issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            offer = {"domain": site.domain, "uri": site.uri, "chain_id": 1, "nonce": "a" * 16, "issued_at": issued}
            return answer(offer, 201)
        if path == "/v1/sessions":
            return answer({"token": "deedsession_x", "account": self._account}, 201)
        for pattern, given in self._routes.items():
            if re.search(pattern, f"{method} {path}"):
                if method == "POST":
                    self.posted.append(json.loads(body))
                return given(path) if callable(given) else given
        return refusal("statement.unknown", 404, digest="0x" + "00" * 32)


def answer(value, status=200):
    return status, json.dumps(value).encode()


def refusal(code, status, **params):
    return answer({"code": code, "params": params, "field": None}, status)


@pytest.fixture
def me(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEDLOG_HOME", str(tmp_path / "home"))
    (tmp_path / "home/keys").mkdir(parents=True)
    (tmp_path / "passphrase").write_text("secret\n", "utf-8")
    person = Person()
    keystore.write(tmp_path / "home/keys/default.json", person.key, "secret", cost=2**4)
    person.passphrase = str(tmp_path / "passphrase")
    return person


def run(me, routes, *arguments):
    hostile = Hostile(routes)
    with answering(hostile) as url:
        hostile.url = url
        how = ("--url", url, "--passphrase-file", me.passphrase)
        done = CliRunner().invoke(cli, ["--lang", "en", *arguments, *how])
    assert done.exception is None or isinstance(done.exception, DeedlogError), done.exc_info
    assert "\x1b" not in done.output
    return getattr(done.exception, "code", None), hostile.posted


def digest_of(statement):
    return to_hex(statement.digest(domain_separator(IDENTITY.address)))


def drafts_of(statement):
    digest = digest_of(statement)
    signed = {"digest": digest, "kind": statement.kind, "outcome": "signed", "missing": []}
    return digest, {
        f"GET /v1/drafts/{digest}$": answer(
            {
                "digest": digest,
                "kind": statement.kind,
                "state": "proposed",
                "typed_data": typed_data(statement, IDENTITY.address),
                "parties": [],
                "proposed_at": MOMENT,
            }
        ),
        "POST .*/signatures": answer(signed, 201),
    }


def test_nothing_is_signed_of_which_a_line_is_hidden(me):
    ben, cleo, payer = people(3)
    whole = agreement([WORK], {me: 400_000, ben: 300_000, cleo: 300_000}, payer)
    too_much = lines({me: 400_000, ben: 900_000, cleo: 900_000})
    hidden = tuple(share if share.party == me.account else line_hash(share) for share in too_much)
    for statement in (whole.opened(me.account), replace(whole, shares=hidden)):
        digest, routes = drafts_of(statement)
        code, posted = run(me, routes, "agreement", "accept", digest, "--yes")
        assert (code, posted) == ("line.hidden", [])
    digest, routes = drafts_of(whole)
    code, posted = run(me, routes, "agreement", "accept", digest, "--yes")
    assert (code, len(posted)) == (None, 1)


def test_no_account_is_handed_over_by_accepting_a_draft(me):
    [evil] = people(1)
    digest, routes = drafts_of(rotation(me, evil))
    assert run(me, routes, "agreement", "accept", digest, "--yes") == ("agreement.rotation", [])


def record(statement, *signers, digest=None):
    """Return what a registry answers about a statement."""
    signed = [sign(statement.digest(domain_separator(IDENTITY.address)), signer.key) for signer in signers]
    return {
        "digest": digest or digest_of(statement),
        "kind": statement.kind,
        "state": "accepted",
        "standing": {"code": "agreement.is_in_force", "params": {}},
        "typed_data": typed_data(statement, IDENTITY.address),
        "signatures": [
            {"account": to_checksum(one.account), "scheme": "secp256k1", "signature": to_hex(one.signature)}
            for one in signed
        ],
        "accepted_at": MOMENT,
        "log_index": None,
        "entry_time": None,
        "references": [],
    }


def rotated(before, after, *signers, digest=None):
    return record(rotation(before, after), *signers, digest=digest)


@pytest.mark.parametrize("how", ["both", "evil alone", "another digest", "without a body"])
def test_who_speaks_for_an_account_is_believed_of_what_both_have_signed(me, how):
    ben, payer, other = people(3)
    before = agreement([WORK], {me: 900_000, ben: 100_000}, payer)
    digest = digest_of(before)
    named = {
        "both": lambda: rotated(payer, other, payer, other),
        "evil alone": lambda: rotated(payer, other, other),
        "another digest": lambda: rotated(payer, other, payer, other, digest="0x" + "ab" * 32),
        "without a body": lambda: rotated(payer, other, payer, other) | {"typed_data": None},
    }[how]()

    def rotations(path):
        return answer({"statements": [named] if to_hex(payer.account) in path else [], "next": None})

    routes = {
        f"GET /v1/statements/{digest}$": answer(record(before)),
        "GET /v1/drafts": refusal("draft.unknown", 404, digest=digest),
        r"GET /v1/statements\?": rotations,
        "POST /v1/drafts$": refusal("work.unknown", 409, work=to_hex(WORK)),
    }
    _, posted = run(me, routes, "agreement", "amend", digest, "--yes")
    payers = [body["typed_data"]["message"]["payer"] for body in posted]
    assert payers == {"both": [to_hex(other.account)], "without a body": [to_hex(payer.account)]}.get(how, [])


def test_an_account_is_not_followed_for_ever(me):
    ben, payer = people(2)
    before = agreement([WORK], {me: 900_000, ben: 100_000}, payer)
    digest = digest_of(before)
    keys = {}

    def rotations(path):
        account = re.search("0x[0-9a-f]{40}", path)[0]
        known = {to_hex(person.account): person for person in (me, ben, payer)} | keys
        [successor] = people(1)
        keys[to_hex(successor.account)] = successor
        return answer({"statements": [rotated(known[account], successor, known[account], successor)], "next": None})

    routes = {
        f"GET /v1/statements/{digest}$": answer(record(before)),
        "GET /v1/drafts": refusal("draft.unknown", 404, digest=digest),
        r"GET /v1/statements\?": rotations,
    }
    assert run(me, routes, "agreement", "amend", digest, "--yes") == ("rotation.too_many", [])


def page(**changes):
    report = {"digest": "0x" + "ab" * 32, "amount": "1", "carried": "0", "paid": {"0x" + "11" * 20: "1"}}
    whole = {"agreement": "0x" + "ab" * 32, "status": "in_force", "reports": [report], "currency": "CNY"}
    return whole | {"carried": "0", "closing": {}, "next": None} | changes


@pytest.mark.parametrize(
    "body",
    [
        {},
        page(reports=None),
        page(reports=[{}]),
        page(reports=[], next="0"),
        page(next="1"),
        page(currency=7),
        page(carried=ESCAPE),
        page(closing={ESCAPE: "1"}),
        page(reports=[page()["reports"][0] | {"paid": {ESCAPE: "1"}}]),
    ],
    ids=str,
)
def test_payouts_of_no_sense_are_none(me, body):
    shown = run(me, {"GET /v1/agreements": answer(body)}, "payout", "show", "0x" + "ab" * 32)
    assert shown == ("registry.answered", [])


def test_payouts_are_shown(me):
    shown = run(me, {"GET /v1/agreements": answer(page())}, "payout", "show", "0x" + "ab" * 32)
    assert shown == (None, []), "or the test above could not fail"


def test_a_statement_that_a_newer_registry_shows_is_named_and_nothing_is_signed(me):
    [payer] = people(1)
    whole = agreement([WORK], {me: 900_000, payer: 100_000}, payer)
    digest = digest_of(whole)
    data = typed_data(whole, IDENTITY.address) | {"primaryType": "Song"}
    newer = {"digest": digest, "kind": "Song", "typed_data": data}
    draft = newer | {"state": "proposed", "parties": [], "proposed_at": MOMENT}
    for command in (("show", digest), ("accept", digest, "--yes"), ("amend", digest, "--yes")):
        shown = run(me, {f"GET /v1/drafts/{digest}$": answer(draft)}, "agreement", *command)
        assert shown == ("statement.newer_kind", []), command
    later = record(whole, me) | {"standing": {"code": "agreement.is_something_new", "params": {}}}
    routes = {
        "GET /v1/drafts": refusal("draft.unknown", 404, digest=digest),
        f"GET /v1/statements/{digest}$": answer(later),
    }
    assert run(me, routes, "agreement", "show", digest) == (None, [])
