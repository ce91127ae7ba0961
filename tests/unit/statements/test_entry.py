"""Entries: their bytes are those of the package rfc8785, they have one form, and no other is read."""

from __future__ import annotations

import dataclasses
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from support.worlds.registries.registry_world import ALICE, BOB, NOW, rendition, salt, work
from vectors.generate import entry_vectors, statement_vectors

from deedlog.anchor.merkle import leaf_hash
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import from_hex, to_hex
from deedlog.registry.statements.entry import (
    MAXIMUM_SIZE,
    Entry,
    EntryError,
    _parse_canonical,
    _parse_strictly,
    build,
    complete,
    parse,
    prefix,
)
from deedlog.registry.statements.signatures import Signature, account_of_private_key, sign
from deedlog.registry.statements.typed_data import from_typed_data, signed_for

VECTORS = json.loads(entry_vectors.PATH.read_text(encoding="utf-8"))
STATEMENTS = {case["name"]: case for case in json.loads(statement_vectors.PATH.read_text(encoding="utf-8"))["cases"]}
DIGEST = salt("digest")

hashes = st.binary(min_size=32, max_size=32)
signatures = st.lists(
    st.builds(Signature, st.binary(min_size=20, max_size=20), st.binary(min_size=65, max_size=65)),
    max_size=8,
    unique_by=lambda signature: signature.account,
)
ascii_text = st.text(st.characters(max_codepoint=0x7F), max_size=90)
times = st.integers(0, 2**53 - 1)
kinds = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,30}", fullmatch=True)
any_entry = st.builds(Entry, hashes, kinds, signatures.map(tuple), st.lists(ascii_text, max_size=8).map(tuple), times)


def by_rfc8785(entry):
    """Return what DESIGN's example of an entry says, by another implementation."""
    return rfc8785.dumps(
        {
            "v": 1,
            "time": entry.time,
            "kind": entry.kind,
            "digest": to_hex(entry.digest),
            "subjects": sorted(entry.subjects),
            "signatures": [
                {"signature": to_hex(item.signature), "account": to_hex(item.account), "scheme": "secp256k1"}
                for item in sorted(entry.signatures, key=lambda item: item.account)
            ],
        }
    )


def code_of(call, *arguments):
    with pytest.raises(EntryError) as caught:
        call(*arguments)
    return caught.value.code


def test_the_file_is_what_its_generator_makes():
    assert entry_vectors.PATH.read_text(encoding="utf-8") == entry_vectors.render()


@pytest.mark.parametrize("case", VECTORS["entries"], ids=lambda case: case["statement"])
def test_a_verifier_rebuilds_the_entry_from_statement_signatures_and_time(case):
    given_case = STATEMENTS[case["statement"]]
    data = given_case["typed_data"]
    statement = from_typed_data(data, signed_for(data))
    read = parse(case["entry"].encode())
    signed = [
        Signature(from_hex(item["account"], 20, None), from_hex(item["signature"], 65, None))
        for item in reversed(given_case["signatures"])
    ]
    opened = prefix(statement.kind, from_hex(given_case["digest"], 32, None), signed, statement.subjects()[::-1])
    assert complete(opened, read.time) == case["entry"].encode()


@pytest.mark.parametrize("case", VECTORS["entries"] + VECTORS["other"])
def test_entries_are_read_and_built_again_and_have_their_leaf_hash(case):
    data = case["entry"].encode()
    assert build(parse(data)) == data
    assert leaf_hash(data) == from_hex(case["leaf_hash"], 32, None)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_what_is_no_entry_and_why(case):
    with pytest.raises(EntryError) as caught:
        parse(case["text"].encode())
    assert (caught.value.code, caught.value.field) == (case["code"], case["field"])


@given(any_entry)
def test_the_bytes_are_those_of_rfc8785(entry):
    assert build(entry) == by_rfc8785(entry)


@given(any_entry)
def test_parse_gives_what_build_was_given(entry):
    ordered = dataclasses.replace(
        entry,
        signatures=tuple(sorted(entry.signatures, key=lambda item: item.account)),
        subjects=tuple(sorted(entry.subjects)),
    )
    assert parse(build(entry)) == ordered


@given(st.binary(max_size=200) | any_entry.map(build), st.data())
def test_parse_raises_nothing_but_its_error(data, draw):
    if data:
        at = draw.draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([data[at] ^ draw.draw(st.integers(1, 255))]) + data[at + 1 :]
    try:
        read = parse(data)
    except EntryError:
        return
    assert build(read) == data


def strictly(data):
    try:
        return _parse_strictly(data)
    except EntryError:
        return None


@given(any_entry.map(build), st.data())
def test_what_is_read_fast_is_read_alike_the_strict_way(data, draw):
    """The fast way reads each canonical entry without an escape, and nothing that the strict way refuses."""
    assert _parse_canonical(data) == (None if b"\\" in data else strictly(data))
    at = draw.draw(st.integers(0, len(data)))
    put = draw.draw(st.binary(max_size=3) | st.sampled_from([b'"', b",", b"[]", b'""', b'"",""', b"0", b"-", b"\n"]))
    other = data[:at] + put + data[at + draw.draw(st.integers(0, 3)) :]
    assert _parse_canonical(other) in (None, strictly(other))


@pytest.mark.parametrize(
    "text",
    [case["entry"] for case in VECTORS["entries"] + VECTORS["other"]] + [case["text"] for case in VECTORS["refused"]],
)
def test_the_vectors_are_read_alike_both_ways(text):
    data = text.encode()
    assert _parse_canonical(data) == (None if b"\\" in data else strictly(data))


@pytest.mark.parametrize("members", ["signatures", "subjects", "both"])
def test_the_fast_way_keeps_the_order_of_lists_and_the_greatest_time(members):
    signed = sorted([sign(DIGEST, ALICE), sign(DIGEST, BOB)], key=lambda item: item.account)
    sound = build(Entry(DIGEST, "Work", tuple(signed), ("a", "b", "b"), 2**53 - 1))
    assert _parse_canonical(sound) == strictly(sound)
    first, second = (
        b"%s" % build(Entry(DIGEST, "Work", (one,), (), 0)).split(b"[")[1].split(b"]")[0] for one in signed
    )
    other = sound
    if members != "subjects":
        other = other.replace(first + b"," + second, second + b"," + first)
        for twice in (first, second):
            again = sound.replace(first + b"," + second, twice + b"," + twice)
            assert (_parse_canonical(again), strictly(again)) == (None, None)
    if members != "signatures":
        other = other.replace(b'"a","b"', b'"b","a"')
    late = sound.replace(b"%d" % (2**53 - 1), b"%d" % 2**53)
    for refused in (other, late, sound.replace(b'"time":', b'"time":0')):
        assert refused != sound
        assert (_parse_canonical(refused), strictly(refused)) == (None, None)


def test_every_changed_byte_changes_what_is_read_or_is_refused():
    data = VECTORS["entries"][0]["entry"].encode()
    whole = parse(data)
    for at in range(len(data)):
        try:
            read = parse(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        except EntryError:
            continue
        assert read != whole, at


def test_u_007f_is_not_escaped():
    entry = Entry(DIGEST, "Work", (), ("a\x7fb",), NOW)
    assert build(entry) == by_rfc8785(entry)
    assert parse(build(entry)) == entry


def test_an_entry_holds_nothing_of_the_body():
    statements = (
        work(title="A secret title", creditedAs="A secret name", mediaType="video/x-secret"),
        rendition(DIGEST, tool="A secret tool", key=ALICE),
    )
    for statement in statements:
        entry = prefix(statement.kind, DIGEST, [sign(DIGEST, ALICE)], statement.subjects())
        for value in (b"ecret", str(statement.madeAt).encode(), statement.salt.hex().encode()):
            assert value not in entry


def test_signatures_and_subjects_ascend_however_they_are_given():
    signed = [sign(DIGEST, ALICE), sign(DIGEST, BOB)]
    subjects = ["work:0x", "content:0x", "source:0x"]
    assert prefix("Work", DIGEST, signed, subjects) == prefix("Work", DIGEST, signed[::-1], sorted(subjects))


def test_an_account_signs_once():
    with pytest.raises(InvalidData) as caught:
        prefix("Work", DIGEST, [sign(DIGEST, ALICE)] * 2, [])
    assert caught.value.code == "signature.account_twice"
    assert caught.value.params == {"account": to_hex(account_of_private_key(ALICE))}


def test_what_is_accepted_fits_whatever_the_time():
    # docs/formats.md §4: measured with room for a time of 17 digits, one more than any that is read.
    spare = MAXIMUM_SIZE - len(build(Entry(DIGEST, "Work", (), ("",), 2**53 - 1)))
    for fewer in (1, 2, 20):
        opened = prefix("Work", DIGEST, [], ["x" * (spare - fewer)])
        assert len(complete(opened, 2**53 - 1)) == MAXIMUM_SIZE - fewer
        assert parse(complete(opened, 2**53 - 1)).time == 2**53 - 1
    assert code_of(prefix, "Work", DIGEST, [], ["x" * spare]) == "entry.too_large"
    assert code_of(prefix, "Work", DIGEST, [], ["\n" * (spare // 2 + 1)]) == "entry.too_large"


def test_no_more_than_a_uint16_is_read():
    assert code_of(parse, b" " * (MAXIMUM_SIZE + 1)) == "json.too_large"
