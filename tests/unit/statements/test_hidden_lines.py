"""The lines of an agreement: whichever are hidden it is the same agreement, and what is hidden cannot be guessed."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import sha3
from hypothesis import given
from hypothesis import strategies as st
from support.models.plain_statements import case
from support.models.statement_strategies import any_member, in_part, registries
from support.worlds.registries.registry_world import salt
from vectors.generate.statement_plain import PLAIN

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS, Share
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.eip712 import domain_separator, line_hash


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
