"""Strict JSON: it reads what `json` reads, the same, or refuses it; and it refuses what readers decide differently."""

from __future__ import annotations

import contextlib
import json

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from deedlog.registry.errors import InvalidData
from deedlog.registry.strict_json import MAXIMUM_INTEGER, JsonError, loads, members

MAXIMUM = 1 << 20

numbers = st.integers(-MAXIMUM_INTEGER, MAXIMUM_INTEGER)
texts = st.text(st.characters(exclude_categories=("Cs",)))
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=30,
)
# Near JSON: its own characters in any order, so that much of it is almost right.
near_json = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", ",", ":", '"', '"a"', "1", "-", "0", ".5", "e3", "null", "NaN", " ", "\\", "\\ud800", "\n"]
    ),
    max_size=12,
).map("".join)


def refusal(data, maximum=MAXIMUM):
    with pytest.raises(JsonError) as caught:
        loads(data if isinstance(data, bytes) else data.encode(), maximum)
    return caught.value


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_what_json_writes_is_read_back(value, ensure_ascii, indent):
    assert loads(json.dumps(value, ensure_ascii=ensure_ascii, indent=indent).encode(), MAXIMUM) == value


@given(values)
def test_what_rfc8785_writes_is_read_back(value):
    assert loads(rfc8785.dumps(value), MAXIMUM) == value


@given(near_json | texts)
@example('{"a":1,"a":1}')
@example('"\\ud83d\\ude00"')
@example("[-0]")
def test_what_is_read_is_what_json_reads(text):
    try:
        value = loads(text.encode(), MAXIMUM)
    except JsonError:
        return
    assert value == json.loads(text)
    assert json.loads(rfc8785.dumps(value)) == value


@given(near_json)
def test_what_json_does_not_read_is_refused(text):
    try:
        json.loads(text)
    except ValueError:
        refusal(text)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_by_one_error(data):
    with contextlib.suppress(JsonError):
        loads(data, MAXIMUM)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("9007199254740992", "json.integer"),
        ("-9007199254740992", "json.integer"),
        ("1" + "0" * 5000, "json.integer"),
        ('{"a":[123456789012345678]}', "json.integer"),
        ("1.0", "json.fraction"),
        ("1e2", "json.fraction"),
        ("1E400", "json.fraction"),
        ("NaN", "json.fraction"),
        ("Infinity", "json.fraction"),
        ("[-Infinity]", "json.fraction"),
        ('"\\ud800"', "json.surrogate"),
        ('{"\\udfff":1}', "json.surrogate"),
        ('[[{"a":"\\udc00\\ud800"}]]', "json.surrogate"),
        ("", "json.malformed"),
        (" ", "json.malformed"),
        ("{}{}", "json.malformed"),
        ("[1,]", "json.malformed"),
        ("01", "json.malformed"),
        ("'a'", "json.malformed"),
        ('"\t"', "json.malformed"),
        ("\ufeff{}", "json.malformed"),
        ("{} \x00", "json.malformed"),
        ("\u00a0{}", "json.malformed"),
    ],
)
def test_what_is_refused_and_why(text, code):
    assert refusal(text).code == code


def test_the_greatest_integers_are_those_that_doubles_hold():
    for number in (MAXIMUM_INTEGER, -MAXIMUM_INTEGER):
        assert loads(str(number).encode(), MAXIMUM) == number == int(float(number))
    assert float(MAXIMUM_INTEGER + 1) == float(MAXIMUM_INTEGER + 2)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '{"a":1,"b":2,"a":1}', '[{"x":{"a":1,"a":1}}]', '{"a":1,"\\u0061":2}', '{"a":{},"a":[]}']
)
def test_no_member_stands_twice(text):
    error = refusal(text)
    assert (error.code, error.field) == ("json.member_twice", "a")


def test_a_doubled_name_with_a_lone_surrogate_can_be_shown():
    error = refusal('{"\\ud800b":1,"\\ud800b":2}')
    assert (error.code, error.field) == ("json.member_twice", "?b")
    long = "n" * 99
    assert refusal(f'{{"{long}":1,"{long}":2}}').field == "n" * 64


@pytest.mark.parametrize("data", [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82'])
def test_it_is_utf_8(data):
    assert (refusal(data).code, refusal(data).params) == ("json.not_utf8", {"position": 1})


@pytest.mark.parametrize("inside", ["", '"\\u0041"'])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_json_is_refused_at_every_depth(inside, opening, closing):
    # Around the interpreter's limit reading itself fails, or only looking for surrogates, or nothing.
    codes = []
    for depth in (*range(700, 1100), 50_000):
        text = opening * depth + (inside or "1") + closing * depth
        try:
            loads(text.encode(), MAXIMUM)
        except JsonError as error:
            codes.append(error.code)
    assert set(codes) == {"json.too_deep"}
    assert len(codes) == 401


def test_size_is_looked_at_first():
    assert loads(b" 1 ", 3) == 1
    error = refusal(b"\xff\xff\xff\xff", 3)
    assert (error.code, error.params) == ("json.too_large", {"maximum": 3, "length": 4})


def member_refusal(*arguments, **names):
    with pytest.raises(InvalidData) as caught:
        members(*arguments, **names)
    return caught.value.code, caught.value.field


def test_an_object_has_exactly_its_members():
    value = {"a": 1, "b": False}
    assert members(value, ("b", "a"), "") is value
    assert members(value, ("a",), "", optional=("b", "c")) is value
    assert member_refusal(value, ("a",), "") == ("json.member_unknown", "b")
    assert member_refusal(value, ("a",), "at") == ("json.member_unknown", "at.b")
    assert member_refusal(value, ("a", "b", "c"), "at") == ("json.member_missing", "at.c")
    assert member_refusal({"a": None}, ("a",), "") == ("json.null", "a")
    assert member_refusal({"a": 1, "b": None}, ("a",), "", optional=("b",)) == ("json.null", "b")
    assert member_refusal({"a": 1, "n" * 99: 1}, ("a",), "") == ("json.member_unknown", "n" * 64)


@pytest.mark.parametrize("value", [None, [], "a", 1, True, ["a"]])
def test_what_is_no_object_is_refused(value):
    assert member_refusal(value, (), "at") == ("json.not_an_object", "at")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_depth_is_a_number_and_not_the_interpreters_stack(opening, closing):
    def nested(depth):
        return opening * (depth - 1) + (b"[]" if opening == b"[" else b'{"a":1}') + closing * (depth - 1)

    assert loads(nested(64), 10_000)
    with pytest.raises(JsonError, match=r"json\.too_deep"):
        loads(nested(65), 10_000)
