"""`statements.json` and `refused.json`: our code agrees with every case, and so do eth-account, viem and ethers."""

from __future__ import annotations

import json

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from vectors.generate import refused_vectors, statement_vectors
from vectors.generate.refused_base import plain

from registry import strict_json
from registry.eip712 import domain_separator
from registry.errors import InvalidData, VerificationError
from registry.hexadecimal import from_hex
from registry.signatures import Signature, check, check_complete, sign
from registry.statements import KINDS
from registry.typed_data import from_typed_data, signed_for, typed_data

STATEMENTS = json.loads(statement_vectors.PATH.read_text(encoding="utf-8"))
REFUSED = json.loads(refused_vectors.PATH.read_text(encoding="utf-8"))
REFUSED_REGISTRY = from_hex(REFUSED["registry"], 20, None)
KEYS = {item["account"]: from_hex(item["private_key"], 32, None) for item in STATEMENTS["keys"]}
HASHES = ("digest", "domain_separator", "struct_hash")
MAXIMUM = 1 << 18

cases = pytest.mark.parametrize("case", STATEMENTS["cases"], ids=lambda case: case["name"])


@pytest.fixture(scope="module")
def in_javascript():
    """What viem and ethers make of each case, by its name."""
    answers = statement_vectors.by_viem_and_ethers([case["typed_data"] for case in STATEMENTS["cases"]])
    return dict(zip((case["name"] for case in STATEMENTS["cases"]), answers, strict=True))


def statement_of(case):
    return from_typed_data(case["typed_data"], signed_for(case["typed_data"]))


def read_refused(case):
    data = case["text"].encode() if "text" in case else from_hex(case["bytes"], None, None)
    return from_typed_data(strict_json.loads(data, MAXIMUM), REFUSED_REGISTRY)


def test_the_files_are_what_their_generators_make():
    assert statement_vectors.PATH.read_text(encoding="utf-8") == statement_vectors.render()
    assert refused_vectors.PATH.read_text(encoding="utf-8") == refused_vectors.render()


def test_every_kind_has_the_same_cases():
    names = {
        kind: {case["name"].split(": ")[1] for case in STATEMENTS["cases"] if case["kind"] == kind} for kind in KINDS
    }
    assert len(names["Rendition"]) >= 11
    assert names["Upload"] == names["Rendition"] == names["Work"] - {"two_creators"}


@cases
def test_typed_data_is_read_and_shown_again(case):
    statement = statement_of(case)
    assert typed_data(statement, signed_for(case["typed_data"])) == case["typed_data"]
    assert (statement.kind, statement.STRUCT.type_string) == (case["kind"], case["type_string"])
    assert statement.STRUCT.type_hash == from_hex(case["type_hash"], 32, None)


@cases
def test_our_digests_are_those_of_the_file(case):
    statement = statement_of(case)
    separator = domain_separator(signed_for(case["typed_data"]))
    ours = (statement.digest(separator), separator, statement.STRUCT.hash(statement))
    assert ours == tuple(from_hex(case[name], 32, None) for name in HASHES)


@cases
def test_eth_account_has_the_same_digests(case):
    assert statement_vectors.by_eth_account(case["typed_data"]) == {name: case[name] for name in HASHES}


@cases
@pytest.mark.parametrize("library", ["viem", "ethers"])
def test_viem_and_ethers_have_the_same_digests(case, library, in_javascript):
    assert in_javascript[case["name"]][library] == {name: case[name] for name in HASHES}


@cases
def test_the_signatures_are_complete_and_made_again_the_same(case):
    statement, digest = statement_of(case), from_hex(case["digest"], 32, None)
    given = [
        Signature(from_hex(item["account"], 20, None), from_hex(item["signature"], 65, None))
        for item in case["signatures"]
    ]
    check_complete(given, statement.signers())
    for signature, item in zip(given, case["signatures"], strict=True):
        check(signature, digest)
        assert sign(digest, KEYS[item["account"]]) == signature


@cases
def test_eth_account_recovers_the_signers(case):
    message = encode_typed_data(full_message=case["typed_data"])
    for item in case["signatures"]:
        assert Account.recover_message(message, signature=item["signature"]).lower() == item["account"]


@cases
def test_some_texts_verify_and_are_not_accepted_anew(case):
    statement = statement_of(case)
    if case["accepted"]:
        statement.STRUCT.accept(statement)
    else:
        with pytest.raises(InvalidData):
            statement.STRUCT.accept(statement)


def test_the_refused_ones_differ_from_one_that_is_read():
    for kind in KINDS:
        case = {"text": plain(kind)}
        statement = read_refused(case)
        statement.STRUCT.accept(statement)


@pytest.mark.parametrize("case", REFUSED["statements"], ids=lambda case: ascii(case["name"]))
def test_what_is_refused_and_why(case):
    if case["at"] == "acceptance":
        statement = read_refused(case)
        with pytest.raises(InvalidData) as caught:
            statement.STRUCT.accept(statement)
    else:
        with pytest.raises(InvalidData) as caught:
            read_refused(case)
    assert (caught.value.code, caught.value.field) == (case["code"], case["field"])


@pytest.mark.parametrize("case", REFUSED["signatures"], ids=lambda case: case["name"])
def test_which_signatures_are_refused_and_why(case):
    signature = Signature(from_hex(case["account"], 20, None), from_hex(case["signature"], None, None))
    with pytest.raises(VerificationError) as caught:
        check(signature, from_hex(case["digest"], 32, None))
    assert caught.value.code == case["code"]
