"""A registry whose processes a test ends and starts again; its chain and PostgreSQL are shared by all tests here."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx
import pytest
from local_registry import LOCAL_OWNER, ROOT
from ports import free_port
from sqlalchemy import Engine, NullPool, create_engine, text
from support.faults.reorganisation import reorganise
from support.worlds.chains.anvil import running_anvil
from support.worlds.crashes import outside_checks
from support.worlds.crashes.crash_witness import Public, Witness
from support.worlds.databases.dialects import DIALECTS
from support.worlds.processes.fork_server import ForkServer, Process
from support.worlds.session.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.log import key as log_key
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.registry import keystore

PASSPHRASE = "a passphrase"
CHEAP = 2**4
"""The cost of the operator's key file: it is opened at each of hundreds of starts."""

ORIGIN = "deeds.example.com/log"
_numbers = itertools.count(1)


@dataclass
class CrashRegistry:
    """One registry: a folder, a database, a contract; a web process and a worker, each a process of its own."""

    folder: Path
    fork_server: ForkServer
    chain: object
    database_url: str
    seen_url: str
    """The database's URL as the processes are given it: perhaps that of a proxy before it."""

    port: int = field(default_factory=free_port)
    witness: Witness = field(default_factory=Witness)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def dialect(self) -> str:
        return self.database_url.split(":", 1)[0].split("+")[0]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def environment(self) -> dict[str, str]:
        return {
            "DEEDLOG_DATA": str(self.data),
            "DEEDLOG_DATABASE_URL": self.seen_url,
            "DEEDLOG_CHAINS": str(self.folder / "chains.json"),
            "DEEDLOG_RPC_URL": self.chain.url,
            "DEEDLOG_ANCHOR_INTERVAL": "1",
            "DEEDLOG_PORT": str(self.port),
            "DEEDLOG_OPERATOR_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "DEEDLOG_LOG_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "DEEDLOG_QUOTA_PER_ACCOUNT": "1000000000/day",
            "DEEDLOG_QUOTA_PER_ADDRESS": "1000000000/day",
            "DEEDLOG_LANG": "en",
        }

    def prepare(self) -> None:
        """Write what `init` needs: passphrase, file of chains, and key files that are cheap to open."""
        self.data.mkdir(parents=True, exist_ok=True)
        (self.folder / "passphrase").write_text(PASSPHRASE + "\n", "utf-8")
        chain = json.loads((ROOT / "anchor/rpc/chains.json").read_text("utf-8"))["local"]
        (self.folder / "chains.json").write_text(json.dumps({"local": chain | {"poll_milliseconds": 200}}), "utf-8")

    def create(self) -> None:
        """Make the registry and deploy its contract."""
        self.prepare()
        keystore.write(self.data / "operator.json", keystore.new_key(), PASSPHRASE, CHEAP)
        log_key.create(self.data / "log.pem", PASSPHRASE)
        self.run("init", "--origin", ORIGIN, "--owner", LOCAL_OWNER)
        self.deploy()
        made = self.run("api-key", "new", "crash", "--scope", "batch", "--json")
        self.secret = json.loads(made)["secret"]

    def deploy(self) -> None:
        self.identity = RegistryIdentity.from_json(
            json.loads((self.data / "identity.json").read_text("utf-8")), contracts()
        )
        EvmChain(self.chain.url).deploy_local(self.identity)

    def public(self) -> Public:
        return Public(self.url, self.identity, self.secret, self.witness)

    def begin(self, name: str, *arguments: str) -> Process:
        """Start a `deedlog` process that obeys the order under `name`."""
        number = next(_numbers)
        said = self.folder / f"{name}-{number}.log"
        order = self.folder / f"{name}.order"
        return self.fork_server.start(arguments, os.environ | self.environment(), said, order=str(order))

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run `deedlog` to its end; return what it said."""
        process = self.begin("run", *arguments)
        assert process.wait() == expect, process.tail()
        return process.said.read_text("utf-8")

    def order(self, name: str, **what) -> None:
        """Tell the process `name`, running or not, where to end or to fail."""
        path = self.folder / f"{name}.order"
        path.with_suffix(".done").unlink(missing_ok=True)
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps({"number": next(_numbers), **what}), "utf-8")
        temporary.rename(path)

    def obeyed(self, name: str) -> bool:
        return (self.folder / f"{name}.done").exists()

    def start(self, *names: str) -> None:
        """Start `serve` or `worker`; return when what starts has opened its port."""
        for name in names:
            assert name not in self.processes or self.processes[name].ended.is_set()
            self.processes[name] = self.begin(name, name)

    def await_web(self) -> None:
        def answers():
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{self.url}/log/checkpoint").is_success
            return False

        until(answers, lambda: "the web process answers\n" + self.processes["serve"].tail())

    def ensure(self) -> None:
        """Start what does not run, and forget orders: a test that failed must not fail the next one."""
        for name in ("serve", "worker"):
            for suffix in (".order", ".done"):
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)
            if name not in self.processes or self.processes[name].ended.is_set():
                self.start(name)
        self.await_web()

    def kill(self, *names: str) -> None:
        for name in names:
            self.processes[name].kill()
        for name in names:
            # Any other code: it had ended by itself before.
            assert self.processes[name].wait() == -signal.SIGKILL, self.processes[name].tail()

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
        self._engine.dispose()

    def await_logged(self) -> None:
        """Wait until all that is acknowledged now is in the log."""
        wanted = len(self.witness.acknowledged)
        until(lambda: self.ask("SELECT size FROM log") >= wanted and self.unlogged() == 0, self.stuck)

    def await_anchored(self) -> None:
        """Wait until the contract has all that is logged now, and nothing is open."""
        size = self.ask("SELECT size FROM log")
        until(lambda: (self.ask("SELECT max(size) FROM anchor WHERE final") or 0) >= size, self.stuck)
        until(lambda: self.ask("SELECT count(*) FROM attempt WHERE state IN ('prepared', 'sent')") == 0, self.stuck)

    def reorganise(self) -> None:
        """Take the blocks of the newest anchors out of the chain, with what was in them."""
        reorganise(self.chain, 3)

    def remembered(self) -> int:
        """Return the size in the last-signed file."""
        path = self.data / "log.pem.last-signed"
        return json.loads(path.read_text("utf-8"))["size"] if path.exists() else 0

    def unlogged(self) -> int:
        return self.ask("SELECT count(*) FROM statement WHERE log_index IS NULL")

    def stuck(self) -> str:
        said = "\n".join(f"{name}: {process.code} {process.tail()}" for name, process in self.processes.items())
        return f"all is logged and anchored; {self.unlogged()} are not logged\n{said}"

    def ask(self, query: str):
        """Return the one value of a query."""
        with self._engine.connect() as connection:
            return connection.execute(text(query)).scalar()

    @cached_property
    def _engine(self) -> Engine:
        # A file is left at once: whoever opens it first after a crash must be alone with what the crash left.
        pool = NullPool if self.dialect == "sqlite" else None
        return create_engine(self.database_url, isolation_level="AUTOCOMMIT", poolclass=pool)

    def look(self, bundles: int | None = None) -> outside_checks.Seen:
        return outside_checks.look(self, self.witness, bundles)

    def look_at_rest(self) -> None:
        """Look at the database alone: what a crash left, before anything has run again."""
        outside_checks.check_rows(self, None)


@pytest.fixture(scope="session")
def crash_fork_server():
    fork_server = ForkServer(ROOT / "tests/support/faults/crashing_processes.py")
    yield fork_server
    fork_server.stop()


@pytest.fixture(scope="session")
def crash_chain():
    with running_anvil() as chain:
        yield chain


@pytest.fixture(scope="session")
def new_registry(crash_fork_server, crash_chain, tmp_path_factory, request):
    """How to make a registry on a database of a dialect; it stops with the session, or before."""
    made = []

    def make(dialect: str, proxy=None) -> CrashRegistry:
        folder = tmp_path_factory.mktemp(f"crash-{dialect}-")
        if dialect == "sqlite":
            url = f"sqlite:///{folder / 'deedlog.sqlite'}"
        else:
            url = request.getfixturevalue("postgres").new_database()
        registry = CrashRegistry(folder, crash_fork_server, crash_chain, url, url if proxy is None else proxy(url))
        made.append(registry)
        return registry

    yield make
    for registry in made:
        registry.stop()


@pytest.fixture(scope="module", params=DIALECTS)
def walking(request, new_registry):
    """A registry for all tests of a file, of each dialect in turn."""
    registry = new_registry(request.param)
    registry.create()
    yield registry
    registry.stop()


@pytest.fixture
def crash_registry(walking):
    """The same, with both its processes running."""
    walking.ensure()
    walking.witness.problems.clear()
    return walking


__all__ = ["CrashRegistry", "crash_chain", "crash_fork_server", "crash_registry", "new_registry", "until", "walking"]
