"""All SQL about statements. Functions take a connection inside a transaction and never commit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Integer,
    Table,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)

from registry import entry as entries
from registry.tables import (
    AnchorRow,
    ApiKeyRow,
    LogRow,
    RerunRow,
    StatementAccountRow,
    StatementRow,
    StatementSubjectRow,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping, Select
    from sqlmodel import SQLModel

PAGE = 100
"""The most statements that one page of a list holds."""

LOCK_SECONDS = 30
"""How long a process waits for another that keeps statements."""

IDLE_SECONDS = 10
"""How long a process may hold that lock and do nothing: PostgreSQL takes it for stopped, and gives the lock on."""

_STATEMENTS_LOCK = int.from_bytes(b"deedlog", "big")
"""The number of the lock among PostgreSQL's advisory locks, which are each database's own."""

_POSTGRESQL_TIMEOUTS = text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('idle_in_transaction_session_timeout', :idle, true)"
)
_POSTGRESQL_IDS = text("SELECT nextval(pg_get_serial_sequence('statement', 'id')) FROM generate_series(1, :count)")


def table(row: type[SQLModel]) -> Table:
    """Return the table of a row's class."""
    found: Table = row.__table__  # type: ignore[attr-defined] # SQLModel sets it and does not declare it
    return found


STATEMENT = table(StatementRow)
ACCOUNT = table(StatementAccountRow)
SUBJECT = table(StatementSubjectRow)
RERUN = table(RerunRow)
API_KEY = table(ApiKeyRow)
LOG = table(LogRow)
ANCHOR = table(AnchorRow)


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
class NewStatement:
    """A statement to keep: `body` is its members as JSON, `opening` its entry up to the time."""

    digest: bytes
    kind: str
    body: str
    opening: bytes
    repeat_key: bytes
    accounts: Sequence[bytes]
    subjects: Sequence[str]
    api_key_id: int | None
    accepted_at: int


@dataclass(frozen=True, slots=True)
class NewRerun:
    """A name under which `owner` sent the statement of that digest."""

    owner: str
    name: str
    fingerprint: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """Which statements to list: all conditions hold."""

    subjects: tuple[str, ...] = ()
    account: bytes | None = None
    kind: str | None = None


def lock_statements(connection: Connection) -> None:
    """Let nobody else keep statements until the transaction ends: what was looked up stays so until it commits.

    SQLite: the write transaction has locked all already. So ids become visible in their order, and a list that is
    read page by page misses none. PostgreSQL ends the session of a process that was stopped while it holds the lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_POSTGRESQL_TIMEOUTS, {"wait": f"{LOCK_SECONDS}s", "idle": f"{IDLE_SECONDS}s"})
        connection.execute(select(func.pg_advisory_xact_lock(_STATEMENTS_LOCK)))


def find_kinds(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, str]:
    """Return the kinds of those of `digests` that are kept."""
    rows = connection.execute(select(STATEMENT.c.digest, STATEMENT.c.kind).where(STATEMENT.c.digest.in_(digests)))
    return {row.digest: row.kind for row in rows}


def find_repeats(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the digest of the statement under each of these repeat keys."""
    rows = connection.execute(
        select(STATEMENT.c.repeat_key, STATEMENT.c.digest).where(STATEMENT.c.repeat_key.in_(keys))
    )
    return {row.repeat_key: row.digest for row in rows}


def find_reruns(connection: Connection, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[bytes, bytes]]:
    """Return (fingerprint, digest) of what was sent under each of these (owner, name)."""
    if not names:
        return {}
    rows = connection.execute(
        select(RERUN.c.owner, RERUN.c.name, RERUN.c.fingerprint, STATEMENT.c.digest)
        .join(STATEMENT, STATEMENT.c.id == RERUN.c.statement_id)
        .where(tuple_(RERUN.c.owner, RERUN.c.name).in_(names))
    )
    return {(row.owner, row.name): (row.fingerprint, row.digest) for row in rows}


def insert_statements(connection: Connection, statements: Sequence[NewStatement]) -> None:
    """Keep new statements; their ids are in their order."""
    if not statements:
        return
    pairs = list(zip(_new_ids(connection, len(statements)), statements, strict=True))
    _insert_rows(
        connection,
        STATEMENT,
        ("id", "digest", "kind", "body", "entry", "repeat_key", "accepted_at", "api_key_id"),
        [
            (
                key,
                new.digest,
                new.kind,
                new.body,
                new.opening,
                new.repeat_key,
                new.accepted_at,
                new.api_key_id,
            )
            for key, new in pairs
        ],
    )
    accounts = [(account, key) for key, new in pairs for account in new.accounts]
    _insert_rows(connection, ACCOUNT, ("account", "statement_id"), accounts)
    subjects = [(subject, key) for key, new in pairs for subject in new.subjects]
    _insert_rows(connection, SUBJECT, ("subject", "statement_id"), subjects)


def _insert_rows(connection: Connection, into: Table, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Insert rows as the driver takes them: SQLAlchemy's own way with each of them took longer than the database."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(columns))
    names = ", ".join(columns)
    connection.exec_driver_sql(f"INSERT INTO {into.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our names


def _new_ids(connection: Connection, count: int) -> Sequence[int]:
    """Return ids that no statement has, ascending, above all there are; the caller holds the lock."""
    if connection.dialect.name == "postgresql":
        return sorted(connection.execute(_POSTGRESQL_IDS, {"count": count}).scalars())
    last: int = connection.execute(select(func.coalesce(func.max(STATEMENT.c.id), 0))).scalar_one()
    return range(last + 1, last + 1 + count)


def insert_reruns(connection: Connection, reruns: Sequence[NewRerun]) -> None:
    """Remember what was sent under which names."""
    if not reruns:
        return
    digests = [new.digest for new in reruns]
    rows = connection.execute(select(STATEMENT.c.digest, STATEMENT.c.id).where(STATEMENT.c.digest.in_(digests)))
    ids = {row.digest: row.id for row in rows}
    connection.execute(
        insert(RERUN),
        [
            {"owner": new.owner, "name": new.name, "fingerprint": new.fingerprint, "statement_id": ids[new.digest]}
            for new in reruns
        ],
    )


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


def insert_api_key(connection: Connection, name: str, secret_hash: bytes, scopes: Sequence[str], now: int) -> int:
    """Keep a new API key; return its id."""
    result = connection.execute(
        insert(API_KEY).values(name=name, secret_hash=secret_hash, scopes=" ".join(scopes), created_at=now)
    )
    key: int = result.inserted_primary_key[0]  # type: ignore[index] # an insert of one row has one
    return key


def api_key(connection: Connection, secret_hash: bytes) -> RowMapping | None:
    """Return the row of the API key with this hash."""
    return connection.execute(select(API_KEY).where(API_KEY.c.secret_hash == secret_hash)).mappings().first()


def api_keys(connection: Connection) -> list[RowMapping]:
    """Return all API keys, the oldest first."""
    return list(connection.execute(select(API_KEY).order_by(API_KEY.c.id)).mappings())


def revoke_api_key(connection: Connection, key: int, now: int) -> bool:
    """Revoke an API key; return whether there was one to revoke."""
    result = connection.execute(
        update(API_KEY).where(API_KEY.c.id == key, API_KEY.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return result.rowcount == 1


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
