"""What statements come to: one fold over a log's entries and bodies, the same for every registry and every verifier.

An entry's time is the only clock. A statement that its rule refuses changes nothing, however it came into a log, and
its standing says why; a registry asks the same rule before it accepts one. A verifier that lacks a body learns that the
statement exists, its order and its signers. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex

# Each family adds the rules of its kinds when it is imported.
from deedlog.registry.rules import accounts, agreements, works  # noqa: F401
from deedlog.registry.rules.agreements import FOR_EVER
from deedlog.registry.rules.rule import COUNTS, RULES, counts, no_check, nobody
from deedlog.registry.rules.state import Fact, Standing, State
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.signatures import check_signers
from deedlog.registry.statements.subjects import known_by

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FOR_EVER", "Fact", "Standing", "State", "apply", "check", "standing", "state"]


def changes_later(kind: str) -> bool:
    """Return whether later statements can change the standing of one of a kind, or who may read it."""
    rule = RULES[kind]
    return rule.standing is not counts or rule.readers is not nobody


def needs_state(kind: str) -> bool:
    """Return whether it depends on other statements if one of a kind is accepted."""
    rule, declared = RULES[kind], KINDS[kind]
    return (
        rule.check is not no_check
        or rule.signers is not None
        or declared.HANDS_OVER is not None
        or declared.ENDS_DRAFT is not None
    )


def state(facts: Iterable[Fact], at: int = FOR_EVER) -> State:
    """Return what the entries up to the instant `at` (Unix seconds, inclusive) come to; they are in the log's order."""
    folded = State()
    for fact in facts:
        if fact.time > at:
            break
        apply(folded, fact)
    return folded


def apply(state: State, fact: Fact) -> None:
    """Fold the next entry in; a statement that does not count leaves its standing and nothing else.

    A digest counts once, at its lowest index: an entry that repeats one says nothing new.
    """
    if fact.digest in state.standings:
        return
    if fact.statement is None and RULES[fact.kind].needs_body:
        state.standings[fact.digest] = Standing("standing.no_body", counts=False)
    else:
        try:
            check(state, fact)
        except InvalidData as error:
            state.standings[fact.digest] = Standing(error.code, error.params, counts=False)
        else:
            RULES[fact.kind].apply(state, fact, fact.statement)
            state.standings[fact.digest] = COUNTS
    state.kinds[fact.digest] = fact.kind
    state.known.update(fact.accounts)
    # A payer need not have signed anything: were another account rotated to it, two agreements that have different
    # payers could become two of the same.
    state.known.update(known_by(fact.subjects))


def note_counts(state: State, digest: bytes, kind: str) -> None:
    """Note that a statement counts, of a kind that nothing later changes, without folding it in."""
    state.standings[digest] = COUNTS
    state.kinds[digest] = kind


def check(state: State, fact: Fact) -> None:
    """Raise `InvalidData` if the statement would not count as the next entry; change nothing."""
    for account in fact.accounts:
        if state.is_rotated(account):
            holder = to_hex(state.holder(account, fact.time))
            raise InvalidData("account.rotated_away", account=to_hex(account), holder=holder)
    rule = RULES[fact.kind]
    signers = fact.statement.signers() if fact.statement is not None else None
    if signers is not None:
        check_signers(fact.accounts, signers)
    elif rule.signers is not None:
        check_signers(fact.accounts, rule.signers(state, fact))
    rule.check(state, fact, fact.statement)


def standing(state: State, digest: bytes, at: int) -> Standing:
    """Return what a statement comes to at an instant, as far as the state knows it."""
    found = state.standings.get(digest)
    if found is None:
        return Standing("standing.unknown", counts=False)
    return RULES[state.kinds[digest]].standing(state, digest, at) if found.counts else found
