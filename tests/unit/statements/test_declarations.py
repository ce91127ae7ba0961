"""What a declaration of a kind may say: tags that mean one thing, and nothing that contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from support.models.statement_strategies import statements

from deedlog.registry.rules.fold import RULES
from deedlog.registry.rules.rule import Rule, add_rule
from deedlog.registry.statements import KINDS, Work
from deedlog.registry.statements.base import Statement, declare
from deedlog.registry.statements.subjects import (
    AGREEMENT,
    PAYER,
    SUPERSEDES,
    TAGS,
    WORK,
    Tag,
    Value,
    accounts_in,
    define,
    known_by,
    statements_in,
    values,
)
from deedlog.registry.statements.vocabulary import Hash

ONE, TWO = b"\1" * 32, b"\2" * 32
ACCOUNT = b"\3" * 20


@given(statements)
def test_the_subjects_of_a_statement_have_the_tags_that_its_kind_declares(statement):
    subjects = statement.subjects()
    assert list(subjects) == sorted(subjects)
    assert {subject.partition(":")[0] for subject in subjects} <= {tag.name for tag in statement.SUBJECTS}
    read = [tag.of(value) for tag in statement.SUBJECTS for value in values(subjects, tag)]
    assert sorted(read) == sorted(subjects)
    sizes = {Value.ACCOUNT: 20, Value.STATEMENT: 32, Value.FILE: 32, Value.HASH: 32}
    for tag in statement.SUBJECTS:
        assert {len(value) for value in values(subjects, tag)} <= {sizes[tag.value]}


@given(statements)
def test_signers_are_declared_or_known_by_a_rule_or_are_parties_of_a_draft_that_ends(statement):
    elsewhere = RULES[statement.kind].signers is not None or statement.ENDS_DRAFT is not None
    assert (statement.signers() is None) == elsewhere


@given(statements)
def test_each_line_is_about_somebody(statement):
    assert len(statement.line_owners()) == len(statement.lines())


def test_every_kind_has_a_rule_and_every_rule_a_kind():
    assert set(RULES) == set(KINDS)
    with pytest.raises(ValueError, match="has a rule already"):
        add_rule(Work, Rule())


def test_the_kinds_that_a_tag_names_are_there():
    for tag in TAGS.values():
        assert set(tag.names) <= set(KINDS), tag
        assert not tag.names or tag.value is Value.STATEMENT


def test_what_an_entry_names_is_told_apart_by_its_tags():
    subjects = ("later:0x" + "ab" * 32, PAYER.of(ACCOUNT), SUPERSEDES.of(ONE), WORK.of(TWO), WORK.of(ONE))
    assert statements_in(subjects) == [ONE, TWO, ONE]
    assert accounts_in(subjects) == known_by(subjects) == [ACCOUNT]
    assert list(values(subjects, WORK)) == [TWO, ONE]
    assert known_by(["successor:0x" + "03" * 20]) == [], "a successor is somebody once it has signed"


def test_a_tag_names_its_kinds_or_the_statement_s_own():
    assert AGREEMENT.may_name("Cancellation", "Agreement")
    assert not AGREEMENT.may_name("Cancellation", "Termination")
    assert SUPERSEDES.may_name("Agreement", "Agreement")
    assert not SUPERSEDES.may_name("Agreement", "RevenueReport")


@pytest.mark.parametrize(
    "other", [Tag("work", Value.FILE), Tag("work", Value.STATEMENT), Tag("payer", Value.ACCOUNT)], ids=str
)
def test_a_tag_cannot_get_a_second_meaning(other):
    before = dict(TAGS)
    with pytest.raises(ValueError, match=f"the tag {other.name} means .* already"):
        define(other)
    assert before == TAGS


class Declared(Statement):
    """What the kinds below have in common: members that are never read."""

    def subjects(self):
        return ()


BAD = {
    "a tag that is in no table": {"SUBJECTS": (Tag("nowhere", Value.FILE),)},
    "a tag in another meaning": {"SUBJECTS": (Tag("work", Value.FILE),)},
    "bears on what it does not name": {"SUBJECTS": (WORK,), "BEARS_ON": (AGREEMENT,)},
    "an event of what it does not name": {"SUBJECTS": (WORK,), "EVENTS": (("ended", AGREEMENT),)},
    "ends a draft that it does not name": {"SUBJECTS": (), "ENDS_DRAFT": AGREEMENT},
}


@pytest.mark.parametrize("name", BAD)
def test_a_declaration_that_contradicts_itself_or_the_table_is_refused(name):
    kinds = dict(KINDS)
    made = type("Bad", (Declared,), BAD[name] | {"__annotations__": {"salt": Hash}, "__module__": __name__})
    with pytest.raises(ValueError, match=r"Bad (uses|relies on) the tag"):
        declare(dataclass(frozen=True)(made))
    assert kinds == KINDS


def test_a_kind_is_declared_once():
    with pytest.raises(ValueError, match="there is a kind Work already"):
        declare(type("Work", (Declared,), {}))
    assert KINDS["Work"] is Work
