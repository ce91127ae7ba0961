"""API keys: created on the command line, shown once, stored as a hash, limited by scopes, revocable."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.registry.acceptance.accept import Submitter
from deedlog.registry.errors import InvalidData
from deedlog.registry.store import api_keys

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from deedlog.registry.store.database import Database

PREFIX = "deedlog_"
MAXIMUM_NAME = 200
SCOPES = ("batch", "upload")
"""What a scope allows: `batch`, many statements in one request; `upload`, `Upload` statements."""

BELIEVED_SECONDS = 1.0
"""How long the web process caches an API key. A revoked key works at most this much longer."""

LOOK_AGAIN_SECONDS = 0.5
"""Cache age at which one request reads the key again, while the others still use the cached one.

Otherwise all concurrent requests would read it at the same moment, when the cached one expires.
"""


def create(database: Database, name: str, scopes: tuple[str, ...], now: int) -> tuple[int, str]:
    """Create a key; return its id and its secret, which is shown only once.

    Raises `InvalidData` (`api_key.unknown_scope`, `reference.malformed`).
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise InvalidData("api_key.unknown_scope", scope=scope[:32], scopes=", ".join(SCOPES))
    if not (0 < len(name) <= MAXIMUM_NAME and name.isprintable()):
        raise InvalidData("reference.malformed", field="name", maximum=MAXIMUM_NAME)
    secret = PREFIX + secrets.token_urlsafe(32)
    with database.write() as connection:
        return api_keys.add(connection, name, _hash(secret), scopes, now), secret


def listing(database: Database) -> list[RowMapping]:
    """Return all keys, without their secrets."""
    with database.read() as connection:
        return api_keys.listed(connection)


def revoke(database: Database, key: int, now: int) -> None:
    """Revoke a key; raise `InvalidData` (`api_key.unknown`) if no such key can be revoked."""
    with database.write() as connection:
        if not api_keys.revoke(connection, key, now):
            raise InvalidData("api_key.unknown", id=key)


@dataclass(slots=True)
class _Known:
    """A cached key, and when it was read (monotonic seconds)."""

    submitter: Submitter
    read_at: float
    looking: bool = False


class Keys:
    """The API keys as one web process knows them. A key that was read is cached for `BELIEVED_SECONDS`."""

    def __init__(self, database: Database) -> None:
        """Use the keys of this database."""
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[bytes, _Known] = {}

    def known(self, authorization: str | None) -> Submitter | None:
        """Return the submitter of an `Authorization` header from the cache; None if the caller must use `submitter`.

        Raises `InvalidData` (`api_key.invalid`) for a header that cannot hold a key.
        """
        if authorization is None:
            return Submitter()
        known = self._known.get(_secret_hash(authorization))
        if known is None:
            return None
        age = time.monotonic() - known.read_at
        if age >= BELIEVED_SECONDS:
            return None
        if age >= LOOK_AGAIN_SECONDS and not known.looking:
            known.looking = True
            return None
        return known.submitter

    def submitter(self, authorization: str | None) -> Submitter:
        """Return the submitter of an `Authorization` header, from the database if the cache is too old.

        Raises `InvalidData` (`api_key.invalid`).
        """
        if authorization is None:
            return Submitter()
        secret_hash = _secret_hash(authorization)
        with self._lock:  # many requests may find the key expired at once: only one reads it
            known = self._known.get(secret_hash)
            if known is not None and time.monotonic() - known.read_at < LOOK_AGAIN_SECONDS:
                return known.submitter
            read_at = time.monotonic()
            with self._database.read() as connection:
                row = api_keys.by_hash(connection, secret_hash)
            if row is None or row["revoked_at"] is not None:
                self._known.pop(secret_hash, None)
                raise InvalidData("api_key.invalid")
            found = Submitter(row["id"], frozenset(row["scopes"].split()))
            # Only existing keys are cached, so strangers cannot fill the memory.
            self._known[secret_hash] = _Known(found, read_at)
            return found


def _secret_hash(authorization: str) -> bytes:
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
        raise InvalidData("api_key.invalid")
    return _hash(secret.strip())


def _hash(secret: str) -> bytes:
    # The secret has 256 random bits: a plain hash is enough. A slow hash would only slow down every request.
    return hashlib.sha256(secret.encode()).digest()
