"""SQL of the API keys of platforms. Functions take a connection inside a transaction and never commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from deedlog.registry.store.tables import API_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping


def add(connection: Connection, name: str, secret_hash: bytes, scopes: Sequence[str], now: int) -> int:
    """Insert an API key; return its id. `now` is in Unix seconds."""
    result = connection.execute(
        insert(API_KEY).values(name=name, secret_hash=secret_hash, scopes=" ".join(scopes), created_at=now)
    )
    key: int = result.inserted_primary_key[0]  # type: ignore[index] # the insert of one row returns one key
    return key


def by_hash(connection: Connection, secret_hash: bytes) -> RowMapping | None:
    """Return the row of the API key with this hash, revoked or not, or None."""
    return connection.execute(select(API_KEY).where(API_KEY.c.secret_hash == secret_hash)).mappings().first()


def listed(connection: Connection) -> list[RowMapping]:
    """Return all API keys, the oldest first."""
    return list(connection.execute(select(API_KEY).order_by(API_KEY.c.id)).mappings())


def revoke(connection: Connection, key: int, now: int) -> bool:
    """Revoke an API key; return False if there is none with this id or it was already revoked."""
    result = connection.execute(
        update(API_KEY).where(API_KEY.c.id == key, API_KEY.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return result.rowcount == 1
