"""Statements: whatever the members hold, digests are those of other implementations, and JSON is read back the same."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_world import ALICE, BOB, rendition, salt, upload, work
from statement_strategies import any_member, registries, statements
from vectors.generate import statement_vectors
from vectors.generate.statement_vectors import PLAIN, by_eth_account, by_viem_and_ethers

from registry import eip712, strict_json
from registry.eip712 import domain_separator
from registry.errors import InvalidData
from registry.hexadecimal import to_hex
from registry.signatures import account_of_private_key
from registry.statements import KINDS, Rendition, Upload, Work
from registry.typed_data import from_typed_data, kind_named, signed_for, typed_data

FORMATS = (Path(__file__).resolve().parents[2] / "docs/formats.md").read_text(encoding="utf-8")
REGISTRY = bytes.fromhex(statement_vectors.REGISTRY[2:])


def hashes_of(statement, registry):
    separator = domain_separator(registry)
    return {
        "digest": to_hex(statement.digest(separator)),
        "domain_separator": to_hex(separator),
        "struct_hash": to_hex(statement.STRUCT.hash(statement)),
    }


@given(statements, registries)
def test_digests_are_eth_accounts(statement, registry):
    assert hashes_of(statement, registry) == by_eth_account(typed_data(statement, registry))


def test_digests_are_those_of_viem_and_ethers():
    # One process for all: starting one takes longer than a hundred digests.
    drawn = []

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(statements, registries)
    def collect(statement, registry):
        drawn.append((statement, registry))

    collect()
    answers = by_viem_and_ethers([typed_data(statement, registry) for statement, registry in drawn])
    assert len(answers) >= 60
    for (statement, registry), answer in zip(drawn, answers, strict=True):
        expected = hashes_of(statement, registry)
        assert answer == {"viem": expected, "ethers": expected}


@given(statements, registries)
def test_what_is_shown_is_read_back_the_same(statement, registry):
    data = json.dumps(typed_data(statement, registry)).encode()
    value = strict_json.loads(data, 1 << 20)
    assert signed_for(value) == registry
    assert from_typed_data(value, registry) == statement
    assert from_typed_data(value, registry).digest(bytes(32)) == statement.digest(bytes(32))


@given(statements, st.data())
def test_every_member_changes_the_digest(statement, data):
    name, of = data.draw(st.sampled_from(statement.STRUCT.members))
    other = data.draw(any_member(name, of))
    changed = dataclasses.replace(statement, **{name: other})
    assert (changed.digest(bytes(32)) == statement.digest(bytes(32))) == (changed == statement)


@given(statements, registries, registries)
def test_registries_are_told_apart(statement, one, other):
    digests = {statement.digest(domain_separator(registry)) for registry in (one, other)}
    assert len(digests) == len({one, other})
    if one != other:
        with pytest.raises(InvalidData) as caught:
            from_typed_data(typed_data(statement, one), other)
        assert caught.value.params == {"expected": to_hex(other), "actual": to_hex(one)}


def paths(value, before=()):
    """Yield the path of every member of nested JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*before, key)
        yield from paths(item, (*before, key))


JUNK = [None, True, 0, -1, 2**53 - 1, "", "0", "x", "0x", "0x00", [], [[]], {}, {"name": "x"}, "a" * 300, "\u202e"]


@pytest.mark.parametrize("kind", KINDS)
def test_anything_in_any_place_is_read_as_a_statement_or_refused_as_invalid(kind):
    whole = typed_data(KINDS[kind].from_message(PLAIN[kind]), REGISTRY)
    read = from_typed_data(whole, REGISTRY)
    for path in paths(whole):
        for junk in JUNK:
            data = copy.deepcopy(whole)
            at = data
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = junk
            try:
                statement = from_typed_data(data, REGISTRY)
            except InvalidData:
                continue
            assert typed_data(statement, REGISTRY) == data
            assert path[0] == "message"
            assert statement != read


@pytest.mark.parametrize("junk", [item for item in JUNK if not isinstance(item, dict) or item])
def test_what_is_no_typed_data_is_refused(junk):
    with pytest.raises(InvalidData):
        from_typed_data(junk, REGISTRY)
    with pytest.raises(InvalidData):
        signed_for(junk)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["missing", "null", "unknown"])
def test_every_member_is_needed_and_no_other(kind, way):
    for name in PLAIN[kind]:
        changed = {"missing": {}, "null": {name: None}, "unknown": {name: PLAIN[kind][name], name.upper(): "x"}}[way]
        message = {key: value for key, value in PLAIN[kind].items() if key != name} | changed
        with pytest.raises(InvalidData) as caught:
            KINDS[kind].from_message(message)
        expected = {"missing": "json.member_missing", "null": "json.null", "unknown": "json.member_unknown"}[way]
        assert (caught.value.code, caught.value.field) == (expected, name.upper() if way == "unknown" else name)


def test_the_types_are_those_that_the_formats_page_specifies():
    declared = {name: (to_hex(kind.STRUCT.type_hash), kind.STRUCT.type_string) for name, kind in KINDS.items()}
    found = re.findall(r"^`(\w+)`, type hash `(0x[0-9a-f]{64})`:\n\n```\n(.*)\n```$", FORMATS, re.MULTILINE)
    assert {name: (type_hash, type_string) for name, type_hash, type_string in found} == declared


def test_every_kind_ends_in_its_salt():
    for kind in KINDS.values():
        assert kind.STRUCT.members[-1] == ("salt", eip712.Bytes32())


def test_the_schema_names_what_the_parser_takes():
    for name, kind in KINDS.items():
        schema = kind.STRUCT.schema()
        assert schema["required"] == list(schema["properties"]) == list(PLAIN[name])
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": 1}, "json.not_a_string"),
        ({"title": ""}, "text.empty"),
        ({"basis": "none"}, "word.unknown"),
        ({"contentHash": b"short"}, "hex.length"),
        ({"contentHash": "0x" + "00" * 32}, "hex.length"),
        ({"contentLength": 0}, "integer.range"),
        ({"contentLength": True}, "integer.range"),
        ({"madeAt": -1}, "integer.range"),
        ({"madeAt": 2**64}, "integer.range"),
        ({"madeAt": 1.0}, "integer.range"),
        ({"madeAt": "1"}, "integer.range"),
        ({"mediaType": "Video/mp4"}, "text.pattern"),
        ({"creators": ()}, "list.length"),
        ({"creators": [b"\1" * 20]}, "list.length"),
        ({"creators": (bytes(20),)}, "account.zero"),
        ({"creators": (b"\2" * 20, b"\1" * 20)}, "list.not_ascending"),
        ({"salt": bytes(31)}, "hex.length"),
    ],
)
def test_a_statement_is_checked_when_it_is_made(change, code):
    with pytest.raises(InvalidData) as caught:
        work(**change)
    assert caught.value.code == code
    assert caught.value.field.split("[")[0] == next(iter(change))


def test_who_signs_and_what_it_is_about():
    alice, bob = sorted(map(account_of_private_key, (ALICE, BOB)))
    content = f"content:{to_hex(work().contentHash)}"
    assert work(creators=(alice, bob)).signers() == (alice, bob)
    assert upload(BOB).signers() == (account_of_private_key(BOB),)
    assert rendition(salt("source"), BOB).signers() == (account_of_private_key(BOB),)
    assert work().subjects() == upload().subjects() == (content,)
    assert rendition(salt("source")).subjects() == (
        f"content:{to_hex(rendition(salt('source')).contentHash)}",
        f"source:{to_hex(salt('source'))}",
    )
    assert all(statement.subjects() == tuple(sorted(statement.subjects())) for statement in (work(), upload()))


def test_a_repeat_is_the_same_accounts_on_the_same_content():
    again = work(salt=salt("another"), title="Another title", madeAt=1)
    assert again.digest(bytes(32)) != work().digest(bytes(32))
    assert again.repeat_key() == work().repeat_key()
    others = [work(BOB), work(content=b"another"), upload(ALICE), rendition(salt("a")), rendition(salt("b"))]
    assert len({work().repeat_key(), *(other.repeat_key() for other in others)}) == 1 + len(others)


@pytest.mark.parametrize("name", ["Work2", "work", "", "Statement", None, 1, ["Work"], {}])
def test_an_unknown_kind_is_refused_naming_those_there_are(name):
    with pytest.raises(InvalidData) as caught:
        kind_named(name)
    assert (caught.value.code, caught.value.field) == ("statement.unknown_kind", "primaryType")
    assert caught.value.params == {"kinds": "Rendition, Upload, Work"}
    assert {kind_named(kind) for kind in KINDS} == {Work, Upload, Rendition}
