"""The database: SQLite by default, PostgreSQL beside it. A write is one transaction, durable when it returns.

SQLite runs with a write-ahead log and full fsync; a writer takes the lock at its start (`BEGIN IMMEDIATE`), so that
what it read cannot have changed when it writes.
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
"""Connections of a process: more than the web process has threads (40), so that no thread waits for one."""

REDO_ATTEMPTS = 4
REDO_SECONDS = 0.02
"""The longest pause before a write is done again: drawn at random, so that two do not meet again."""

_CONFLICTS = ("40001", "40P01")
"""PostgreSQL, appendix A: serialization_failure, deadlock_detected."""

_WRITES = "deedlog_writes"

_FORM = text("SELECT version_num FROM alembic_version")

T = TypeVar("T")


class Transactions(Protocol):
    """What those who read and write ask for: `Database` is it, and `registry.store.lease.Fenced`."""

    def read(self) -> AbstractContextManager[Connection]: ...  # noqa: D102 - documented at Database
    def write(self) -> AbstractContextManager[Connection]: ...  # noqa: D102


class Database:
    """One database; `read` and `write` give a connection inside one transaction."""

    def __init__(self, url: str) -> None:
        """Name the database by its SQLAlchemy URL; nothing is opened yet. Raises `InvalidData` (`database.url`)."""
        self.url = url
        try:
            self.engine = create_engine(
                url, pool_size=POOL, max_overflow=0, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True
            )
        except (ArgumentError, ImportError) as error:
            raise InvalidData("database.url", dialects=", ".join(DIALECTS)) from error
        if self.engine.dialect.name not in DIALECTS:
            raise InvalidData("database.url", dialects=", ".join(DIALECTS))
        # PostgreSQL's default shows each statement of a transaction another state.
        self._reading: dict[str, Any] = {}
        if self.engine.dialect.name == "postgresql":
            self._reading["isolation_level"] = "REPEATABLE READ"
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection whose reads all see one state."""
        with self.engine.connect().execution_options(**self._reading) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose writes are durable, all or none, when the block ends."""
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection

    def retry_write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, done in one write; done again, from a new look, if another process came between.

        Two processes may insert the same row, or lock each other out; and a connection may break at the commit, so that
        nobody knows whether it happened. After `REDO_ATTEMPTS` the last error is raised.
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
        """Bring the tables to this version's form, or an earlier one; raise `Unavailable` (`database.…`)."""
        if (self.schema_version() or "") > SCHEMA_VERSION:
            self.check_version()
        from alembic import command  # noqa: PLC0415 - for `init` only: it takes as long to import as all of SQLAlchemy
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(files("deedlog.registry.store") / "migrations"))
        config.attributes["engine"] = self.engine
        try:
            command.upgrade(config, to)
        except DatabaseError as error:
            raise Unavailable("database.unreachable", reason=str(error.orig)) from error

    def schema_version(self) -> str | None:
        """Return the form of the tables, None where there are none; raise `Unavailable` (`database.unreachable`)."""
        try:
            with self.read() as connection:
                made = inspect(connection).has_table("alembic_version")
                form: str | None = connection.execute(_FORM).scalar() if made else None
        except DatabaseError as error:
            raise Unavailable("database.unreachable", reason=str(error.orig)) from error
        return form

    def check_version(self) -> None:
        """Raise `Unavailable` (`database.…`) unless it can be opened and its tables have this version's form."""
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
    connection.isolation_level = None  # the driver would begin transactions by itself, and only some of them
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
