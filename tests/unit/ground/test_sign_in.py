"""The message to sign in: as viem makes it, as EIP-4361's own grammar has it, and for one site, chain and time."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest
from eth_account.messages import _hash_eip191_message, encode_defunct
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.models.sign_in_grammar import parsed
from support.worlds.registries.registry_world import ALICE, BOB, NOW

from deedlog.registry import sign_in
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.sign_in import CLOCK_SECONDS, MAXIMUM_MESSAGE, NONCE_SECONDS, Message, Proof, offer, read, site_at
from deedlog.registry.statements.signatures import account_of_private_key, sign

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "vectors/sign_in.json").read_text("utf-8"))
ACCOUNT = account_of_private_key(ALICE)
SITE = site_at("http://127.0.0.1:8000")
CHAIN = 31337
GOOD = offer(ACCOUNT, SITE, CHAIN, "9f86d081884c7d659a2feaa0c55ad015", NOW)
STATEMENT_CHARACTERS = "abcXYZ019-._~:/?#[]@!$&'()*+,;= "


def prove(text, key=ALICE, now=NOW):
    return sign_in.prove(text, sign(sign_in.digest(text), key).signature, SITE, CHAIN, now)


def code_of(work):
    with pytest.raises(InvalidData) as caught:
        work()
    return caught.value.code


# Against viem


@pytest.mark.parametrize("made", VECTORS["made"], ids=lambda made: made["name"])
def test_a_wallets_message_is_read_as_it_was_meant(made):
    site = site_at(made["uri"])
    given_fields = {name: made.get(name) for name in ("scheme", "statement", "expiration_time", "not_before")}
    same = {name: made[name] for name in ("domain", "uri", "chain_id", "nonce", "issued_at")}
    message = Message(account=bytes.fromhex(made["account"][2:]), **same, **given_fields)
    assert read(made["message"]) == message
    assert message.text() == made["message"].replace(".000Z", "Z")
    assert to_hex(sign_in.digest(made["message"])) == made["digest"]
    assert (
        to_hex(sign(bytes.fromhex(made["digest"][2:]), bytes.fromhex(made["private_key"][2:])).signature)
        == (made["signature"])
    )
    signature = bytes.fromhex(made["signature"][2:])
    proof = sign_in.prove(made["message"], signature, site, made["chain_id"], VECTORS["now"])
    assert proof == Proof(message.account, made["nonce"])


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_a_message_of_the_vectors_is_refused_by_its_code(case):
    assert code_of(lambda: prove(case["message"], (1).to_bytes(32, "big"), VECTORS["now"])) == case["code"]


@given(st.text(max_size=300).filter(lambda text: not any("\ud800" <= character <= "\udfff" for character in text)))
@example("\u6f22" * 40)
def test_the_digest_is_that_of_eth_account(text):
    assert sign_in.digest(text) == _hash_eip191_message(encode_defunct(text=text))


# Against the published grammar

messages = st.builds(
    Message,
    domain=st.just(SITE.domain),
    account=st.binary(min_size=20, max_size=20),
    uri=st.just(SITE.uri),
    chain_id=st.integers(0, 2**256 - 1),
    nonce=st.from_regex("[A-Za-z0-9]{8,40}", fullmatch=True),
    issued_at=st.integers(0, 4_000_000_000),
    expiration_time=st.none() | st.integers(0, 4_000_000_000),
    not_before=st.none() | st.integers(0, 4_000_000_000),
    statement=st.none() | st.text(STATEMENT_CHARACTERS, min_size=1, max_size=60),
    scheme=st.none() | st.just("http"),
)


@given(messages)
def test_a_message_is_read_back(message):
    assert read(message.text()) == message


@settings(max_examples=60, deadline=None)
@given(messages)
def test_what_we_write_is_a_message_by_the_grammar(message):
    members = parsed(message.text())
    assert members is not None
    assert (members["domain"], members["uri"], members["nonce"]) == (message.domain, message.uri, message.nonce)
    assert (members["address"], members["chain-id"]) == (to_checksum(message.account), str(message.chain_id))
    assert members.get("statement") == message.statement
    assert ("expiration-time" in members) == (message.expiration_time is not None)
    assert ("not-before" in members) == (message.not_before is not None)


def taken(text):
    try:
        read(text)
    except InvalidData as error:
        return error.code != "sign_in.malformed"
    return True


@settings(max_examples=150, deadline=None)
@given(
    messages,
    st.integers(0, 600),
    st.sampled_from('\n\r\t\0 :/?#[]@%"<>\\^`{|}aZ09.-+zTé\u6f22'),
    st.sampled_from(["instead", "added", "removed"]),
)
def test_where_one_character_is_changed_the_grammar_and_we_agree(message, place, character, change):
    """Of domain and URI only their characters are looked at: what they must be is compared, see below."""
    text = message.text()
    place %= len(text)
    text = text[:place] + ("" if change == "removed" else character) + text[place + (change != "added") :]
    if parsed(text) is not None:
        # The grammar has no upper bound for chain and version, and no other version than 1.
        assert taken(text), text
    elif taken(text):
        same = {"domain": SITE.domain, "uri": SITE.uri, "scheme": message.scheme}
        version = "\nVersion: 1\n" in text
        assert not version or any(getattr(read(text), name) != value for name, value in same.items()), text


# The site


@pytest.mark.parametrize(
    ("url", "domain", "uri"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("HTTP://Deeds.Example.COM/", "deeds.example.com", "http://deeds.example.com"),
        ("https://deeds.example.com:443", "deeds.example.com", "https://deeds.example.com"),
        ("http://deeds.example.com:443", "deeds.example.com:443", "http://deeds.example.com:443"),
        ("https://deeds.example.com/A/b//", "deeds.example.com", "https://deeds.example.com/A/b"),
        ("http://[::1]:8000", "[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_site_has_one_form(url, domain, uri):
    site = site_at(url)
    assert (site.scheme, site.domain, site.uri) == (url.split(":")[0].lower(), domain, uri)
    assert parsed(offer(ACCOUNT, site, 1, "12345678", NOW).text())["domain"] == domain


@pytest.mark.parametrize(
    "url",
    [
        *("", "deeds.example.com", "ftp://deeds.example.com", "http://", "http:///x", "http://a b", "http://a\n"),
        *("http://user@host", "http://host?x", "http://host#x", "http://host:", "http://host:x", "http://host:123456"),
        *("http://\u6f22", "http://host/\u6f22", "http://host\\@evil", "http://[zz]"),
    ],
)
def test_what_is_no_plain_url_is_no_site(url):
    assert code_of(lambda: site_at(url)) == "sign_in.url"


# The checks


def test_a_good_message_is_proven_until_it_expires():
    assert prove(GOOD.text()) == Proof(ACCOUNT, GOOD.nonce)
    assert prove(GOOD.text(), now=NOW + NONCE_SECONDS - 1) == Proof(ACCOUNT, GOOD.nonce)
    assert code_of(lambda: prove(GOOD.text(), now=NOW + NONCE_SECONDS)) == "sign_in.expired"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"domain": "127.0.0.1:8001"}, "sign_in.domain"),
        ({"domain": "127.0.0.1"}, "sign_in.domain"),
        ({"domain": "127.0.0.1:8000.evil.com"}, "sign_in.domain"),
        ({"domain": "127.0.0.1:8000@evil.com"}, "sign_in.domain"),
        ({"uri": "http://127.0.0.1:8000/"}, "sign_in.uri"),
        ({"uri": "https://127.0.0.1:8000"}, "sign_in.uri"),
        ({"scheme": "https"}, "sign_in.scheme"),
        ({"chain_id": 1}, "sign_in.chain"),
        ({"chain_id": 2**256 - 1}, "sign_in.chain"),
        ({"issued_at": NOW + CLOCK_SECONDS + 1}, "sign_in.ahead"),
        ({"issued_at": NOW - CLOCK_SECONDS - NONCE_SECONDS - 1}, "sign_in.old"),
        ({"expiration_time": NOW}, "sign_in.expired"),
        ({"not_before": NOW + 1}, "sign_in.not_yet"),
    ],
)
def test_a_message_for_another_site_chain_or_time_is_refused(changes, code):
    text = dataclasses.replace(GOOD, **changes).text()
    assert code_of(lambda: prove(text)) == code


def test_what_may_differ_may():
    for changes in (
        {"scheme": "http"},
        {"statement": None},
        {"statement": "Words of the wallet's own."},
        {"issued_at": NOW + CLOCK_SECONDS},
        {"issued_at": NOW - CLOCK_SECONDS - NONCE_SECONDS},
        {"expiration_time": None},
        {"not_before": NOW},
    ):
        assert prove(dataclasses.replace(GOOD, **changes).text()).account == ACCOUNT


def test_another_accounts_signature_is_refused():
    assert code_of(lambda: prove(GOOD.text(), BOB)) == "sign_in.signer"


def test_a_signature_over_another_text_is_refused():
    other = sign(sign_in.digest(GOOD.text() + " "), ALICE).signature
    assert code_of(lambda: sign_in.prove(GOOD.text(), other, SITE, CHAIN, NOW)) == "sign_in.signer"


@pytest.mark.parametrize(
    "time_text",
    ["2026-11-23T18:53:20Z", "2026-11-23t18:53:20z", "2026-11-23T18:53:20.999999999Z", "2026-11-24T02:53:20+08:00"],
)
def test_a_time_may_be_written_in_each_of_the_ways_of_rfc_3339(time_text):
    text = GOOD.text().replace("Issued At: 2026-11-23T18:53:20Z", f"Issued At: {time_text}")
    assert parsed(text) is not None
    assert read(text).issued_at == NOW


@pytest.mark.parametrize(
    "time_text",
    [
        *("2026-02-30T00:00:00Z", "2026-01-01T24:00:01Z", "2026-01-01T00:00:60Z", "0000-01-01T00:00:00Z"),
        "2026-01-01T00:00:00+24:00",
    ],
)
def test_a_time_that_there_is_not_is_refused(time_text):
    text = GOOD.text().replace("2026-11-23T18:53:20Z", time_text)
    assert code_of(lambda: read(text)) == "sign_in.time"


def test_the_ends_of_time_are_read():
    for time_text in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        text = GOOD.text().replace("2026-11-23T18:53:20Z", time_text)
        assert code_of(lambda text=text: prove(text)) in ("sign_in.old", "sign_in.ahead")


@pytest.mark.parametrize(
    "text",
    [
        *("a" * MAXIMUM_MESSAGE, "a:" * 2000, "%41" * 1300, "[1:" * 1300, "a\n" * 2000, "http://" * 500),
        *(GOOD.text().replace("rights", character * 3600) + "^" for character in "a:["),
        GOOD.text() + "\nResources:" + "\n- a:b" * 600 + "^",
        GOOD.text() + "\nRequest ID: " + "%41" * 1200 + "^",
    ],
    ids=range(11),
)
def test_no_message_takes_long(text):
    """A few milliseconds at the most, for what somebody sends who has proven nothing."""
    began = time.process_time()
    assert code_of(lambda: read(text)) == "sign_in.malformed"
    assert time.process_time() - began < 0.1


# What a client signs

OFFERED = {
    "domain": SITE.domain,
    "uri": SITE.uri,
    "version": "1",
    "chain_id": CHAIN,
    "nonce": GOOD.nonce,
    "statement": "I give all my rights away",
    "issued_at": "2026-11-23T18:53:20Z",
    "expiration_time": "2099-11-23T18:53:20Z",
    "message": "evil.example.com wants you to sign in with your Ethereum account:",
}


def test_a_client_signs_its_own_words_for_its_own_site():
    assert sign_in.agree(OFFERED, ACCOUNT, SITE, NOW) == GOOD


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"domain": "evil.example.com"}, "sign_in.other_site"),
        ({"uri": "https://evil.example.com"}, "sign_in.other_site"),
        ({"uri": None}, "sign_in.other_site"),
        ({"domain": SITE.domain + "\n"}, "sign_in.other_site"),
        ({"nonce": "12345678\nIssued At: 2026-11-23T18:53:20Z\nResources:\n- a:b"}, "sign_in.malformed"),
        ({"nonce": "12345678\nIssued At: 2026-11-23T18:53:20Z\nRequest ID: x"}, "sign_in.malformed"),
        ({"nonce": "1234567"}, "sign_in.malformed"),
        ({"nonce": ""}, "sign_in.malformed"),
        ({"nonce": "a" * MAXIMUM_MESSAGE}, "sign_in.malformed"),
        ({"nonce": 12345678}, "sign_in.malformed"),
        ({"nonce": None}, "sign_in.malformed"),
        ({"chain_id": "31337"}, "sign_in.malformed"),
        ({"chain_id": True}, "sign_in.malformed"),
        ({"chain_id": -1}, "sign_in.malformed"),
        ({"issued_at": 5}, "sign_in.malformed"),
        ({"issued_at": "then"}, "sign_in.time"),
        ({"issued_at": "2026-11-23"}, "sign_in.time"),
        ({"issued_at": "2026-11-23T18:53:20"}, "sign_in.time"),
        ({"issued_at": "2026-11-23T18:53:20Z\nResources:"}, "sign_in.time"),
        ({"issued_at": "2126-11-23T18:53:20Z"}, "sign_in.ahead"),
        ({"issued_at": "2025-11-23T18:53:20Z"}, "sign_in.old"),
        ({"issued_at": "2026-11-23T18:48:20Z"}, "sign_in.expired"),
    ],
)
def test_a_client_signs_nothing_for_an_offer_that_is_not_for_it(changes, code):
    assert code_of(lambda: sign_in.agree(OFFERED | changes, ACCOUNT, SITE, NOW)) == code


@pytest.mark.parametrize("offered", [None, [], "x", 7, {}])
def test_a_client_signs_nothing_for_what_is_no_offer(offered):
    assert code_of(lambda: sign_in.agree(offered, ACCOUNT, SITE, NOW)) == "sign_in.malformed"
