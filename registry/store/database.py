"""The database: SQLite by default, PostgreSQL as the alternative. A write is one transaction, durable when it returns.

SQLite runs with a write-ahead log and full fsync. A writer takes the lock at its start (`BEGIN IMMEDIATE`), so nothing
it has read can change before it writes.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, IntegrityError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.store.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

BUSY_TIMEOUT_MS = 30_000
DIALECTS = ("sqlite", "postgresql")
POOL = 48
"""Connections of a process. The web process has fewer threads (40), so no thread waits for a connection."""

REDO_ATTEMPTS = 4
REDO_SECONDS = 0.02
"""The longest pause before a retry, in seconds. The pause is random, so that two writers do not collide again."""

_CONFLICTS = ("40001", "40P01")
"""PostgreSQL, appendix A: serialization_failure, deadlock_detected."""

_WRITES = "deedlog_writes"

_FORM = text("SELECT version_num FROM alembic_version")

T = TypeVar("T")


class Transactions(Protocol):
    """The interface for reading and writing. Implemented by `Database` and `registry.store.lease.Fenced`."""

    def read(self) -> AbstractContextManager[Connection]: ...  # noqa: D102 - documented at Database
    def write(self) -> AbstractContextManager[Connection]: ...  # noqa: D102


class Database:
    """One database. `read` and `write` each open a transaction and yield its connection."""

    def __init__(self, url: str) -> None:
        """Configure the database by its SQLAlchemy URL, without connecting. Raises `InvalidData` (`database.url`)."""
        self.url = url
        try:
            self.engine = create_engine(
                url, pool_size=POOL, max_overflow=0, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True
            )
        except (ArgumentError, ImportError) as error:
            raise InvalidData("database.url", dialects=", ".join(DIALECTS)) from error
        if self.engine.dialect.name not in DIALECTS:
            raise InvalidData("database.url", dialects=", ".join(DIALECTS))
        # By PostgreSQL's default each SQL statement of a transaction may see a different state.
        self._reading: dict[str, Any] = {}
        if self.engine.dialect.name == "postgresql":
            self._reading["isolation_level"] = "REPEATABLE READ"
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a transaction whose reads all see the same state."""
        with self.engine.connect().execution_options(**self._reading) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction. When the block ends, all its writes are durable; on an error, none."""
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection

    def retry_write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one write and return its result; retry it in a new transaction after a conflict.

        Two processes may insert the same row or deadlock. A connection may also break at the commit, so that nobody
        knows whether it succeeded: `work` must look up the current rows each time. After `REDO_ATTEMPTS` attempts the
        last error is raised.
        """
        retrying = Retrying(
            retry=retry_if_exception(_came_between),
            stop=stop_after_attempt(REDO_ATTEMPTS),
            wait=wait_random(0, REDO_SECONDS),
            reraise=True,
        )
        done: T = retrying(self._do, work)
        return done

    def _do(self, work: Callable[[Connection], T]) -> T:
        with self.write() as connection:
            return work(connection)

    def migrate(self, to: str = SCHEMA_VERSION) -> None:
        """Bring the tables to schema version `to`, by default the one that this release needs.

        Raises `Unavailable`: `database.newer` or `database.unreachable`.
        """
        if (self.schema_version() or "") > SCHEMA_VERSION:
            self.check_version()
        from alembic import command  # noqa: PLC0415 - slow to import (as slow as SQLAlchemy), and few commands need it
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(files("deedlog.registry.store") / "migrations"))
        config.attributes["engine"] = self.engine
        try:
            command.upgrade(config, to)
        except DatabaseError as error:
            raise Unavailable("database.unreachable", reason=str(error.orig)) from error

    def schema_version(self) -> str | None:
        """Return the schema version of the tables, or None if there are none.

        Raises `Unavailable` (`database.unreachable`).
        """
        try:
            with self.read() as connection:
                made = inspect(connection).has_table("alembic_version")
                form: str | None = connection.execute(_FORM).scalar() if made else None
        except DatabaseError as error:
            raise Unavailable("database.unreachable", reason=str(error.orig)) from error
        return form

    def check_version(self) -> None:
        """Check that the database can be opened and has the schema version that this release needs.

        Raises `Unavailable`: `database.newer`, `database.version` or `database.unreachable`.
        """
        actual = self.schema_version()
        if actual is not None and actual > SCHEMA_VERSION:
            raise Unavailable("database.newer", expected=SCHEMA_VERSION, actual=actual)
        if actual != SCHEMA_VERSION:
            raise Unavailable("database.version", expected=SCHEMA_VERSION, actual=str(actual))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _came_between(error: BaseException) -> bool:
    if isinstance(error, IntegrityError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _CONFLICTS


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # otherwise the driver begins some transactions by itself, but not all
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
