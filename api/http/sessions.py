"""Sessions: a person signs in with a wallet (EIP-4361) and reads as that account for fifteen minutes.

All state is in the database. So one web process can offer the nonce, another can verify the message, and a third can
receive the token.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.registry import sign_in
from deedlog.registry.errors import InvalidData
from deedlog.registry.store import sessions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from deedlog.registry.sign_in import Message, Site
    from deedlog.registry.store.database import Database

PREFIX = "deedsession_"
"""Distinguishes a session's token from an API key."""

SESSION_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Session:
    """A new session: its token, which is shown only once, and its end in Unix seconds."""

    token: str
    account: bytes
    expires_at: int


class Sessions:
    """Signing in: offers nonces, begins and ends sessions, and finds the account of a token."""

    def __init__(self, database: Database, site: Site, chain_id: int) -> None:
        """Configure the site and the chain id that a message must name. Neither is taken from a request."""
        self._database = database
        self._site = site
        self._chain_id = chain_id

    def offer(self, account: bytes, now: int) -> Message:
        """Store a new nonce and return the message for the account to sign. Times are Unix seconds."""
        message = sign_in.offer(account, self._site, self._chain_id, secrets.token_hex(16), now)
        expires_at = now + sign_in.NONCE_SECONDS
        self._database.retry_write(lambda connection: sessions.add_nonce(connection, message.nonce, expires_at, now))
        return message

    def begin(self, text: str, signature: bytes, now: int) -> Session:
        """Begin a session for the account that signed a message; raise `InvalidData` (`sign_in.…`, `signature.…`).

        The message must say what the offered one said. The nonce is consumed last, in the transaction that stores the
        session. If two requests use the same nonce, one of them succeeds.
        """
        proof = sign_in.prove(text, signature, self._site, self._chain_id, now)
        session = Session(PREFIX + secrets.token_urlsafe(32), proof.account, now + SESSION_SECONDS)

        def keep(connection: Connection) -> None:
            expires_at = sessions.use_nonce(connection, proof.nonce, now)
            if expires_at is None:
                raise InvalidData("sign_in.nonce", field="nonce")
            offered_at = expires_at - sign_in.NONCE_SECONDS
            offered = sign_in.offer(proof.account, self._site, self._chain_id, proof.nonce, offered_at)
            sign_in.check_offered(sign_in.read(text), offered)  # a refusal keeps the nonce
            sessions.add_session(connection, _hash(session.token), session.account, session.expires_at, now)

        self._database.retry_write(keep)
        return session

    def account(self, authorization: str | None, now: int) -> bytes | None:
        """Return the account of the session's token in an `Authorization` header; None if the header has no such token.

        Raises `InvalidData` (`sign_in.session`) for a wrong token or an expired session.
        """
        token = token_of(authorization)
        if token is None:
            return None
        with self._database.read() as connection:
            account = sessions.account_of(connection, _hash(token), now)
        if account is None:
            raise InvalidData("sign_in.session")
        return account

    def end(self, authorization: str | None, now: int) -> None:
        """End the session whose token is in the header; raise `InvalidData` (`sign_in.session`, `sign_in.missing`)."""
        token = token_of(authorization)
        if token is None:
            raise InvalidData("sign_in.missing")
        if not self._database.retry_write(lambda connection: sessions.end_session(connection, _hash(token), now)):
            raise InvalidData("sign_in.session")


def token_of(authorization: str | None) -> str | None:
    """Return the session's token in an `Authorization` header; None if the header holds something else."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.startswith(PREFIX) else None


def _hash(token: str) -> bytes:
    # The token has 256 random bits: a plain hash is enough.
    return hashlib.sha256(token.encode()).digest()
