"""`statements.json` and `refused.json`: our code agrees with every case, and so do eth-account, viem and ethers."""

from __future__ import annotations

import itertools
import json

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from vectors.generate import refused_vectors, statement_vectors
from vectors.generate.refused_base import plain
from vectors.generate.statement_cases import OF_TEXTS, TEXTS
from vectors.generate.statement_plain import SIGNERS

from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.hexadecimal import from_hex, to_hex
from deedlog.registry.statements import KINDS, Share
from deedlog.registry.statements.eip712 import domain_separator, line_hash
from deedlog.registry.statements.member_types import Text
from deedlog.registry.statements.signatures import Signature, check, check_complete, sign
from deedlog.registry.statements.typed_data import from_typed_data, signed_for, typed_data

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


OF_ALL = {"plain", "least", "greatest", "beyond_doubles", "other_registry"}
OF_ONE = {
    "Work": {"two_creators"},
    "Claim": {"commissioned"},
    "Contribution": {"of_a_machine", "of_a_tool"},
    "Agreement": {"amended", "every_role"},
    "RevenueReport": {"nothing", "refund", "refund_beyond_doubles", "correction"},
}


def test_every_kind_has_the_same_cases():
    names = {
        kind: {case["name"].split(": ")[1] for case in STATEMENTS["cases"] if case["kind"] == kind} for kind in KINDS
    }
    assert set(TEXTS) == {kind for kind, declared in KINDS.items() if any(map(is_text, declared.STRUCT.members))}
    for kind, found in names.items():
        assert found == OF_ALL | (set(OF_TEXTS) if kind in TEXTS else set()) | OF_ONE.get(kind, set())
    assert len(names["Rendition"]) >= 11


def is_text(member):
    return isinstance(member[2], Text)


def test_the_edges_are_in_the_file():
    by_name = {case["name"]: case["typed_data"]["message"] for case in STATEMENTS["cases"]}
    amounts = {int(by_name[name]["amount"]) for name in by_name if name.startswith("RevenueReport")}
    assert amounts >= {-(2**255), -(2**53) - 1, -1, 0, 2**53 + 1, 2**255 - 1}
    greatest = by_name["Agreement: greatest"]
    assert {name: len(greatest[name]) for name in ("works", "parties", "leaving", "shares")} == {
        "works": 64,
        "parties": 64,
        "leaving": 64,
        "shares": 64,
    }
    assert [line["ppm"] for line in by_name["Agreement: least"]["shares"]] == [1, 999_999]


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


@pytest.mark.parametrize("library", ["viem", "ethers"])
def test_viem_and_ethers_have_the_same_digests(library, in_javascript):
    ours = {case["name"]: {name: case[name] for name in HASHES} for case in STATEMENTS["cases"]}
    assert {name: found[library] for name, found in in_javascript.items() if name in ours} == ours


@cases
def test_the_signatures_are_complete_and_made_again_the_same(case):
    statement, digest = statement_of(case), from_hex(case["digest"], 32, None)
    given = [
        Signature(from_hex(item["account"], 20, None), from_hex(item["signature"], 65, None))
        for item in case["signatures"]
    ]
    signers = statement.signers()
    if signers is None:  # it is the agreement that names them
        signers = [from_hex(account, 20, None) for account in SIGNERS[case["kind"]]]
    check_complete(given, signers)
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


BY_NAME = {case["name"]: case for case in STATEMENTS["cases"]}


@pytest.mark.parametrize("case", STATEMENTS["hidden"], ids=lambda case: case["of"])
def test_an_agreement_with_hidden_lines_has_the_digest_of_the_whole(case):
    whole = BY_NAME[case["of"]]
    data = {**whole["typed_data"], "message": {**whole["typed_data"]["message"], "shares": case["shares"]}}
    statement = from_typed_data(data, signed_for(data))
    assert typed_data(statement, signed_for(data)) == data
    assert to_hex(statement.digest(domain_separator(signed_for(data)))) == whole["digest"]
    assert to_hex(statement.STRUCT.hash(statement)) == whole["struct_hash"]
    assert [to_hex(account) for account in statement.signers()] == [item["account"] for item in whole["signatures"]]
    with pytest.raises(InvalidData) as caught:
        statement.STRUCT.accept(statement)
    assert caught.value.code == "line.hidden"


def test_every_subset_of_lines_is_hidden_and_the_hash_of_each_is_the_libraries():
    for name in statement_vectors.HIDDEN:
        data = BY_NAME[name]["typed_data"]
        lines = data["message"]["shares"]
        hashes = [
            statement_vectors.by_eth_account(statement_vectors.of_line(data, line))["struct_hash"] for line in lines
        ]
        assert hashes == [to_hex(line_hash(Share.from_message(line))) for line in lines]
        subsets = [
            tuple(isinstance(line, str) for line in case["shares"])
            for case in STATEMENTS["hidden"]
            if case["of"] == name
        ]
        assert set(subsets) == set(itertools.product((False, True), repeat=len(lines))) - {(False,) * len(lines)}
        for case in STATEMENTS["hidden"]:
            if case["of"] == name:
                assert all(
                    shown in (line, hashed) for shown, line, hashed in zip(case["shares"], lines, hashes, strict=True)
                )


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
