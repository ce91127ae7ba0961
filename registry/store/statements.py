"""SQL that finds statements and gives them their index in the log.

Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, exists, func, or_, select

from deedlog.registry.statements import entry as entries
from deedlog.registry.store.tables import ACCOUNT, IDEMPOTENCY_KEY, STATEMENT, SUBJECT, TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, RowMapping, Select

PAGE = 100
"""The most statements that one page of a list holds."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored statement. `message` is None once the body is erased; `prefix` is the entry up to the time."""

    id: int
    digest: bytes
    kind: str
    message: dict[str, Any] | None
    prefix: bytes
    accepted_at: int
    log_index: int | None
    logged_at: int | None
    api_key_id: int | None = None
    public_from: int | None = None

    def entry(self) -> bytes:
        """Return the bytes of its entry, with time 0 if it is not logged yet."""
        return entries.complete(self.prefix, self.logged_at or 0)

    def parsed_entry(self) -> entries.Entry:
        """Return its entry, parsed."""
        return entries.parse(self.entry())


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions for a list of statements. A statement must meet all of them."""

    content: str | None = None
    """The tagged subject of a file (`content:0x…`)."""
    naming: tuple[str, ...] = ()
    """Tagged subjects. The statement has at least one of them."""
    account: bytes | None = None
    kind: str | None = None


def references(connection: Connection, statement_id: int, owner: str) -> list[str]:
    """Return the names (references and idempotency keys) under which `owner` sent a statement."""
    rows = connection.execute(
        select(IDEMPOTENCY_KEY.c.name).where(
            IDEMPOTENCY_KEY.c.statement_id == statement_id, IDEMPOTENCY_KEY.c.owner == owner
        )
    )
    return [row.name for row in rows]


def by_digest(connection: Connection, digest: bytes) -> Stored | None:
    """Return the stored statement with this digest, or None."""
    row = connection.execute(statements().where(STATEMENT.c.digest == digest)).mappings().first()
    return None if row is None else _stored(row)


def by_ids(connection: Connection, ids: Sequence[int]) -> list[Stored]:
    """Return the statements with these ids, in no particular order."""
    return found(connection, statements().where(STATEMENT.c.id.in_(ids)), {}) if ids else []


def found(connection: Connection, query: Select[Any], parameters: Mapping[str, Any]) -> list[Stored]:
    """Run a query that was built from `statements()`; return what it finds."""
    return [_stored(row) for row in connection.execute(query, parameters).mappings()]


def search(connection: Connection, wanted: Filter, after: int, limit: int = PAGE) -> list[Stored]:
    """Return up to `limit` statements that match `wanted` and have an id above `after`, in order of acceptance."""
    query = statements().where(STATEMENT.c.id > after).order_by(STATEMENT.c.id).limit(limit)
    if wanted.kind is not None:
        query = query.where(STATEMENT.c.kind == wanted.kind)
    if wanted.account is not None:
        query = query.where(
            STATEMENT.c.id.in_(select(ACCOUNT.c.statement_id).where(ACCOUNT.c.account == wanted.account))
        )
    for subjects in ((wanted.content,) if wanted.content else (), wanted.naming):
        if subjects:
            query = query.where(
                STATEMENT.c.id.in_(select(SUBJECT.c.statement_id).where(SUBJECT.c.subject.in_(subjects)))
            )
    return [_stored(row) for row in connection.execute(query).mappings()]


def rivals(connection: Connection, content: str, accounts: Sequence[bytes], limit: int) -> list[Stored]:
    """Return up to `limit` statements about `content` that none of `accounts` signed, in log order.

    `content` is a tagged subject (`content:0x…`). Statements that are not logged yet come last.
    """
    return found(connection, _RIVALS, {"content": content, "accounts": accounts, "limit": limit})


def unlogged(connection: Connection, limit: int) -> list[tuple[int, bytes, int]]:
    """Return (id, prefix, time of acceptance) of up to `limit` statements that have no index yet.

    They are found by the missing index. The last id seen would not do: PostgreSQL can make ids visible out of order.
    """
    rows = connection.execute(_UNLOGGED, {"limit": limit})
    return [(key, prefix, accepted_at) for key, prefix, accepted_at in rows.all()]


def mark_logged(connection: Connection, rows: Sequence[tuple[int, int, int]]) -> int:
    """Give statements their index in the log, as rows (index, time, id); return how many had none before.

    The rows go straight to the driver: SQLAlchemy's own processing of each row took as long as everything else.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    return connection.exec_driver_sql(_MARK_LOGGED.replace("?", mark), list(rows)).rowcount


def entries_between(connection: Connection, start: int, end: int) -> list[bytes]:
    """Return the bytes of the entries with index `start` to `end` - 1, in order."""
    rows = connection.execute(
        select(TEXT.c.prefix, STATEMENT.c.logged_at)
        .join(STATEMENT, STATEMENT.c.id == TEXT.c.statement_id)
        .where(STATEMENT.c.log_index >= start, STATEMENT.c.log_index < end)
        .order_by(STATEMENT.c.log_index)
    )
    return [entries.complete(prefix, logged_at) for prefix, logged_at in rows.all()]


def oldest_accepted_beyond(connection: Connection, size: int) -> int | None:
    """Return when the oldest statement outside a tree of `size` was accepted (Unix seconds), or None."""
    oldest: int | None = connection.execute(
        select(func.min(STATEMENT.c.accepted_at)).where(
            or_(STATEMENT.c.log_index.is_(None), STATEMENT.c.log_index >= size)
        )
    ).scalar()
    return oldest


# Built once: building this query takes longer than running it.
_UNLOGGED = (
    select(STATEMENT.c.id, TEXT.c.prefix, STATEMENT.c.accepted_at)
    .join(TEXT, TEXT.c.statement_id == STATEMENT.c.id)
    .where(STATEMENT.c.log_index.is_(None))
    .order_by(STATEMENT.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_MARK_LOGGED = "UPDATE statement SET log_index = ?, logged_at = ? WHERE id = ? AND log_index IS NULL"


def statements() -> Select[Any]:
    """Return the query for whole statements. The caller adds the conditions."""
    return select(
        STATEMENT.c.id,
        STATEMENT.c.digest,
        STATEMENT.c.kind,
        TEXT.c.body,
        TEXT.c.prefix,
        STATEMENT.c.accepted_at,
        STATEMENT.c.log_index,
        STATEMENT.c.logged_at,
        STATEMENT.c.api_key_id,
        STATEMENT.c.public_from,
    ).join(TEXT, TEXT.c.statement_id == STATEMENT.c.id)


def _rivals() -> Select[Any]:
    # This runs once per statement about the content and uses the primary key. Listing all statements of the accounts
    # instead could take long: an account may have signed millions.
    mine = exists().where(
        ACCOUNT.c.account.in_(bindparam("accounts", expanding=True)), ACCOUNT.c.statement_id == STATEMENT.c.id
    )
    about = select(SUBJECT.c.statement_id).where(SUBJECT.c.subject == bindparam("content"))
    return (
        statements()
        .where(STATEMENT.c.id.in_(about), ~mine)
        .order_by(STATEMENT.c.log_index.is_(None), STATEMENT.c.log_index, STATEMENT.c.id)
        .limit(bindparam("limit", type_=Integer))
    )


_RIVALS = _rivals()


def _stored(row: RowMapping) -> Stored:
    return Stored(
        id=row["id"],
        digest=row["digest"],
        kind=row["kind"],
        message=None if row["body"] is None else json.loads(row["body"]),
        prefix=row["prefix"],
        accepted_at=row["accepted_at"],
        log_index=row["log_index"],
        logged_at=row["logged_at"],
        api_key_id=row["api_key_id"],
        public_from=row["public_from"],
    )
