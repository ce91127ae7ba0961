"""SQL of signing in: nonces and sessions. Functions take a connection inside a transaction and never commit.

Each insert also removes some expired rows, so that the tables do not grow forever and no single request removes many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from deedlog.registry.store.tables import NONCE, SESSION

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

REMOVED_AT_ONCE = 100
"""The most expired rows that one insert removes. It is more than one, so that a table shrinks after a flood."""


def add_nonce(connection: Connection, nonce: str, expires_at: int, now: int) -> None:
    """Store a nonce that is valid until `expires_at` (Unix seconds)."""
    _remove_old(connection, NONCE, NONCE.c.nonce, now)
    connection.execute(insert(NONCE).values(nonce=nonce, expires_at=expires_at))


def use_nonce(connection: Connection, nonce: str, now: int) -> int | None:
    """Remove a valid nonce and return when it would have expired (Unix seconds); None if there is none.

    Of several concurrent calls one succeeds; the others find no row.
    """
    used = delete(NONCE).where(NONCE.c.nonce == nonce, NONCE.c.expires_at > now).returning(NONCE.c.expires_at)
    expires_at: int | None = connection.execute(used).scalar()
    return expires_at


def add_session(connection: Connection, token_hash: bytes, account: bytes, expires_at: int, now: int) -> None:
    """Store a session that lasts until `expires_at` (Unix seconds), under the SHA-256 of its token."""
    _remove_old(connection, SESSION, SESSION.c.token_hash, now)
    connection.execute(insert(SESSION).values(token_hash=token_hash, account=account, expires_at=expires_at))


def account_of(connection: Connection, token_hash: bytes, now: int) -> bytes | None:
    """Return the account of an unexpired session, or None."""
    query = select(SESSION.c.account).where(SESSION.c.token_hash == token_hash, SESSION.c.expires_at > now)
    account: bytes | None = connection.execute(query).scalar()
    return account


def end_session(connection: Connection, token_hash: bytes, now: int) -> bool:
    """Remove a session; return whether it existed and had not expired."""
    query = delete(SESSION).where(SESSION.c.token_hash == token_hash, SESSION.c.expires_at > now)
    return connection.execute(query).rowcount == 1


def _remove_old(connection: Connection, table: Table, key: Column[str] | Column[bytes], now: int) -> None:
    old = select(key).where(table.c.expires_at <= now).order_by(table.c.expires_at).limit(REMOVED_AT_ONCE)
    # On PostgreSQL, skip rows that another process is removing. SQLite has one writer and no such clause.
    connection.execute(delete(table).where(key.in_(old.with_for_update(skip_locked=True))))
