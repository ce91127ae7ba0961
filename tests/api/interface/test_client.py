"""The client for platforms, `deedlog.client`, at a real registry and before one that lies."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
from support.faults.strange_server import answering
from support.worlds.registries.registry_world import ALICE, BOB, PLATFORM_KEY, rendition, salt, upload, work
from support.worlds.registries.shares_world import agreement, people, report
from support.worlds.registries.shares_world import work as joint_work

from deedlog.api.client import registry as client_module
from deedlog.client import (
    Agreement,
    Draft,
    InvalidData,
    Registry,
    SignedStatement,
    StatementRecord,
    Unavailable,
    VerificationError,
)
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements import signatures
from deedlog.registry.statements.signatures import account_of_private_key

FAR = "2031-01-01T00:00:00Z"


def at(site, key=None, **options):
    return Registry(site.local.url, address=site.identity.address, key=key, **options)


def fresh(**changes):
    return work(**{"content": secrets.token_bytes(16), "salt": secrets.token_bytes(32)} | changes)


@pytest.fixture
def platform(site):
    secret = site.platform.headers["Authorization"].removeprefix("Bearer ")
    with at(site, PLATFORM_KEY, api_key=secret) as registry:
        yield registry


def test_a_statement_from_its_signature_to_its_proof(site):
    statement = fresh()
    with at(site, ALICE) as registry:
        receipt = registry.register(statement)
        assert (receipt.kind, receipt.outcome, receipt.missing) == ("Work", "accepted", ())
        assert receipt.digest == registry.digest(statement)
        assert registry.register(statement).outcome == "known"
        told = []
        found = registry.wait(receipt.digest, "anchored", seconds=120, poll=0.1, told=told.append)
        assert found.state in ("anchored", "final")
        assert set(told) <= {"accepted", "logged"}
        assert found.statement == statement
        assert [signature.account for signature in found.signatures] == [registry.account]
        assert found.accepted_at <= found.entry_time <= time.time()
        proof = registry.prove(receipt.digest)
        assert proof.verdict.digest == receipt.digest
        assert proof.bundle.format() == proof.data
        [listed] = registry.statements(content_hash=statement.contentHash)
        assert listed.digest == receipt.digest
        names = [event.name for event in registry.events() if event.digest == receipt.digest]
        assert names[:2] == ["logged", "anchored"]


def test_events_go_on_after_a_cursor(site):
    with at(site, ALICE) as registry:
        first = registry.register(fresh()).digest
        registry.wait(first, "logged", poll=0.1)
        seen = list(registry.events())
        assert [event for event in registry.events(seen[-1].cursor) if event.digest == first and event in seen] == []
        second = registry.register(fresh()).digest
        registry.wait(second, "logged", poll=0.1)
        later = list(registry.events(seen[-1].cursor))
        assert second in [event.digest for event in later]
        assert all(event not in seen for event in later)


def test_a_batch_gives_one_result_for_each_in_order(platform):
    content = secrets.token_bytes(16)
    source = upload(content=content, salt=secrets.token_bytes(32))
    signed = [
        platform.sign(source, reference=secrets.token_hex(8)),
        platform.sign(rendition(platform.digest(source), content=content[::-1], salt=secrets.token_bytes(32))),
        platform.sign(fresh()),  # of Alice, who has not signed it
    ]
    first, second, third = platform.batch(signed)
    assert (first.outcome, first.digest) == ("accepted", platform.digest(source))
    assert (second.outcome, second.kind) == ("accepted", "Rendition")
    assert isinstance(third, InvalidData)
    assert third.code == "signature.missing"
    assert platform.statement(first.digest).references == (signed[0].reference,)
    assert [result.outcome for result in platform.batch(signed[:2])] == ["known", "known"]
    for count in (0, 501):
        with pytest.raises(InvalidData, match=r"list\.length"):
            platform.batch(signed[:1] * count)


def test_a_draft_is_proposed_signed_and_declined(site):
    anna, ben = people(2)
    payer = people(1)[0]
    with at(site, anna.key) as first, at(site, ben.key) as other, at(site, payer.key) as paying:
        shared = joint_work(anna, ben)
        assert first.propose(first.sign(shared)).missing == (ben.account,)
        other.sign_in()
        [draft] = other.drafts(kind="Work")
        assert (draft.statement, draft.state) == (shared, "proposed")
        assert {party.account for party in draft.parties if party.signed_at} == {anna.account}
        receipt = other.sign_draft(draft.statement)
        assert (receipt.outcome, receipt.missing) == ("accepted", ())
        made = agreement([receipt.digest], {anna: 500_000, ben: 500_000}, payer)
        assert first.propose(first.sign(made)).outcome == "proposed"
        found = other.find(first.digest(made))
        assert isinstance(found, Draft)
        assert isinstance(found.statement, Agreement)
        assert other.decline(found.digest).state == "declined"
        assert other.sign_draft(found.statement).outcome == "accepted"
        assert isinstance(other.find(found.digest), StatementRecord)
        start = made.effectiveFrom
        paid = paying.register(report(receipt.digest, payer, start, start + 60, 1001))
        payouts = other.payouts(found.digest)
        assert [each.digest for each in payouts.reports] == [paid.digest]
        assert sum(payouts.reports[0].paid.values()) + payouts.carried == 1001
        with pytest.raises(InvalidData, match=r"sign_in\.missing|statement\.withheld"):
            paying.draft(found.digest)


def test_a_function_may_sign(site):
    asked = []

    def sign(digest):
        asked.append(digest)
        return signatures.sign(digest, BOB)

    statement = fresh(key=BOB)
    with at(site, sign, account=to_checksum(account_of_private_key(BOB))) as registry:
        registry.sign_in()
        assert registry.register(statement).digest == asked[1] == registry.digest(statement)
    with at(site, sign, account=account_of_private_key(ALICE)) as registry:
        with pytest.raises(VerificationError, match=r"signature\.signer"):
            registry.sign(statement)
        with pytest.raises(VerificationError, match=r"signature\.signer"):
            registry.sign_in()

    def sign_as_another(digest):
        return replace(sign(digest), account=account_of_private_key(ALICE))

    with at(site, sign_as_another) as registry, pytest.raises(VerificationError, match=r"signature\.signer"):
        registry.sign(statement)
    with at(site) as registry:
        with pytest.raises(InvalidData, match=r"client\.no_key"):
            registry.sign(statement)
        with pytest.raises(InvalidData, match=r"client\.no_key"):
            registry.sign_in()


def test_what_was_signed_can_be_kept_and_sent_later(site):
    with at(site, ALICE) as registry:
        signed = registry.sign(fresh(), reference=None, public_from=FAR)
        again = SignedStatement.from_json(json.loads(json.dumps(signed.to_json())), registry.address)
        assert again == signed
        assert registry.send(again).outcome == "accepted"
        with pytest.raises(InvalidData, match=r"typed_data\.domain"):
            SignedStatement.from_json(signed.to_json(), bytes(20))


def test_waiting_ends(site):
    with at(site, ALICE) as registry:
        with pytest.raises(InvalidData, match=r"statement\.unknown"):
            registry.wait(bytes(32))
        digest = registry.register(fresh()).digest
        with pytest.raises(Unavailable) as caught:
            registry.wait(digest, "final", seconds=0, poll=0.01)
    assert caught.value.code == "client.still"


def test_a_registry_that_is_not_the_pinned_one_is_refused(site):
    with Registry(site.local.url, address=bytes([1] * 20), key=ALICE) as registry:
        for ask in (registry.identity, lambda: registry.prove(bytes(32)), lambda: registry.register(fresh())):
            with pytest.raises(InvalidData) as caught:
                ask()
            assert caught.value.code in ("registry.other", "statement.unknown", "typed_data.domain")


@pytest.mark.parametrize("api_key", ["", "deedlog_a\r\nX-Evil: 1", "密钥"])
def test_an_api_key_that_is_none(api_key):
    with pytest.raises(InvalidData, match=r"api_key\.invalid"):
        Registry("http://127.0.0.1:1", api_key=api_key)


@pytest.mark.parametrize("language", ["é", "en\r\nX-Evil: 1"])
def test_a_language_that_no_header_can_carry_is_refused_at_once(language):
    with pytest.raises(InvalidData, match=r"http\.header_value"):
        Registry("http://127.0.0.1:1", language=language)


@pytest.mark.parametrize("address", [b"", bytes(32), "0x12", "somewhere"])
def test_an_address_that_is_none(address):
    with pytest.raises(InvalidData) as caught:
        Registry("http://127.0.0.1:1", address=address)
    assert caught.value.field == "address"


def test_without_a_pin_the_registrys_own_word_is_taken(site):
    with Registry(site.local.url + "/", key=ALICE) as registry:
        assert registry.address == site.identity.address
        assert registry.register(fresh()).outcome == "accepted"


# A registry that lies


@pytest.fixture
def liar(site):
    """A server before the registry that changes what it answers: `change(path, answer)`, both ways of JSON."""
    told = SimpleNamespace(change=lambda _path, shown: shown)

    def relay(method, path, body):
        real = httpx.request(method, site.local.url + path, content=body)
        if path == "/v1/registry" or "json" not in real.headers["Content-Type"]:
            return real.status_code, real.content
        return real.status_code, json.dumps(told.change(path, real.json())).encode()

    with answering(relay) as told.url:
        told.at = lambda key=ALICE: Registry(told.url, address=site.identity.address, key=key, pauses=())
        yield told


def test_another_statement_than_was_asked_for_is_not_believed(site, liar):
    with at(site, ALICE) as registry:
        digests = [registry.register(fresh()).digest for _ in range(2)]
        registry.wait(digests[1], "logged", poll=0.1)
        other = registry.statement(digests[1]).answer
    changes = {
        "the other one": lambda _path, _shown: other,
        "the other one's members": lambda _path, shown: {**shown, "typed_data": other["typed_data"]},
        "the other one's digest": lambda _path, shown: {**shown, "digest": other["digest"]},
    }
    with liar.at() as registry:
        for name, change in changes.items():
            liar.change = change
            with pytest.raises(InvalidData) as caught:
                registry.statement(digests[0])
            assert caught.value.code == "signing.other_digest", name
        liar.change = lambda _path, shown: {**shown, "state": "carved in stone"}
        with pytest.raises(Unavailable, match=r"registry\.answered"):
            registry.statement(digests[0])
        liar.change = lambda _path, shown: shown | {"digest": other["digest"]} if "outcome" in shown else shown
        with pytest.raises(Unavailable, match=r"registry\.answered"):
            registry.register(fresh())


def test_another_statements_bundle_is_not_returned(site):
    with at(site, ALICE) as registry:
        digests = [registry.register(fresh()).digest for _ in range(2)]
        for digest in digests:
            registry.wait(digest, "logged", poll=0.1)

    def swap(method, path, body):
        path = path.replace(to_hex(digests[0]), to_hex(digests[1])) if path.endswith("bundle") else path
        real = httpx.request(method, site.local.url + path, content=body)
        return real.status_code, real.content

    with (
        answering(swap) as url,
        Registry(url, address=site.identity.address) as registry,
        pytest.raises(InvalidData, match=r"prove\.other_statement"),
    ):
        registry.prove(digests[0])


def test_lists_that_never_end_do(liar, monkeypatch):
    monkeypatch.setattr(client_module, "_EMPTY_PAGES", 10)
    pages = iter(range(1, 10**9))
    with liar.at() as registry:
        liar.change = lambda _path, _shown: {"events": [], "next": f"{next(pages)}.0"}
        with pytest.raises(Unavailable, match=r"registry\.answered"):
            list(registry.events())
        liar.change = lambda _path, _shown: {"statements": "many", "next": None}
        with pytest.raises(Unavailable, match=r"registry\.answered"):
            list(registry.statements())


def test_it_works_with_a_salt_of_its_own(site):
    """The digest is of the members as given: nothing is added by the registry."""
    statement = fresh(salt=salt("chosen"), title="chosen")
    with at(site, ALICE) as registry:
        assert registry.statement(registry.register(statement).digest).statement.salt == salt("chosen")
