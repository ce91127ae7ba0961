"""SQL of signing in: nonces that were offered, sessions that have begun. Functions take a connection and never commit.

Both are kept until their time is over. Whoever adds one removes some that are over, so that neither table grows for
ever, and no request removes many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from deedlog.registry.store.tables import NONCE, SESSION

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

REMOVED_AT_ONCE = 100
"""Rows that are over, removed with each that is added: more than one, so that a table shrinks after a flood."""


def add_nonce(connection: Connection, nonce: str, expires_at: int, now: int) -> None:
    """Keep a nonce until `expires_at` (Unix seconds)."""
    _remove_old(connection, NONCE, NONCE.c.nonce, now)
    connection.execute(insert(NONCE).values(nonce=nonce, expires_at=expires_at))


def use_nonce(connection: Connection, nonce: str, now: int) -> bool:
    """Remove a nonce; return whether it could be used. Of several at once one can: the others find no row."""
    return connection.execute(delete(NONCE).where(NONCE.c.nonce == nonce, NONCE.c.expires_at > now)).rowcount == 1


def add_session(connection: Connection, token_hash: bytes, account: bytes, expires_at: int, now: int) -> None:
    """Keep a session until `expires_at` (Unix seconds) under the SHA-256 of its token."""
    _remove_old(connection, SESSION, SESSION.c.token_hash, now)
    connection.execute(insert(SESSION).values(token_hash=token_hash, account=account, expires_at=expires_at))


def account_of(connection: Connection, token_hash: bytes, now: int) -> bytes | None:
    """Return the account of a session that is not over, None if there is none."""
    query = select(SESSION.c.account).where(SESSION.c.token_hash == token_hash, SESSION.c.expires_at > now)
    account: bytes | None = connection.execute(query).scalar()
    return account


def end_session(connection: Connection, token_hash: bytes, now: int) -> bool:
    """Remove a session; return whether there was one that is not over."""
    query = delete(SESSION).where(SESSION.c.token_hash == token_hash, SESSION.c.expires_at > now)
    return connection.execute(query).rowcount == 1


def _remove_old(connection: Connection, table: Table, key: Column[str] | Column[bytes], now: int) -> None:
    old = select(key).where(table.c.expires_at <= now).order_by(table.c.expires_at).limit(REMOVED_AT_ONCE)
    # PostgreSQL: what another process is removing is left to it. SQLite has one writer, and no such clause.
    connection.execute(delete(table).where(key.in_(old.with_for_update(skip_locked=True))))
