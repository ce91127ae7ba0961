"""Statements: whatever the members hold, digests are those of other implementations, and JSON is read back the same."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.models.plain_statements import REGISTRY
from support.models.statement_strategies import any_member, readable, registries, statements
from vectors.generate.statement_plain import PLAIN
from vectors.generate.statement_vectors import by_eth_account, by_viem_and_ethers

from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.typed_data import from_typed_data, kind_named, signed_for, typed_data


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

    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
    @given(statements, registries)
    def collect(statement, registry):
        drawn.append((statement, registry))

    collect()
    answers = by_viem_and_ethers([typed_data(statement, registry) for statement, registry in drawn])
    assert len(answers) >= 100
    for (statement, registry), answer in zip(drawn, answers, strict=True):
        expected = hashes_of(statement, registry)
        assert answer == {"viem": expected, "ethers": expected}


@given(readable, registries)
def test_what_is_shown_is_read_back_the_same(statement, registry):
    data = json.dumps(typed_data(statement, registry)).encode()
    value = strict_json.loads(data, 1 << 20)
    assert signed_for(value) == registry
    assert from_typed_data(value, registry) == statement
    assert from_typed_data(value, registry).digest(bytes(32)) == statement.digest(bytes(32))


@given(statements, st.data())
def test_every_member_changes_the_digest(statement, data):
    # Hashed as it is, whether or not the members go together: what is signed binds each of them.
    attribute, name, of = data.draw(st.sampled_from(statement.STRUCT.members))
    before = getattr(statement, attribute)
    other = data.draw(any_member(type(statement), name, of))
    changed = SimpleNamespace(**(vars(statement) | {attribute: other}))
    assert (statement.STRUCT.hash(changed) == statement.STRUCT.hash(statement)) == (other == before)


@given(readable, registries, registries)
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
            if at[path[-1]] == junk and type(at[path[-1]]) is type(junk):
                continue
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


@pytest.mark.parametrize("name", ["Work2", "work", "", "Statement", None, 1, ["Work"], {}])
def test_an_unknown_kind_is_refused_naming_those_there_are(name):
    with pytest.raises(InvalidData) as caught:
        kind_named(name)
    assert (caught.value.code, caught.value.field) == ("statement.unknown_kind", "primaryType")
    assert caught.value.params == {
        "kinds": "Agreement, Cancellation, Claim, Contribution, Countersignature, Rendition, RevenueReport, Rotation, "
        "Termination, Upload, Work"
    }
    assert {kind: kind_named(kind) for kind in KINDS} == KINDS
    with pytest.raises(InvalidData):
        kind_named("Share")
