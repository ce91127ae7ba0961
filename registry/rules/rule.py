"""The rule of a kind: what its statements need and what they change. Each rule is in the file of its family.

All functions are pure. A rule may read the state, the entry, and the statement's members outside its lines. It must not
read a line, because some verifiers have the lines and others do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from deedlog.registry.rules.state import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deedlog.registry.rules.state import Fact, State
    from deedlog.registry.statements.base import Statement

COUNTS = Standing("standing.counts")


def no_check(_state: State, _fact: Fact, _statement: Any) -> None:
    """Accept every statement: for a kind whose statements depend on no others."""


def no_change(_state: State, _fact: Fact, _statement: Any) -> None:
    """Leave the state as it is."""


def counts(_state: State, _digest: bytes, _at: int) -> Standing:
    """Return `COUNTS`: for a kind whose statements nothing later changes."""
    return COUNTS


def nobody(_state: State, _digest: bytes) -> Iterable[bytes]:
    """Return no account."""
    return ()


class Rule(NamedTuple):
    """The rule of a kind: what a statement needs, what it changes, and its standing."""

    check: Callable[[State, Fact, Any], None] = no_check
    """Raise `InvalidData` if the statement would not count as the next entry. Must not change the state."""

    apply: Callable[[State, Fact, Any], None] = no_change
    """Apply a statement that has passed `check` to the state."""

    standing: Callable[[State, bytes, int], Standing] = counts
    """Return the standing at a time (Unix seconds) of a statement that counts, by its digest."""

    needs_body: bool = False
    """Whether the rule needs the body. Without it, the statement does not count (`standing.no_body`)."""

    signers: Callable[[State, Fact], Iterable[bytes]] | None = None
    """For a kind whose `signers()` is None: return exactly the accounts that must sign.

    They follow from the statements that this one names and may change only by rotations, because a draft stores them.
    Raises `InvalidData` if a named statement is missing. If this is None, there is no such list, and `check` decides
    whether the right accounts signed.
    """

    readers: Callable[[State, bytes], Iterable[bytes]] = nobody
    """Return the accounts that may also read a private statement, by its digest.

    It must accept the digest of a refused statement, which has no state.
    """


RULES: dict[str, Rule] = {}
"""The rule of each kind of statement, by the kind's name."""


def add_rule(kind: type[Statement], rule: Rule) -> None:
    """Register the rule of a kind. Raises `ValueError` if the kind already has one."""
    if kind.__name__ in RULES:
        message = f"{kind.__name__} has a rule already"
        raise ValueError(message)
    RULES[kind.__name__] = rule
