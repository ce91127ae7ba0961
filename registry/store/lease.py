"""Leases: at most one process holds each role, and only its holder can write under it.

Any process may take a lease that was not renewed for `LEASE_MS` by the database's clock. Each time it is taken, its
term grows. That alone does not stop a process that was paused and still believes in its lease, so writes are fenced: a
write of `Fenced` first renews the lease, under holder and term, in the same transaction. The row stays locked until the
transaction ends, so no other process takes over in the middle of a write, and the old holder cannot write after a
takeover.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Integer, func, literal_column, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from deedlog.registry.errors import Unavailable
from deedlog.registry.store.tables import LEASE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from deedlog.registry.store.database import Transactions

_log = logging.getLogger(__name__)

SEQUENCER = "sequencer"
ANCHORER = "anchorer"

LEASE_MS = 5000
"""Milliseconds after which a lease that was not renewed is free. Several renewals may be late before a takeover."""

IDLE_MS = 3000
"""Milliseconds after which PostgreSQL ends an idle transaction under a lease, so that a paused process does not keep
the row locked. SQLite cannot do this: a process that is paused in the middle of a write blocks all writers."""

_IDLED_OUT = "25P03"
"""PostgreSQL's SQLSTATE for idle_in_transaction_session_timeout: the transaction was certainly rolled back."""

_NOBODY = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A role that a process holds. Writes are accepted under this holder and term."""

    role: str
    holder: str
    term: int


@dataclass(frozen=True, slots=True)
class Holding:
    """The holder of a role according to the database. `age_ms`: milliseconds since renewal, by the database's clock."""

    role: str
    holder: str
    term: int
    age_ms: int

    @property
    def free(self) -> bool:
        """Whether any process may take the role."""
        # The age is negative if the database's clock was set back.
        return self.holder == _NOBODY or abs(self.age_ms) >= LEASE_MS


def take(connection: Connection, role: str, holder: str) -> Lease | None:
    """Take a role that is free or already held by `holder`, under a new term; return None if another process holds it.

    If a write under the old lease is running, this waits for it and then decides by the row that it leaves.
    """
    _limit_idling(connection)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    now = _now(connection)
    free = LEASE.c.holder.in_((_NOBODY, holder)) | (func.abs(now - LEASE.c.renewed_at) >= LEASE_MS)
    statement = (
        dialect.insert(LEASE)
        .values(role=role, holder=holder, term=1, renewed_at=now)
        .on_conflict_do_update(
            index_elements=[LEASE.c.role],
            set_={"holder": holder, "term": LEASE.c.term + 1, "renewed_at": now},
            where=free,
        )
        .returning(LEASE.c.term)
    )
    term: int | None = connection.execute(statement).scalar()
    return None if term is None else Lease(role, holder, term)


def renew(connection: Connection, lease: Lease) -> bool:
    """Renew a lease and lock its row until the transaction ends; return whether it is still held."""
    _limit_idling(connection)
    return connection.execute(update(LEASE).where(_is(lease)).values(renewed_at=_now(connection))).rowcount == 1


def release(connection: Connection, lease: Lease) -> None:
    """Give up a role, so that another process can take it at once. Does nothing if the lease is already lost."""
    _limit_idling(connection)
    connection.execute(update(LEASE).where(_is(lease)).values(holder=_NOBODY, renewed_at=_now(connection)))


def holders(connection: Connection) -> list[Holding]:
    """Return the holder of each role that was ever taken, ordered by role. A role that was given up has holder ""."""
    age = (_now(connection) - LEASE.c.renewed_at).label("age_ms")
    rows = connection.execute(select(LEASE.c.role, LEASE.c.holder, LEASE.c.term, age).order_by(LEASE.c.role))
    return [Holding(row.role, row.holder, row.term, row.age_ms) for row in rows]


@dataclass(frozen=True, slots=True)
class Fenced:
    """The database as the holder of a lease uses it.

    Without the lease, a write raises `Unavailable` (`lease.lost`) and changes nothing.
    """

    database: Transactions
    lease: Lease

    def read(self) -> AbstractContextManager[Connection]:
        """Yield a connection in a transaction whose reads all see the same state. This does not need the lease."""
        return self.database.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction under the lease. When the block ends, all its writes are durable.

        Raises `Unavailable` (`lease.lost`); then none of the writes is stored.
        """
        try:
            with self.database.write() as connection:
                try:
                    if not renew(connection, self.lease):
                        raise Unavailable("lease.lost", role=self.lease.role)
                    yield connection
                except DBAPIError as error:
                    # To a process that was paused, a closed connection may be the only sign that its transaction timed
                    # out. Before the commit this is still certain: nothing was stored. At the commit it would not be.
                    if not error.connection_invalidated:
                        raise
                    raise Unavailable("lease.lost", role=self.lease.role) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _IDLED_OUT:
                raise
            raise Unavailable("lease.lost", role=self.lease.role) from error


class Roles:
    """The roles that this process holds or waits for. Call `beat` from one thread only; the rest is thread-safe."""

    def __init__(self, database: Transactions, names: Sequence[str]) -> None:
        """Set the roles to take. None is taken yet."""
        self.holder = secrets.token_hex(8)
        self._database = database
        self._names = names
        self._held: dict[str, Lease] = {}
        self._rests_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def held(self, role: str) -> Lease | None:
        """Return the lease that this process believes it holds, or None. Only a fenced write can be sure."""
        return self._held.get(role)

    def beat(self) -> None:
        """Renew the roles that are held, and take those that are free."""
        for role in self._names:
            # The lock keeps a beat that began earlier from taking a role again that was given up meanwhile.
            with self._lock:
                self._beat(role)

    def drop(self, role: str, rest: float = 0) -> None:
        """Forget a role whose lease was lost or is left to expire, and do not take it for `rest` seconds."""
        with self._lock:
            self._held.pop(role, None)
            self._rests_until[role] = time.monotonic() + rest

    def release(self, role: str, rest: float) -> None:
        """Give up a role, so that another process can take it at once, and do not take it for `rest` seconds."""
        lease = self.held(role)
        self.drop(role, rest)
        if lease is not None:
            with self._database.write() as connection:
                release(connection, lease)
            _log.info("gave up role=%s term=%d", role, lease.term)

    def _beat(self, role: str) -> None:
        lease = self._held.get(role)
        if lease is not None:
            with self._database.write() as connection:
                kept = renew(connection, lease)
            if kept:
                return
            del self._held[role]
            _log.warning("lost role=%s term=%d: another process has taken it", role, lease.term)
        if time.monotonic() < self._rests_until.get(role, 0) or not self._is_free(role):
            return
        with self._database.write() as connection:
            lease = take(connection, role, self.holder)
        if lease is not None:
            self._held[role] = lease
            _log.info("took role=%s term=%d holder=%s", role, lease.term, self.holder)

    def _is_free(self, role: str) -> bool:
        """Return whether this process may try to take a role. Checked by reading, so that a standby does not write."""
        with self._database.read() as connection:
            found = [holding for holding in holders(connection) if holding.role == role]
        return not found or found[0].free or found[0].holder == self.holder


def _is(lease: Lease) -> ColumnElement[bool]:
    return (LEASE.c.role == lease.role) & (LEASE.c.holder == lease.holder) & (LEASE.c.term == lease.term)


def _now(connection: Connection) -> ColumnElement[int]:
    """Return the SQL for the current time in milliseconds: the database's clock, the same for every machine."""
    if connection.dialect.name == "sqlite":
        return literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", Integer)
    return literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", Integer)


def _limit_idling(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}"))
