"""Statements: whatever the members hold, digests are those of other implementations, and JSON is read back the same."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import sha3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.models.statement_strategies import any_member, in_part, readable, registries, statements
from support.worlds.registries.registry_world import ALICE, BOB, NOW, rendition, salt, upload, work
from vectors.generate import statement_vectors
from vectors.generate.statement_cases import messages
from vectors.generate.statement_plain import PLAIN
from vectors.generate.statement_vectors import by_eth_account, by_viem_and_ethers

from deedlog.registry import strict_json
from deedlog.registry.acceptance.submission import Submission, Submitter, check_submission
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS, Share, eip712, member_types
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.base import repeat_key
from deedlog.registry.statements.eip712 import domain_separator, line_hash
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import from_typed_data, kind_named, signed_for, typed_data

FORMATS = (Path(__file__).resolve().parents[3] / "docs/formats.md").read_text(encoding="utf-8")
REGISTRY = bytes.fromhex(statement_vectors.REGISTRY[2:])


def plain(kind, **changes):
    """Return the plain statement of a kind, with other members."""
    return dataclasses.replace(KINDS[kind].from_message(PLAIN[kind]), **changes)


def case(kind, name):
    return KINDS[kind].from_message(messages(kind)[name])


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


MADE = {
    "Claim": (["creator"], ["upload:upload"], "madeAt"),
    "Countersignature": (["account"], ["statement:statement"], "madeAt"),
    "Contribution": (["contributor"], ["work:work"], "madeAt"),
    "Cancellation": (None, ["agreement:agreement"], "madeAt"),
    "Termination": (None, ["agreement:agreement"], None),
    "RevenueReport": (["payer"], ["work:work"], None),
    "Rotation": (["from", "to"], ["successor:to"], "madeAt"),
}
"""Of the later kinds: the members that sign, the subjects as tag and member, and when the signer says it was made."""


@pytest.mark.parametrize("kind", MADE)
def test_who_signs_the_later_kinds_and_what_they_are_about(kind):
    signers, subjects, made_at = MADE[kind]
    message, statement = PLAIN[kind], plain(kind)
    given_signers = statement.signers()
    assert given_signers == (
        None if signers is None else tuple(sorted(bytes.fromhex(message[name][2:]) for name in signers))
    )
    assert list(statement.subjects()) == [
        f"{tag}:{message[name]}" for tag, name in (each.split(":") for each in subjects)
    ]
    assert statement.claimed_at() == (None if made_at is None else int(message[made_at]))
    assert statement.content() is None


def test_all_parties_of_an_agreement_sign_and_those_who_leave():
    statement, message = case("Agreement", "amended"), messages("Agreement")["amended"]
    assert [to_hex(account) for account in statement.signers()] == sorted(message["parties"] + message["leaving"])
    assert len(statement.signers()) == 4
    assert statement.subjects() == (
        f"payer:{message['payer']}",
        f"supersedes:{message['supersedes']}",
        *(f"work:{work}" for work in message["works"]),
    )
    assert (statement.claimed_at(), statement.content()) == (None, None)
    first = case("Agreement", "plain")
    assert first.subjects() == (f"payer:{to_hex(first.payer)}", f"work:{to_hex(first.works[0])}")


def test_a_correction_is_about_the_report_that_it_corrects():
    message = messages("RevenueReport")["correction"]
    assert case("RevenueReport", "correction").subjects() == (
        f"corrects:{message['corrects']}",
        f"work:{message['work']}",
    )


@given(readable)
def test_signers_and_subjects_ascend_and_none_is_there_twice(statement):
    for listed in (statement.subjects(), statement.signers() or ()):
        assert listed == tuple(sorted(set(listed)))
    assert statement.subjects()
    assert all(subject.isascii() and len(subject.partition(":")[2]) in (42, 66) for subject in statement.subjects())


@given(in_part(), registries)
def test_whatever_lines_are_hidden_it_is_the_same_agreement(pair, registry):
    whole, part = pair
    separator = domain_separator(registry)
    assert part.digest(separator) == whole.digest(separator)
    assert (part.signers(), part.subjects()) == (whole.signers(), whole.subjects())
    for line, was, told in zip(part.shares, whole.shares, part.message()["shares"], strict=True):
        assert line_hash(line) == line_hash(was)
        assert told == (was.message() if isinstance(line, Share) else to_hex(line))
    part.STRUCT.check(part)
    if part == whole:
        part.STRUCT.accept(part)
    else:
        with pytest.raises(InvalidData) as caught:
            part.STRUCT.accept(part)
        first = next(at for at, line in enumerate(part.shares) if isinstance(line, bytes))
        assert (caught.value.code, caught.value.field) == ("line.hidden", f"shares[{first}]")


@given(in_part(), st.data())
def test_a_line_that_is_shown_otherwise_is_of_another_agreement(pair, data):
    _, part = pair
    shown = [at for at, line in enumerate(part.shares) if isinstance(line, Share)]
    if not shown:
        return
    at = data.draw(st.sampled_from(shown))
    attribute, name, of = data.draw(st.sampled_from(Share.STRUCT.members))
    ppm = st.integers(1, WHOLE)
    other = data.draw(ppm if name == "ppm" else any_member(Share, name, of))
    line = dataclasses.replace(part.shares[at], **{attribute: other})
    forged = SimpleNamespace(**(vars(part) | {"shares": (*part.shares[:at], line, *part.shares[at + 1 :])}))
    assert (part.STRUCT.hash(forged) == part.STRUCT.hash(part)) == (line == part.shares[at])


def test_a_hidden_share_cannot_be_found_by_trying_all_of_them():
    """Who knows a party, its role and all other salts of an agreement tries each share there can be, in vain."""
    whole = case("Agreement", "amended")
    shown, hidden = whole.shares[0], whole.shares[1]  # were the third shown too, the sum would tell
    target = line_hash(hidden)
    role = next(of for _, name, of in Share.STRUCT.members if name == "role")
    known = sha3.keccak_256(Share.STRUCT.type_hash + hidden.party.rjust(32, b"\0") + role.encode(hidden.role))

    def found(salt, shares):
        for ppm in shares:
            guess = known.copy()
            guess.update(ppm.to_bytes(32, "big") + salt)
            if guess.digest() == target:
                return ppm
        return None

    for salt_known in (whole.salt, shown.salt, whole.shares[2].salt):
        assert found(salt_known, range(1, WHOLE + 1)) is None
    assert found(hidden.salt, range(hidden.ppm - 1000, hidden.ppm + 1000)) == hidden.ppm


@pytest.mark.parametrize("kind", ["Cancellation", "Termination"])
def test_what_does_not_name_its_signers_is_signed_by_somebody(kind):
    statement = plain(kind)
    data = typed_data(statement, REGISTRY)
    with pytest.raises(InvalidData) as caught:
        check_submission(Submission(data, ()), REGISTRY, Submitter(), NOW + 100)
    assert (caught.value.code, caught.value.field) == ("signature.none", "signatures")
    signed = sign(statement.digest(domain_separator(REGISTRY)), ALICE)
    checked = check_submission(Submission(data, (signed,)), REGISTRY, Submitter(), NOW + 100)
    assert checked.accounts == (account_of_private_key(ALICE),)


def test_each_line_gets_a_salt_of_its_own_where_none_is_given():
    fresh = (to_hex(salt(str(number))) for number in range(10))
    lines = [{name: value for name, value in line.items() if name != "salt"} for line in PLAIN["Agreement"]["shares"]]
    fields = {name: value for name, value in PLAIN["Agreement"].items() if name != "salt"} | {"shares": lines}
    made = KINDS["Agreement"].from_message(KINDS["Agreement"].STRUCT.salted(fields, lambda: next(fresh)))
    assert len({made.salt, *(line.salt for line in made.shares)}) == 3
    assert "salt" not in fields | lines[0]
    for kind, message in PLAIN.items():  # what is given stays
        assert KINDS[kind].STRUCT.salted(message, lambda: "0x00") == message
    for junk in (None, [], "x", {"shares": "x"}, {"shares": [None, 1, "0x"]}):
        given = KINDS["Agreement"].STRUCT.salted(junk, lambda: "0x00")
        assert given == (junk | {"salt": "0x00"} if isinstance(junk, dict) else junk)


def key_of(statement):
    return repeat_key(statement.kind, statement.digest(bytes(32)), statement.subjects(), statement.signers() or ())


def test_a_repeat_is_the_same_accounts_on_the_same_content():
    again = work(salt=salt("another"), title="Another title", madeAt=1)
    assert again.digest(bytes(32)) != work().digest(bytes(32))
    assert key_of(again) == key_of(work())
    others = [work(BOB), work(content=b"another"), upload(ALICE), rendition(salt("a")), rendition(salt("b"))]
    assert len({key_of(work()), *(key_of(other) for other in others)}) == 1 + len(others)


@given(statements, st.binary(min_size=32, max_size=32))
def test_only_what_claims_a_content_can_be_a_repeat(statement, other):
    again = dataclasses.replace(statement, salt=other)
    same = statement.content() is not None or again == statement
    assert (key_of(again) == key_of(statement)) == same
    assert (statement.content() is not None) == (statement.kind in ("Work", "Upload", "Rendition"))


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
