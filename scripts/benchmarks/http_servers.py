"""The two servers that are compared over HTTP: a registry's web process with default settings, and the bare route."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_registry import ROOT
from ports import free_port

from benchmarks.measures.log import IDENTITY, LOG_KEY, NOW
from deedlog.anchor.log import sequencer as log
from deedlog.api.http import api_keys
from deedlog.registry.files import write_private
from deedlog.registry.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

DATABASE = "deedlog.sqlite"
START_SECONDS, STOP_SECONDS = 60, 30


def create_registry(folder: Path) -> str:
    """Create a registry with an empty log in a new folder; return the `Authorization` header of an API key."""
    folder.mkdir()
    database = Database(f"sqlite:///{folder / DATABASE}")
    database.migrate()
    log.create(database, IDENTITY, LOG_KEY, NOW)
    write_private(folder / "identity.json", json.dumps(IDENTITY.to_json()).encode())
    _, secret = api_keys.create(database, "bench", api_keys.SCOPES, NOW)
    database.close()
    return f"Bearer {secret}"


def registry_rate(template: Path, measured: Callable[[int], float], statements: int) -> float:
    """Serve a copy of a registry as `deedlog serve` does; return the result of `measured` on its port.

    The server's log goes to a file. Everything answered must be in the database.
    """
    folder = template.with_name("registry")
    shutil.copytree(template, folder)
    environment = os.environ | {"DEEDLOG_DATA": str(folder), "DEEDLOG_CHAIN": "local"}
    port = free_port()
    with _running(
        [sys.executable, "-m", "deedlog.api.cli", "serve", "--port", str(port)], environment, folder / "log", port
    ):
        rate = measured(port)
    _check_kept(folder / DATABASE, "statement", statements)
    shutil.rmtree(folder)
    return rate


def bare_route_rate(template: Path, measured: Callable[[int], float], rows: int) -> float:
    """Serve the bare route on a new database; return the result of `measured` on its port."""
    folder = template.with_name("bare")
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.bare_route", str(folder / "bare.sqlite"), str(port)]
    with _running(command, os.environ, folder / "log", port):
        rate = measured(port)
    _check_kept(folder / "bare.sqlite", "row", rows)
    shutil.rmtree(folder)
    return rate


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str], log_file: Path, port: int) -> Iterator[None]:
    """Run a server until the block ends; fail if it has ended before."""
    with log_file.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
        try:
            _wait(process, port, log_file)
            yield
            if process.poll() is not None:
                sys.exit(f"{command[2]} ended by itself (exit code {process.returncode})")
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log_file: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port))):
            return
        time.sleep(0.05)
    code, words = process.poll(), log_file.read_text("utf-8", "replace")
    sys.exit(f"no server on port {port} within {START_SECONDS} s (exit code {code}). It wrote:\n{words}")


def _check_kept(path: Path, table: str, expected: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        [count] = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - the name is one of our own two
    if count != expected:
        sys.exit(f"{expected} were acknowledged, and {count} are in the database")
