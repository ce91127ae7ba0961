"""The event feed. Each event is written in the same transaction as the change that it reports.

An event is about one statement or about a range of log entries. A range is expanded into one event per entry when it is
read, so sequencing thousands of statements costs one row. Functions take a connection inside a transaction and never
commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from deedlog.registry.statements import KINDS
from deedlog.registry.store.tables import EVENT, STATEMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

PAGE = 100
"""The most events that one page of the feed holds."""

_EVENTS_LOCK = int.from_bytes(b"events", "big")
"""The key of this PostgreSQL advisory lock. Each database has its own advisory locks."""

OF_DRAFTS = ("proposed", "accepted", "declined")
"""Events of drafts. Shown only to accounts that may read the draft."""

OF_CHAINS = ("anchored", "final")
OF_RANGES = ("logged", *OF_CHAINS)
"""Events of ranges of log entries."""


def brought_about() -> tuple[str, ...]:
    """Return the names of the events that statements cause, as the declarations of their kinds list them."""
    return tuple(dict.fromkeys(event for kind in KINDS.values() for event, _ in kind.EVENTS))


def names() -> tuple[str, ...]:
    """Return the names of all events."""
    return (*OF_DRAFTS, *brought_about(), *OF_RANGES)


Cursor = tuple[int, int]
"""A reader's position: the id of an event row, and how many entries of its range were read (0: the whole row)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one statement. `at` is in Unix seconds, by the registry's clock; for anchors, by the block's."""

    name: str
    at: int
    digest: bytes
    kind: str | None
    account: bytes | None
    chain_id: int | None
    cursor: Cursor
    """A reader's position right after this event."""


def record(connection: Connection, name: str, now: int, digest: bytes, account: bytes | None = None) -> None:
    """Record an event of one statement. `account` is the account that caused it, if one did."""
    _add(connection, name=name, at=now, digest=digest, account=account)


def record_range(
    connection: Connection, name: str, now: int, first: int, end: int, chain_id: int | None = None
) -> None:
    """Record an event of the entries from index `first` to `end` - 1, with its chain if it happened on one."""
    _add(connection, name=name, at=now, first=first, end=end, chain_id=chain_id)


def _add(connection: Connection, **values: Any) -> None:
    # Ids must become visible in order, or a reader skips one. PostgreSQL assigns them before the commit, so writers
    # take turns; SQLite has only one writer at a time. Record events last: a transaction that holds this lock must not
    # wait for another one.
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_EVENTS_LOCK)))
    connection.execute(insert(EVENT).values(**values))


def after(connection: Connection, cursor: Cursor, limit: int = PAGE) -> list[Event]:
    """Return the events after a cursor, in order, at most `limit`."""
    found: list[Event] = []
    row_id, read = cursor
    while len(found) < limit:
        wanted = EVENT.c.id >= row_id if read else EVENT.c.id > row_id
        row = connection.execute(select(EVENT).where(wanted).order_by(EVENT.c.id).limit(1)).first()
        if row is None:
            break
        if row.first is None:
            kind = connection.execute(select(STATEMENT.c.kind).where(STATEMENT.c.digest == row.digest)).scalar()
            found.append(Event(row.name, row.at, row.digest, kind, row.account, None, (row.id, 0)))
            row_id, read = row.id, 0
            continue
        if row.id != row_id:
            read = 0
        start = row.first + read
        if start >= row.end:  # a cursor that the client made up, or one at the end of its range
            row_id, read = row.id, 0
            continue
        entries = _entries(connection, start, min(row.end, start + limit - len(found)))
        for position, (digest, kind) in enumerate(entries, read + 1):
            last = row.first + position == row.end
            found.append(Event(row.name, row.at, digest, kind, None, row.chain_id, (row.id, 0 if last else position)))
        row_id, read = found[-1].cursor
    return found


def _entries(connection: Connection, first: int, end: int) -> Sequence[tuple[bytes, str]]:
    rows = connection.execute(
        select(STATEMENT.c.digest, STATEMENT.c.kind)
        .where(STATEMENT.c.log_index >= first, STATEMENT.c.log_index < end)
        .order_by(STATEMENT.c.log_index)
    )
    return [(row.digest, row.kind) for row in rows]
