"""SQL of keeping statements: what is there already, then inserting what is not, in one locked transaction.

Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, insert, select, text, tuple_

from deedlog.registry.store.tables import ACCOUNT, IDEMPOTENCY_KEY, ROTATION, STATEMENT, SUBJECT, TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table

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


class NewStatement(NamedTuple):
    """A statement to keep: `body` is its members as JSON, `prefix` its entry up to the time."""

    digest: bytes
    kind: str
    body: str
    prefix: bytes
    repeat_key: bytes
    accounts: Sequence[bytes]
    subjects: Sequence[str]
    api_key_id: int | None
    accepted_at: int
    public_from: int | None = None
    rotation: tuple[bytes, bytes] | None = None
    """(account, successor), where it hands an account over."""


class NewIdempotencyKey(NamedTuple):
    """A name under which `owner` sent the statement of that digest."""

    owner: str
    name: str
    fingerprint: bytes
    digest: bytes


_NEWEST = select(STATEMENT.c.accepted_at, STATEMENT.c.logged_at).order_by(STATEMENT.c.id.desc()).limit(1)


def lock_statements(connection: Connection) -> None:
    """Let nobody else keep statements until the transaction ends: what was looked up stays so until it commits.

    SQLite: the write transaction has locked all already. So ids become visible in their order, and a list that is
    read page by page misses none. PostgreSQL ends the session of a process that was stopped while it holds the lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_POSTGRESQL_TIMEOUTS, {"wait": f"{LOCK_SECONDS}s", "idle": f"{IDLE_SECONDS}s"})
        connection.execute(select(func.pg_advisory_xact_lock(_STATEMENTS_LOCK)))


def newest_time(connection: Connection) -> int:
    """Return when the last was accepted (Unix seconds), 0 before the first: what comes later has no earlier time."""
    row = connection.execute(_NEWEST).first()
    return 0 if row is None else max(row.accepted_at, row.logged_at or 0)


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


def find_idempotency_keys(
    connection: Connection, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, bytes]]:
    """Return (fingerprint, digest) of what was sent under each of these (owner, name)."""
    if not names:
        return {}
    rows = connection.execute(
        select(IDEMPOTENCY_KEY.c.owner, IDEMPOTENCY_KEY.c.name, IDEMPOTENCY_KEY.c.fingerprint, STATEMENT.c.digest)
        .join(STATEMENT, STATEMENT.c.id == IDEMPOTENCY_KEY.c.statement_id)
        .where(tuple_(IDEMPOTENCY_KEY.c.owner, IDEMPOTENCY_KEY.c.name).in_(names))
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
        ("id", "digest", "kind", "repeat_key", "accepted_at", "api_key_id", "public_from"),
        [
            (key, new.digest, new.kind, new.repeat_key, new.accepted_at, new.api_key_id, new.public_from)
            for key, new in pairs
        ],
    )
    texts = [(key, new.body, new.prefix) for key, new in pairs]
    _insert_rows(connection, TEXT, ("statement_id", "body", "prefix"), texts)
    accounts = [(account, key) for key, new in pairs for account in new.accounts]
    _insert_rows(connection, ACCOUNT, ("account", "statement_id"), accounts)
    subjects = [(subject, key) for key, new in pairs for subject in new.subjects]
    _insert_rows(connection, SUBJECT, ("subject", "statement_id"), subjects)
    rotations = [(*new.rotation, key) for key, new in pairs if new.rotation is not None]
    if rotations:
        _insert_rows(connection, ROTATION, ("account", "successor", "statement_id"), rotations)


def insert_idempotency_keys(connection: Connection, idempotency_keys: Sequence[NewIdempotencyKey]) -> None:
    """Remember what was sent under which names."""
    if not idempotency_keys:
        return
    digests = [new.digest for new in idempotency_keys]
    rows = connection.execute(select(STATEMENT.c.digest, STATEMENT.c.id).where(STATEMENT.c.digest.in_(digests)))
    ids = {row.digest: row.id for row in rows}
    connection.execute(
        insert(IDEMPOTENCY_KEY),
        [
            {"owner": new.owner, "name": new.name, "fingerprint": new.fingerprint, "statement_id": ids[new.digest]}
            for new in idempotency_keys
        ],
    )


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
