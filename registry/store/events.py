"""The feed of what happened, in order, each event written in the transaction of the fact that it tells.

An event is about one statement, or about a range of the log's entries, which is told entry by entry when it is read:
so sequencing thousands of statements costs one row. Functions take a connection inside a transaction and never commit.
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
"""The number of the lock among PostgreSQL's advisory locks, which are each database's own."""

OF_DRAFTS = ("proposed", "accepted", "declined")
"""Told only to those who may read the draft."""

OF_CHAINS = ("anchored", "final")
OF_RANGES = ("logged", *OF_CHAINS)
"""Of ranges of the log's entries."""


def brought_about() -> tuple[str, ...]:
    """Return the names of the events that statements bring about, by the declarations of their kinds."""
    return tuple(dict.fromkeys(event for kind in KINDS.values() for event, _ in kind.EVENTS))


def names() -> tuple[str, ...]:
    """Return the names of all events."""
    return (*OF_DRAFTS, *brought_about(), *OF_RANGES)


Cursor = tuple[int, int]
"""Where a reader is: an event's id, and how many entries of its range are read."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a statement; `at` is the registry's clock, of anchors the block's."""

    name: str
    at: int
    digest: bytes
    kind: str | None
    account: bytes | None
    chain_id: int | None
    cursor: Cursor
    """Where a reader is right after it."""


def record(connection: Connection, name: str, now: int, digest: bytes, account: bytes | None = None) -> None:
    """Write down what happened to a statement; `account`: who did it, where one did."""
    _add(connection, name=name, at=now, digest=digest, account=account)


def record_range(
    connection: Connection, name: str, now: int, first: int, end: int, chain_id: int | None = None
) -> None:
    """Write down what happened to the entries from index `first` to `end` - 1, and on which chain, if on one."""
    _add(connection, name=name, at=now, first=first, end=end, chain_id=chain_id)


def _add(connection: Connection, **values: Any) -> None:
    # Ids must become visible in their order, or a reader passes one over: PostgreSQL gives them out before they commit.
    # SQLite has one writer at a time. Nothing else is waited for while this is held: so tell what happened last.
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_EVENTS_LOCK)))
    connection.execute(insert(EVENT).values(**values))


def after(connection: Connection, cursor: Cursor, limit: int = PAGE) -> list[Event]:
    """Return the events behind a cursor, at most `limit`, in order."""
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
        if start >= row.end:  # a cursor of one's own making, or of a reader who has read all of it
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
