"""Who signs a statement, what it is about, and when it is a repeat of another."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.models.plain_statements import REGISTRY, case, plain
from support.models.statement_strategies import readable, statements
from support.worlds.registries.registry_world import ALICE, BOB, NOW, rendition, salt, upload, work
from vectors.generate.statement_cases import messages
from vectors.generate.statement_plain import PLAIN

from deedlog.registry.acceptance.submission import Submission, Submitter, check_submission
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.base import repeat_key
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data


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
