"""SQL that stores new statements: look up what is stored already, then insert the rest, in one locked transaction.

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
"""How many seconds a process waits for the lock while another process stores statements."""

IDLE_SECONDS = 10
"""How many seconds a process may hold that lock idle. After that PostgreSQL ends its session and frees the lock."""

_STATEMENTS_LOCK = int.from_bytes(b"deedlog", "big")
"""The key of this PostgreSQL advisory lock. Each database has its own advisory locks."""

_POSTGRESQL_TIMEOUTS = text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('idle_in_transaction_session_timeout', :idle, true)"
)
_POSTGRESQL_IDS = text("SELECT nextval(pg_get_serial_sequence('statement', 'id')) FROM generate_series(1, :count)")


class NewStatement(NamedTuple):
    """A statement to store: `body` is its members as JSON, `prefix` its entry up to the time."""

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
    """(account, successor) if the statement hands an account over, else None."""


class NewIdempotencyKey(NamedTuple):
    """A name under which `owner` sent the statement with this digest."""

    owner: str
    name: str
    fingerprint: bytes
    digest: bytes


_NEWEST = select(STATEMENT.c.accepted_at, STATEMENT.c.logged_at).order_by(STATEMENT.c.id.desc()).limit(1)


def lock_statements(connection: Connection) -> None:
    """Lock out other writers of statements until the transaction ends, so that looked-up rows stay current.

    The lock also makes ids visible in order, so a reader who pages through a list misses none. On SQLite the write
    transaction already holds the lock. PostgreSQL ends the session of a process that stalls while it holds it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_POSTGRESQL_TIMEOUTS, {"wait": f"{LOCK_SECONDS}s", "idle": f"{IDLE_SECONDS}s"})
        connection.execute(select(func.pg_advisory_xact_lock(_STATEMENTS_LOCK)))


def newest_time(connection: Connection) -> int:
    """Return the latest time of the newest statement, accepted or logged (Unix seconds); 0 if there is none.

    Later statements get no earlier time.
    """
    row = connection.execute(_NEWEST).first()
    return 0 if row is None else max(row.accepted_at, row.logged_at or 0)


def find_kinds(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, str]:
    """Return the kinds of the stored statements among `digests`, by digest."""
    rows = connection.execute(select(STATEMENT.c.digest, STATEMENT.c.kind).where(STATEMENT.c.digest.in_(digests)))
    return {row.digest: row.kind for row in rows}


def find_repeats(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the digests of the stored statements with these repeat keys, by repeat key."""
    rows = connection.execute(
        select(STATEMENT.c.repeat_key, STATEMENT.c.digest).where(STATEMENT.c.repeat_key.in_(keys))
    )
    return {row.repeat_key: row.digest for row in rows}


def find_idempotency_keys(
    connection: Connection, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, bytes]]:
    """Return (fingerprint, digest) for each of these (owner, name) pairs that is in use."""
    if not names:
        return {}
    rows = connection.execute(
        select(IDEMPOTENCY_KEY.c.owner, IDEMPOTENCY_KEY.c.name, IDEMPOTENCY_KEY.c.fingerprint, STATEMENT.c.digest)
        .join(STATEMENT, STATEMENT.c.id == IDEMPOTENCY_KEY.c.statement_id)
        .where(tuple_(IDEMPOTENCY_KEY.c.owner, IDEMPOTENCY_KEY.c.name).in_(names))
    )
    return {(row.owner, row.name): (row.fingerprint, row.digest) for row in rows}


def insert_statements(connection: Connection, statements: Sequence[NewStatement]) -> None:
    """Insert new statements with ascending ids, in the given order."""
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
    """Insert new idempotency keys. Their statements must be stored already."""
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
    """Insert rows through the driver: SQLAlchemy's own processing of each row took longer than the database."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(columns))
    names = ", ".join(columns)
    connection.exec_driver_sql(f"INSERT INTO {into.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our names


def _new_ids(connection: Connection, count: int) -> Sequence[int]:
    """Return unused ids, ascending and above all existing ones. The caller must hold the statements lock."""
    if connection.dialect.name == "postgresql":
        return sorted(connection.execute(_POSTGRESQL_IDS, {"count": count}).scalars())
    last: int = connection.execute(select(func.coalesce(func.max(STATEMENT.c.id), 0))).scalar_one()
    return range(last + 1, last + 1 + count)
