"""What members a kind has: its type, its schema, and what is checked when a statement is made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.models.plain_statements import plain
from support.worlds.registries.registry_world import work
from vectors.generate.statement_cases import messages
from vectors.generate.statement_plain import PLAIN

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS, Share, eip712, member_types
from deedlog.registry.statements.agreements import WHOLE

FORMATS = (Path(__file__).resolve().parents[3] / "docs/formats.md").read_text(encoding="utf-8")


def test_an_attribute_is_named_as_its_member_but_for_pythons_own_words():
    renamed = {
        (name, attribute, member)
        for name, kind in KINDS.items()
        for attribute, member, _ in kind.STRUCT.members
        if attribute != member
    }
    assert renamed == {("Rotation", "from_", "from")}
    with pytest.raises(InvalidData) as caught:
        plain("Rotation", from_=bytes(20))
    assert (caught.value.code, caught.value.field) == ("account.zero", "from")


def test_the_types_are_those_that_the_formats_page_specifies():
    declared = {name: (to_hex(kind.STRUCT.type_hash), kind.STRUCT.type_string) for name, kind in KINDS.items()}
    found = re.findall(r"^`(\w+)`, type hash `(0x[0-9a-f]{64})`:\n\n```\n(.*)\n```$", FORMATS, re.MULTILINE)
    assert {name: (type_hash, type_string) for name, type_hash, type_string in found} == declared


def test_every_kind_ends_in_its_salt():
    for kind in KINDS.values():
        assert kind.STRUCT.members[-1] == ("salt", "salt", member_types.Bytes32())


def test_lists_hold_atoms_or_structs_with_a_salt_of_their_own():
    for kind in KINDS.values():
        lists = {member: of for _, member, of in kind.STRUCT.members if of.name.endswith("[]")}
        for of in lists.values():
            if isinstance(of, eip712.Lines):
                inner = of.item.STRUCT.members
                assert inner[-1] == ("salt", "salt", member_types.Bytes32())
                assert not any(each.name.endswith("[]") for _, _, each in inner)
            else:
                assert of.name in ("address[]", "bytes32[]")


def test_the_schema_names_what_the_parser_takes():
    for name, kind in KINDS.items():
        schema = kind.STRUCT.schema()
        assert schema["required"] == list(schema["properties"]) == list(PLAIN[name])
        assert schema["additionalProperties"] is False
    lines = KINDS["Agreement"].STRUCT.schema()["properties"]["shares"]
    assert (lines["minItems"], lines["maxItems"]) == (2, 64)
    assert lines["items"]["required"] == list(PLAIN["Agreement"]["shares"][0])
    assert lines["items"]["properties"]["ppm"] == {"type": "integer", "minimum": 1, "maximum": WHOLE}


def fits(value, schema):
    """Return whether a value is what these few words of JSON schema say, all that our schemas use."""
    if schema["type"] == "array":
        return schema["minItems"] <= len(value) <= schema["maxItems"] and all(
            fits(item, schema["items"]) for item in value
        )
    if schema["type"] == "object":
        return set(value) == set(schema["required"]) and all(
            fits(value[name], schema["properties"][name]) for name in value
        )
    if schema["type"] == "integer":
        return schema["minimum"] <= value <= schema["maximum"]
    return (
        isinstance(value, str)
        and schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        and re.search(schema.get("pattern", ""), value) is not None
        and value in schema.get("enum", [value])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_is_what_the_schema_says(kind):
    schema = KINDS[kind].STRUCT.schema()
    for name, message in messages(kind).items():
        assert fits(message, schema), name
        assert not fits(message | {"salt": "0x00"}, schema), name


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


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("Agreement", {"shares": ()}, "list.length"),
        ("Agreement", {"shares": (b"short", bytes(32))}, "line.malformed"),
        ("Agreement", {"shares": ("0x" + "00" * 32, bytes(32))}, "line.malformed"),
        ("Agreement", {"shares": [bytes(32), bytes(32)]}, "list.length"),
        ("Agreement", {"shares": (bytes(32),) * 3}, "agreement.lines"),
        ("Agreement", {"works": (b"\2" * 32, b"\1" * 32)}, "list.not_ascending"),
        ("Agreement", {"works": (b"\1" * 20,)}, "hex.length"),
        ("Agreement", {"parties": (b"\1" * 20,)}, "list.length"),
        ("Agreement", {"leaving": (b"\1" * 20,)}, "agreement.nothing_to_leave"),
        ("Agreement", {"effectiveUntil": 1}, "agreement.ends_before_it_begins"),
        ("RevenueReport", {"amount": 2**255}, "integer.range"),
        ("RevenueReport", {"amount": -(2**255) - 1}, "integer.range"),
        ("RevenueReport", {"amount": True}, "integer.range"),
        ("RevenueReport", {"amount": 1.5}, "integer.range"),
        ("RevenueReport", {"currency": "cny"}, "text.pattern"),
        ("RevenueReport", {"periodEnd": 0}, "report.period"),
        ("Contribution", {"role": "author"}, "word.unknown"),
        ("Rotation", {"to": KINDS["Rotation"].from_message(PLAIN["Rotation"]).from_}, "rotation.to_itself"),
    ],
)
def test_the_later_kinds_are_checked_when_they_are_made(kind, change, code):
    with pytest.raises(InvalidData) as caught:
        plain(kind, **change)
    assert caught.value.code == code
    assert caught.value.field.split("[")[0] == next(iter(change))


@pytest.mark.parametrize("ppm", [0, -1, WHOLE + 1, True, "1", 1.0, None])
def test_a_share_is_one_part_in_a_million_at_least(ppm):
    with pytest.raises(InvalidData) as caught:
        Share(b"\1" * 20, "script", ppm, bytes(32))
    assert (caught.value.code, caught.value.field) == ("integer.range", "ppm")
