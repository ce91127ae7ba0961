"""Several web processes and several workers of one registry, as processes, with a stream of registrations."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import sqlite3
import threading
import time
from dataclasses import dataclass, field

import httpx
from ports import free_port
from support.worlds.processes.fork_server import ForkServer, Process
from support.worlds.registries.forked_registry import ForkedRegistry, forked_registry
from support.worlds.registries.registry_world import person, salt, work
from support.worlds.session.waiting import PATIENCE, until

from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import sign
from deedlog.registry.statements.typed_data import typed_data
from deedlog.registry.store import lease
from deedlog.registry.store.database import Database
from deedlog.registry.store.lease import Holding


@dataclass
class Running:
    """A process that was started, and what it has said."""

    name: str
    process: Process

    def lines(self):
        """Return the messages of its log."""
        found = []
        for line in self.process.said.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line)["message"])
        return found

    def logged(self):
        """Return (entries, size, term) of each batch that it says it has logged."""
        pattern = re.compile(r"logged entries=(\d+) size=(\d+) term=(\d+)")
        return [tuple(map(int, match.groups())) for line in self.lines() if (match := pattern.match(line))]

    @property
    def holder(self):
        return next((line.split("=")[1].split()[0] for line in self.lines() if line.startswith("worker holder=")), None)


@dataclass
class Fleet:
    """One registry on one database; everything runs until `stop`."""

    local: ForkedRegistry
    database: Database
    workers: list[Running] = field(default_factory=list)
    webs: list[Running] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.local.start_chain()
        self.identity = self.local.create()
        self._separator = domain_separator(self.identity.address)

    def _start(self, name, *arguments, **environment):
        return Running(name, self.local.begin(name, *arguments, **environment))

    def start_worker(self, **environment: str) -> Running:
        """Start a worker as on a machine of its own: with a copy of the log key, and what it signed last beside it."""
        name = f"worker-{len(self.workers)}"
        folder = self.local.data / name
        folder.mkdir()
        shutil.copy(self.local.data / "log.pem", folder)
        worker = self._start(name, "worker", "--json", DEEDLOG_LOG_KEYFILE=str(folder / "log.pem"), **environment)
        self.workers.append(worker)
        return worker

    def start_web(self) -> None:
        port = free_port()
        many = {"DEEDLOG_QUOTA_PER_ACCOUNT": "1000000/day", "DEEDLOG_QUOTA_PER_ADDRESS": "1000000/day"}
        web = self._start(f"web-{len(self.webs)}", "serve", "--port", str(port), "--json", **many)
        self.webs.append(web)
        self.urls.append(f"http://127.0.0.1:{port}")
        until(lambda: answers(self.urls[-1]), "the web process answers")

    def holding(self, role) -> Holding | None:
        with self.database.read() as connection:
            found = [holding for holding in lease.holders(connection) if holding.role == role]
        return found[0] if found else None

    def worker_of(self, holder) -> Running:
        return next(worker for worker in self.workers if worker.holder == holder)

    def holder_of(self, role) -> Running | None:
        """Return the worker that holds a role now."""
        held = self.holding(role)
        return self.worker_of(held.holder) if held and held.holder else None

    def body(self, statement, key):
        signature = sign(statement.digest(self._separator), key)
        return {
            "typed_data": typed_data(statement, self.identity.address),
            "signatures": [{"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}],
        }

    def pause(self, worker) -> None:
        """Stop a worker where it is; on SQLite not in the middle of a write, for that would stop all others too."""
        while True:
            worker.process.signal(signal.SIGSTOP)
            if self.database.engine.dialect.name != "sqlite" or can_write(self.local.data / "deedlog.sqlite"):
                return
            worker.process.signal(signal.SIGCONT)
            time.sleep(0.01)

    def stop(self) -> None:
        for running in (*self.workers, *self.webs):
            running.process.signal(signal.SIGCONT)
            running.process.signal(signal.SIGTERM)
        for running in (*self.workers, *self.webs):
            running.process.ended.wait(PATIENCE)
        self.local.stop()
        self.database.close()


def answers(url):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz").is_success
    return False


def can_write(path):
    connection = sqlite3.connect(path, timeout=0.5, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


class _Meanwhile:
    """Runs in a thread of its own until it is left."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()


class Stream(_Meanwhile):
    """Somebody who registers without end, at each web process in turn, and keeps what was acknowledged."""

    def __init__(self, fleet: Fleet, pause: float = 0.02) -> None:
        super().__init__()
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self._fleet = fleet
        self._pause = pause

    def _run(self):
        key, number = person("stream"), 0
        with httpx.Client() as client:
            while not self._stopping.is_set():
                body = self._fleet.body(work(key, b"stream %d" % number, salt=salt(f"stream {number}")), key)
                answer = client.post(f"{self._fleet.urls[number % len(self._fleet.urls)]}/v1/statements", json=body)
                number += 1
                if answer.status_code == 201:
                    self.acknowledged.append(answer.json()["digest"])
                else:
                    self.refused.append(answer.text)
                time.sleep(self._pause)


class Watch(_Meanwhile):
    """Looks at the leases all the time."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.seen: list[Holding] = []
        self._fleet = fleet

    def _run(self):
        while not self._stopping.wait(0.05):
            with self._fleet.database.read() as connection:
                self.seen += lease.holders(connection)


def make_fleet(folder, fork_server: ForkServer, database_url) -> Fleet:
    """Make a registry with its chain; no process of it runs yet. A URL of SQLite is that of the data folder's own."""
    folder.mkdir(exist_ok=True)
    return Fleet(forked_registry(folder, fork_server, database_url), Database(database_url))
