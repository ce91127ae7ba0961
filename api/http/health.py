"""The registry's state, read from its database, for `/readyz`, `/metrics` and the alarms built on them.

All processes read the same rows, so every web process gives the same answer, whichever worker is active.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.anchorer import ALARM_INTERVALS, LOW_BALANCE
from deedlog.anchor.log import store as log_store
from deedlog.registry.errors import Unavailable
from deedlog.registry.store import alarms, clock, lease
from deedlog.registry.store import statements as store
from deedlog.registry.store.alarms import Alarm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from deedlog.anchor.evm.network import Chain
    from deedlog.registry.store.lease import Holding

_WEB = "web"
"""The role of alarms that only this process has; they are not stored."""

CHECKPOINT_DEADLINE = 30
"""Seconds within which an accepted statement should be logged. A healthy sequencer takes less than one."""


@dataclass(frozen=True, slots=True)
class Health:
    """The registry's state at one moment. Ages are in seconds; None if there is nothing to measure."""

    log_size: int
    checkpoint_age: int
    unlogged_age: int | None
    anchored_size: int
    unanchored_age: int | None
    anchor_deadline: int
    balance: int | None
    roles: tuple[Holding, ...]
    alarms: tuple[Alarm, ...]

    def checks(self) -> dict[str, bool]:
        """Return each check by name, and whether it passes."""
        held = {holding.role: not holding.free for holding in self.roles}
        return {
            "clock": not any(alarm.code.startswith("clock.") for alarm in self.alarms),
            # The sequencer holds its role for a moment after it has found that a chain lacks the contract.
            "deployed": not any(alarm.code == "chain.not_deployed" for alarm in self.alarms),
            "sequencer": held.get(lease.SEQUENCER, False),
            "anchorer": held.get(lease.ANCHORER, False),
            "checkpoint": self.unlogged_age is None or self.unlogged_age <= CHECKPOINT_DEADLINE,
            "anchor": self.unanchored_age is None or self.unanchored_age <= self.anchor_deadline,
            "balance": self.balance is None or self.balance >= LOW_BALANCE,
        }

    @property
    def ready(self) -> bool:
        """Whether a statement sent to this process now is accepted, dated by a right clock, and logged.

        A late anchor or a low balance raises an alarm but does not make the registry unready: statements are still
        stored.
        """
        checks = self.checks()
        return all(checks[name] for name in ("clock", "deployed", "sequencer", "checkpoint"))


def read(connection: Connection, chain: Chain, anchor_interval: int, now: int) -> Health:
    """Return the state in the database at `now` (Unix seconds). `anchor_interval` is in seconds."""
    state = log_store.state(connection)
    newest = anchor_store.newest_anchor(connection, chain.chain_id)
    anchored = 0 if newest is None else newest.size
    status = anchor_store.chain_status(connection, chain.chain_id)
    return Health(
        log_size=state.size,
        checkpoint_age=max(0, now - log_store.newest_signed_at(connection)),
        unlogged_age=_age(store.oldest_accepted_beyond(connection, state.size), now),
        anchored_size=anchored,
        unanchored_age=_age(store.oldest_accepted_beyond(connection, anchored), now),
        anchor_deadline=ALARM_INTERVALS * anchor_interval,
        balance=None if status is None else status.balance,
        roles=tuple(lease.holders(connection)),
        alarms=_each_once([*alarms.alarms(connection), *_own_clock(connection, now)]),
    )


def _own_clock(connection: Connection, now: int) -> list[Alarm]:
    """Return the alarm of this process if it cannot date a record now: other processes may have a right clock."""
    try:
        clock.check(connection)
    except Unavailable as error:
        return [Alarm(_WEB, error.code, error.params, now)]
    return []


def _each_once(found: Sequence[Alarm]) -> tuple[Alarm, ...]:
    """Return the alarms, the oldest first, each code once: both roles can raise the same alarm about the same node."""
    first: dict[str, Alarm] = {}
    for alarm in found:
        first.setdefault(alarm.code, alarm)
    return tuple(first.values())


def _age(since: int | None, now: int) -> int | None:
    return None if since is None else max(0, now - since)
