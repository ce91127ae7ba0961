"""What a kind of statement does: its rule. Each stands in the file of its family, below the functions it is made of.

All functions are pure. A rule may look at the state, at the entry and at the members above the lines; never into a
line, which some verifiers can read and others cannot.
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
    """Need nothing beyond the statement itself."""


def no_change(_state: State, _fact: Fact, _statement: Any) -> None:
    """Change nothing."""


def counts(_state: State, _digest: bytes, _at: int) -> Standing:
    """Return that it counts: nothing that is logged later changes that."""
    return COUNTS


def nobody(_state: State, _digest: bytes) -> Iterable[bytes]:
    """Return no account."""
    return ()


class Rule(NamedTuple):
    """What a kind of statement needs, what it changes, and what it comes to."""

    check: Callable[[State, Fact, Any], None] = no_check
    """Raise `InvalidData` if the statement would not count as the next entry; change nothing."""

    apply: Callable[[State, Fact, Any], None] = no_change
    """Change the state by a statement that has passed `check`."""

    standing: Callable[[State, bytes, int], Standing] = counts
    """Return the standing of a statement that counts, by its digest, at an instant."""

    needs_body: bool = False
    """Whether nothing of it follows from the entry alone."""

    signers: Callable[[State, Fact], Iterable[bytes]] | None = None
    """Of a kind whose `signers()` is None: return the accounts that must all sign, and nobody else.

    They follow from the statements that it names, and change by rotations alone: a draft keeps them. Raises
    `InvalidData` where what it names is not there. None: there is no such list, and `check` looks at who has signed.
    """

    readers: Callable[[State, bytes], Iterable[bytes]] = nobody
    """Return who else may read a private statement, by its digest; what was refused has no state of its own."""


RULES: dict[str, Rule] = {}
"""The rule of each kind of statement, by the kind's name."""


def add_rule(kind: type[Statement], rule: Rule) -> None:
    """Give a kind its rule; raise `ValueError` if it has one."""
    if kind.__name__ in RULES:
        message = f"{kind.__name__} has a rule already"
        raise ValueError(message)
    RULES[kind.__name__] = rule
