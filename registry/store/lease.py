"""One process for each role: leases in the database, and the fence that a write passes while its lease is held.

A lease that is not renewed for `LEASE_MS` of the database's clock is anybody's; each change of holder has a new term.
That alone does not stop a process that was paused and wakes up believing in its lease. The fence does: a write of
`Fenced` first renews the lease, under holder and term, in the very transaction that then writes. The row stays locked
until that ends, so nobody takes over in the middle of a write, and nobody writes after a takeover.
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
"""A lease not renewed for so long is free: several renewals may be late before somebody else takes over."""

IDLE_MS = 3000
"""PostgreSQL ends a transaction under a lease that its process leaves idle for so long: a paused process must not keep
the row locked. SQLite cannot: there, what a process that is paused while it writes holds up waits until it goes on."""

_IDLED_OUT = "25P03"
"""PostgreSQL's idle_in_transaction_session_timeout: the transaction is rolled back for certain."""

_NOBODY = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """That a process holds a role: under this holder and term its writes are taken."""

    role: str
    holder: str
    term: int


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds a role, as the database has it; `age_ms` is the time since it was renewed, by the database's clock."""

    role: str
    holder: str
    term: int
    age_ms: int

    @property
    def free(self) -> bool:
        """Whether anybody may take the role."""
        # An age below zero: the database's clock was set back.
        return self.holder == _NOBODY or abs(self.age_ms) >= LEASE_MS


def take(connection: Connection, role: str, holder: str) -> Lease | None:
    """Take a role that is free or ours, under a new term; None if another holds it.

    Waits for a write under the old lease, and judges by what that leaves.
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
    """Renew a lease, and keep its row locked until the transaction ends; return whether it is still held."""
    _limit_idling(connection)
    return connection.execute(update(LEASE).where(_is(lease)).values(renewed_at=_now(connection))).rowcount == 1


def release(connection: Connection, lease: Lease) -> None:
    """Give a role up, so that another takes it at once; nothing if it is lost already."""
    _limit_idling(connection)
    connection.execute(update(LEASE).where(_is(lease)).values(holder=_NOBODY, renewed_at=_now(connection)))


def holders(connection: Connection) -> list[Holding]:
    """Return who holds each role that was ever taken, by role; a role that was given up has the holder ""."""
    age = (_now(connection) - LEASE.c.renewed_at).label("age_ms")
    rows = connection.execute(select(LEASE.c.role, LEASE.c.holder, LEASE.c.term, age).order_by(LEASE.c.role))
    return [Holding(row.role, row.holder, row.term, row.age_ms) for row in rows]


@dataclass(frozen=True, slots=True)
class Fenced:
    """The database to one holder: without the lease a write raises `Unavailable` (`lease.lost`) and leaves nothing."""

    database: Transactions
    lease: Lease

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection whose reads all see one state, whoever holds the lease."""
        return self.database.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose writes are durable, all or none, when the block ends, under the lease."""
        try:
            with self.database.write() as connection:
                try:
                    if not renew(connection, self.lease):
                        raise Unavailable("lease.lost", role=self.lease.role)
                    yield connection
                except DBAPIError as error:
                    # A process that was paused may learn by a closed connection that its transaction idled out. Before
                    # the commit that is certain all the same: nothing of it was kept. At the commit it would not be.
                    if not error.connection_invalidated:
                        raise
                    raise Unavailable("lease.lost", role=self.lease.role) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _IDLED_OUT:
                raise
            raise Unavailable("lease.lost", role=self.lease.role) from error


class Roles:
    """The roles that this process holds or waits for. `beat` belongs to one thread; any thread may call the rest."""

    def __init__(self, database: Transactions, names: Sequence[str]) -> None:
        """Name the roles to take; none is taken yet."""
        self.holder = secrets.token_hex(8)
        self._database = database
        self._names = names
        self._held: dict[str, Lease] = {}
        self._rests_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def held(self, role: str) -> Lease | None:
        """Return the lease under which this process believes to hold a role. Only a fenced write knows."""
        return self._held.get(role)

    def beat(self) -> None:
        """Renew what is held, take what is free."""
        for role in self._names:
            # Under the lock a role that is given up meanwhile is not taken again by a beat that began before.
            with self._lock:
                self._beat(role)

    def drop(self, role: str, rest: float = 0) -> None:
        """Forget a role, and do not take it for `rest` seconds: its lease was lost, or is left to run out."""
        with self._lock:
            self._held.pop(role, None)
            self._rests_until[role] = time.monotonic() + rest

    def release(self, role: str, rest: float) -> None:
        """Give a role up, so that another takes it at once, and do not take it for `rest` seconds."""
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
        """Look before writing: those who stand by only read."""
        with self._database.read() as connection:
            found = [holding for holding in holders(connection) if holding.role == role]
        return not found or found[0].free or found[0].holder == self.holder


def _is(lease: Lease) -> ColumnElement[bool]:
    return (LEASE.c.role == lease.role) & (LEASE.c.holder == lease.holder) & (LEASE.c.term == lease.term)


def _now(connection: Connection) -> ColumnElement[int]:
    """Return the SQL of now in milliseconds: one clock for all, whatever the clocks of their machines say."""
    if connection.dialect.name == "sqlite":
        return literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", Integer)
    return literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", Integer)


def _limit_idling(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}"))
