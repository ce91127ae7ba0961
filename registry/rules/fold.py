"""What statements come to: one fold over a log's entries and bodies, the same for every registry and every verifier.

An entry's time is the only clock. A statement that its rule refuses changes nothing, however it came into a log, and
its standing says why; a registry asks the same rule before it accepts one. Whoever lacks a body learns that it exists,
its order and its signers. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules import accounts, agreements, works
from deedlog.registry.rules.agreements import FOR_EVER
from deedlog.registry.rules.state import Fact, Standing, State
from deedlog.registry.rules.works import no_check
from deedlog.registry.statements.signatures import check_signers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["FOR_EVER", "RULES", "Fact", "Rule", "Standing", "State", "apply", "check", "standing", "state"]


_COUNTS = Standing("standing.counts")


def _counts(_state: State, _digest: bytes, _at: int) -> Standing:
    """Nothing that comes later changes it."""
    return _COUNTS


class Rule(NamedTuple):
    """What a kind of statement needs (raises `InvalidData`, changes nothing), what it changes, what it comes to."""

    check: Callable[[State, Fact, Any], None]
    apply: Callable[[State, Fact, Any], None]
    standing: Callable[[State, bytes, int], Standing] = _counts
    needs_body: bool = False
    """Whether none of it follows from the entry alone."""


RULES = {
    "Work": Rule(no_check, works.apply_work),
    "Upload": Rule(no_check, works.apply_upload, works.upload_standing),
    "Rendition": Rule(works.check_rendition, no_check),
    "Claim": Rule(works.check_claim, works.apply_claim, works.claim_standing),
    "Countersignature": Rule(works.check_countersignature, works.apply_countersignature),
    "Contribution": Rule(works.check_contribution, works.apply_contribution, works.claim_standing),
    "Rotation": Rule(accounts.check_rotation, accounts.apply_rotation),
    "Cancellation": Rule(agreements.check_cancellation, agreements.apply_cancellation),
    "Agreement": Rule(
        agreements.check_agreement, agreements.apply_agreement, agreements.agreement_standing, needs_body=True
    ),
    "Termination": Rule(agreements.check_termination, agreements.apply_termination, needs_body=True),
    "RevenueReport": Rule(
        agreements.check_report, agreements.apply_report, agreements.report_standing, needs_body=True
    ),
}
"""The rule of each kind of statement."""


def changes_later(kind: str) -> bool:
    """Return whether what comes later can change what a statement of a kind comes to."""
    return RULES[kind].standing is not _counts


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
            state.standings[fact.digest] = _COUNTS
    state.kinds[fact.digest] = fact.kind
    state.known.update(fact.accounts)
    if payer := fact.named("payer"):
        # It need not have signed anything: were another account rotated to it, two agreements that have different
        # payers could become two of the same.
        state.known.add(payer)


def note_counts(state: State, digest: bytes, kind: str) -> None:
    """Note that a statement counts, of a kind that nothing later changes, without folding it in."""
    state.standings[digest] = _COUNTS
    state.kinds[digest] = kind


def check(state: State, fact: Fact) -> None:
    """Raise `InvalidData` if the statement would not count as the next entry; change nothing."""
    for account in fact.accounts:
        if state.is_rotated(account):
            holder = to_hex(state.holder(account, fact.time))
            raise InvalidData("account.rotated_away", account=to_hex(account), holder=holder)
    signers = fact.statement.signers() if fact.statement is not None else None
    if signers is not None:  # else its rule knows them
        check_signers(fact.accounts, signers)
    RULES[fact.kind].check(state, fact, fact.statement)


def standing(state: State, digest: bytes, at: int) -> Standing:
    """Return what a statement comes to at an instant, as far as the state knows it."""
    found = state.standings.get(digest)
    if found is None:
        return Standing("standing.unknown", counts=False)
    return RULES[state.kinds[digest]].standing(state, digest, at) if found.counts else found
