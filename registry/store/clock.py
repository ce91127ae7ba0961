"""The registry's clock: it dates what is accepted, and it is the same for all processes.

On PostgreSQL it is the server's clock, read inside the transaction that writes. On SQLite, whose processes share one
machine, it is the process's own. A time in the log can never be corrected, so nothing is written by a clock that other
clocks contradict: the process's own, the newest record, or the chain's newest block.

The comparisons with records and blocks are one-sided. Both may be old for good reasons: nobody registered anything, or
a chain stands still. Neither can be dated in the future unless a clock is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from deedlog.registry import times
from deedlog.registry.errors import Unavailable
from deedlog.registry.store import alarms, insertion

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    Clock = Callable[[Connection], int]
    """Returns the time (Unix seconds) inside the caller's transaction. Raises `Unavailable` (`clock.…`)."""

TOLERANCE_SECONDS = 5
"""How far two clocks may differ. Clocks that NTP keeps differ by milliseconds."""

BEHIND_CHAIN = "clock.behind_chain"
"""The alarm that the anchorer raises while the chain's newest block is dated after this clock."""

_SERVER_TIME = text("SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)")


def read(connection: Connection) -> int:
    """Return the time by the registry's clock (Unix seconds).

    Raises `Unavailable` (`clock.differs`) if the process's own clock differs by more than `TOLERANCE_SECONDS`.
    """
    before = times.now()
    if connection.dialect.name != "postgresql":
        return before
    now: int = connection.execute(_SERVER_TIME).scalar_one()
    after = times.now()
    # The answer may have taken long, so the own clock is an interval: a busy machine must not look like a wrong clock.
    apart = max(before - now, now - after)
    if apart > TOLERANCE_SECONDS:
        raise Unavailable("clock.differs", seconds=apart, maximum=TOLERANCE_SECONDS)
    return now


def check(connection: Connection) -> int:
    """Return the time by the registry's clock (Unix seconds), if records may be dated by it.

    Raises `Unavailable`: `clock.differs`; `clock.behind_log` if the newest record is dated later; `clock.behind_chain`
    if the anchorer has seen a block that is dated later.
    """
    now = read(connection)
    check_order(insertion.newest_time(connection), now)
    for alarm in alarms.alarms(connection):
        if alarm.code == BEHIND_CHAIN:
            raise behind_chain(int(alarm.params["seconds"]), int(alarm.params["block"]))
    return now


def behind_chain(seconds: int, block: int) -> Unavailable:
    """Return the error that a block of this number is dated so much later than this clock."""
    return Unavailable("clock.behind_chain", seconds=seconds, block=block)


def check_order(newest: int, now: int) -> None:
    """Raise `Unavailable` (`clock.behind_log`) if a record is dated `newest`, too far after `now` (Unix seconds)."""
    if newest - now > TOLERANCE_SECONDS:
        raise Unavailable("clock.behind_log", seconds=newest - now, maximum=TOLERANCE_SECONDS)
