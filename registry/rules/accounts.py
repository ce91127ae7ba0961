"""The rules of accounts: which account acts for which after a rotation. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules.rule import Rule, add_rule
from deedlog.registry.rules.state import Succession
from deedlog.registry.statements.accounts import Rotation
from deedlog.registry.statements.subjects import SUCCESSOR

if TYPE_CHECKING:
    from deedlog.registry.rules.state import Fact, State


def check_rotation(state: State, fact: Fact, _statement: object) -> None:
    """Check that the successor is a new account: it has signed nothing and is no payer.

    So two accounts never become one, and rotations form no circle. Raises `InvalidData` (`rotation.to_somebody`).
    """
    to = fact.named(SUCCESSOR)
    if to in state.known:
        raise InvalidData("rotation.to_somebody", field="to", account=to_hex(to))


def apply_rotation(state: State, fact: Fact, _statement: object) -> None:
    """Let the successor act for the account from the entry's time on. The account signs nothing more."""
    to = fact.named(SUCCESSOR)
    [account] = [account for account in fact.accounts if account != to]
    succession, _ = state.successions.setdefault(account, (Succession([account], [0]), 0))
    state.successions[to] = (succession, len(succession.accounts))
    succession.accounts.append(to)
    succession.since.append(fact.time)


add_rule(Rotation, Rule(check_rotation, apply_rotation))
