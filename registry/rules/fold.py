"""The fold that decides what statements mean: over a log's entries and bodies, the same for registry and verifier.

An entry's time is the only clock. A statement that its rule refuses changes nothing, even if it is in a log; its
standing gives the reason. A registry applies the same rule before it accepts a statement. A verifier without a body
still learns that the statement exists, its place in the order, and its signers. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex

# Importing a family registers the rules of its kinds.
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
    """Return whether later statements can change the standing or the readers of a statement of this kind."""
    rule = RULES[kind]
    return rule.standing is not counts or rule.readers is not nobody


def needs_state(kind: str) -> bool:
    """Return whether accepting a statement of this kind depends on other statements."""
    rule, declared = RULES[kind], KINDS[kind]
    return (
        rule.check is not no_check
        or rule.signers is not None
        or declared.HANDS_OVER is not None
        or declared.ENDS_DRAFT is not None
    )


def state(facts: Iterable[Fact], at: int = FOR_EVER) -> State:
    """Fold the entries up to the time `at` (Unix seconds, inclusive); `facts` are in log order."""
    folded = State()
    for fact in facts:
        if fact.time > at:
            break
        apply(folded, fact)
    return folded


def apply(state: State, fact: Fact) -> None:
    """Fold in the next entry. A statement that does not count records its standing and makes its accounts known.

    A digest counts once, at its lowest index; an entry that repeats it is ignored.
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
    # A payer may never have signed anything. If another account were rotated to it, two agreements with different
    # payers could end up with the same payer.
    state.known.update(known_by(fact.subjects))


def note_counts(state: State, digest: bytes, kind: str) -> None:
    """Record that a statement counts without folding it in. Nothing later may change a statement of its kind."""
    state.standings[digest] = COUNTS
    state.kinds[digest] = kind


def check(state: State, fact: Fact) -> None:
    """Raise `InvalidData` if the statement would not count as the next entry. The state is not changed."""
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
    """Return the standing of a statement at a time (Unix seconds).

    It is `standing.unknown`, which does not count, if the state does not have the statement.
    """
    found = state.standings.get(digest)
    if found is None:
        return Standing("standing.unknown", counts=False)
    return RULES[state.kinds[digest]].standing(state, digest, at) if found.counts else found
