"""API keys: made on the command line, shown once, kept as a hash, with scopes, revocable."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from registry import store
from registry.errors import InvalidData
from registry.service import Submitter

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from registry.database import Database

PREFIX = "deedlog_"
MAXIMUM_NAME = 200
SCOPES = ("batch", "upload")
"""What a key can open: many statements in a request; `Upload` statements."""


def create(database: Database, name: str, scopes: tuple[str, ...], now: int) -> tuple[int, str]:
    """Make a key; return its id and its secret, which nobody can show again."""
    for scope in scopes:
        if scope not in SCOPES:
            raise InvalidData("api_key.unknown_scope", scope=scope[:32], scopes=", ".join(SCOPES))
    if not (0 < len(name) <= MAXIMUM_NAME and name.isprintable()):
        raise InvalidData("reference.malformed", field="name", maximum=MAXIMUM_NAME)
    secret = PREFIX + secrets.token_urlsafe(32)
    with database.write() as connection:
        return store.insert_api_key(connection, name, _hash(secret), scopes, now), secret


def listing(database: Database) -> list[RowMapping]:
    """Return all keys, without their secrets."""
    with database.read() as connection:
        return store.api_keys(connection)


def revoke(database: Database, key: int, now: int) -> None:
    """Revoke a key; raise `InvalidData` (`api_key.unknown`) if there is none to revoke."""
    with database.write() as connection:
        if not store.revoke_api_key(connection, key, now):
            raise InvalidData("api_key.unknown", id=key)


def submitter(database: Database, authorization: str | None) -> Submitter:
    """Return who sends a request with this `Authorization` header; raise `InvalidData` (`api_key.invalid`)."""
    if authorization is None:
        return Submitter()
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
        raise InvalidData("api_key.invalid")
    with database.read() as connection:
        row = store.api_key(connection, _hash(secret.strip()))
    if row is None or row["revoked_at"] is not None:
        raise InvalidData("api_key.invalid")
    return Submitter(row["id"], frozenset(row["scopes"].split()))


def _hash(secret: str) -> bytes:
    # The secret has 256 random bits: a plain hash is enough, a slow one would only slow every request.
    return hashlib.sha256(secret.encode()).digest()
