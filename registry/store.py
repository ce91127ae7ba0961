"""SQL that finds statements, and gives them their place in the log.

Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, and_, bindparam, exists, func, or_, select, update

from registry import entry as entries
from registry.tables import ACCOUNT, RERUN, STATEMENT, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping, Select

PAGE = 100
"""The most statements that one page of a list holds."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A statement as it is kept: `message` is None once erased, `entry` is whole once logged."""

    id: int
    digest: bytes
    kind: str
    message: dict[str, Any] | None
    entry: bytes
    accepted_at: int
    log_index: int | None
    logged_at: int | None

    def opened(self) -> entries.Entry:
        """Return what the entry says; before it is logged, with time 0."""
        return entries.parse(self.entry if self.log_index is not None else entries.close(self.entry, 0))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which statements to list: all conditions hold."""

    subjects: tuple[str, ...] = ()
    account: bytes | None = None
    kind: str | None = None


def references(connection: Connection, statement_id: int, owner: str) -> list[str]:
    """Return the names under which `owner` sent a statement."""
    rows = connection.execute(select(RERUN.c.name).where(RERUN.c.statement_id == statement_id, RERUN.c.owner == owner))
    return [row.name for row in rows]


def by_digest(connection: Connection, digest: bytes) -> Stored | None:
    """Return the statement of that digest, if it is kept."""
    row = connection.execute(_statements().where(STATEMENT.c.digest == digest)).mappings().first()
    return None if row is None else _stored(row)


def search(connection: Connection, wanted: Filter, after: int, limit: int = PAGE) -> list[Stored]:
    """Return statements in the order of acceptance, those with an id above `after`, at most `limit`."""
    query = _statements().where(STATEMENT.c.id > after).order_by(STATEMENT.c.id).limit(limit)
    if wanted.kind is not None:
        query = query.where(STATEMENT.c.kind == wanted.kind)
    if wanted.account is not None:
        query = query.where(
            STATEMENT.c.id.in_(select(ACCOUNT.c.statement_id).where(ACCOUNT.c.account == wanted.account))
        )
    if wanted.subjects:
        query = query.where(
            STATEMENT.c.id.in_(select(SUBJECT.c.statement_id).where(SUBJECT.c.subject.in_(wanted.subjects)))
        )
    return [_stored(row) for row in connection.execute(query).mappings()]


def rivals(connection: Connection, content: str, accounts: Sequence[bytes], limit: int) -> list[Stored]:
    """Return up to `limit` statements about a content (a subject tag) that none of `accounts` signed, in log order."""
    # Asked for each statement about the content, by the table's key: an account may have signed millions of others.
    mine = exists().where(ACCOUNT.c.account.in_(accounts), ACCOUNT.c.statement_id == STATEMENT.c.id)
    query = (
        _statements()
        .where(STATEMENT.c.id.in_(select(SUBJECT.c.statement_id).where(SUBJECT.c.subject == content)))
        .where(~mine)
        .order_by(STATEMENT.c.log_index.is_(None), STATEMENT.c.log_index, STATEMENT.c.id)
        .limit(limit)
    )
    return [_stored(row) for row in connection.execute(query).mappings()]


def unlogged(connection: Connection, limit: int) -> list[tuple[int, bytes]]:
    """Return (id, opening) of accepted statements that have no index yet: by that, never by the last id seen."""
    rows = connection.execute(_UNLOGGED, {"limit": limit})
    return [(key, opening) for key, opening in rows.all()]


def mark_logged(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Give statements (`row_id`) their index, time and whole entry; return how many had none before.

    The rows go to the driver as they are: SQLAlchemy's own way with each of them took as long as all of the rest.
    """
    compiled = _MARK_LOGGED.compile(dialect=connection.dialect)
    if not compiled.positional:
        return connection.exec_driver_sql(str(compiled), list(rows)).rowcount
    in_order = itemgetter(*(compiled.positiontup or ()))
    return connection.exec_driver_sql(str(compiled), [in_order(row) for row in rows]).rowcount


def entries_between(connection: Connection, start: int, end: int) -> list[bytes]:
    """Return the entries with index `start` to `end` - 1."""
    rows = connection.execute(
        select(STATEMENT.c.entry)
        .where(STATEMENT.c.log_index >= start, STATEMENT.c.log_index < end)
        .order_by(STATEMENT.c.log_index)
    )
    return [row.entry for row in rows]


def oldest_accepted_beyond(connection: Connection, size: int) -> int | None:
    """Return when the oldest statement was accepted that a tree of `size` does not hold."""
    oldest: int | None = connection.execute(
        select(func.min(STATEMENT.c.accepted_at)).where(
            or_(STATEMENT.c.log_index.is_(None), STATEMENT.c.log_index >= size)
        )
    ).scalar()
    return oldest


# Made once: making a statement takes longer than running it.
_UNLOGGED = (
    select(STATEMENT.c.id, STATEMENT.c.entry)
    .where(STATEMENT.c.log_index.is_(None))
    .order_by(STATEMENT.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_MARK_LOGGED = (
    update(STATEMENT)
    .where(and_(STATEMENT.c.id == bindparam("row_id"), STATEMENT.c.log_index.is_(None)))
    .values(log_index=bindparam("index"), logged_at=bindparam("time"), entry=bindparam("whole"))
)


def _statements() -> Select[Any]:
    return select(
        STATEMENT.c.id,
        STATEMENT.c.digest,
        STATEMENT.c.kind,
        STATEMENT.c.body,
        STATEMENT.c.entry,
        STATEMENT.c.accepted_at,
        STATEMENT.c.log_index,
        STATEMENT.c.logged_at,
    )


def _stored(row: RowMapping) -> Stored:
    return Stored(
        id=row["id"],
        digest=row["digest"],
        kind=row["kind"],
        message=None if row["body"] is None else json.loads(row["body"]),
        entry=row["entry"],
        accepted_at=row["accepted_at"],
        log_index=row["log_index"],
        logged_at=row["logged_at"],
    )
