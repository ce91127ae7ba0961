"""API keys: made on the command line, shown once, kept as a hash, with scopes, revocable."""

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
"""What a key can open: many statements in a request; `Upload` statements."""

BELIEVED_SECONDS = 1.0
"""How long the web process goes by what it read of a key: so long, at most, a revoked key still opens something."""

LOOK_AGAIN_SECONDS = 0.5
"""Age at which one request looks again, while the others still go by what is known: at the end all would look."""


def create(database: Database, name: str, scopes: tuple[str, ...], now: int) -> tuple[int, str]:
    """Make a key; return its id and its secret, which nobody can show again."""
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
    """Revoke a key; raise `InvalidData` (`api_key.unknown`) if there is none to revoke."""
    with database.write() as connection:
        if not api_keys.revoke(connection, key, now):
            raise InvalidData("api_key.unknown", id=key)


@dataclass(slots=True)
class _Known:
    """What was read of a key, and when (monotonic seconds)."""

    submitter: Submitter
    read_at: float
    looking: bool = False


class Keys:
    """The API keys as the web process knows them: one that was looked up is believed for `BELIEVED_SECONDS`."""

    def __init__(self, database: Database) -> None:
        """Take the database that has the keys."""
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[bytes, _Known] = {}

    def known(self, authorization: str | None) -> Submitter | None:
        """Return who sends a request with this `Authorization` header; None if its asker is to look (`submitter`).

        Raises `InvalidData` (`api_key.invalid`) for a header that cannot be a key's.
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
        """Return who sends a request with this `Authorization` header; raise `InvalidData` (`api_key.invalid`)."""
        if authorization is None:
            return Submitter()
        secret_hash = _secret_hash(authorization)
        with self._lock:  # many requests find at once that a key is due: one looks
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
            # Only keys that are there get in, so that strangers cannot fill the memory.
            self._known[secret_hash] = _Known(found, read_at)
            return found


def _secret_hash(authorization: str) -> bytes:
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
        raise InvalidData("api_key.invalid")
    return _hash(secret.strip())


def _hash(secret: str) -> bytes:
    # The secret has 256 random bits: a plain hash is enough, a slow one would only slow every request.
    return hashlib.sha256(secret.encode()).digest()
