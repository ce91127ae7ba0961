"""A registry on this machine whose `deedlog` processes are forked, for tests of other things than how they start."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field

import httpx
from local_registry import ROOT, LocalRegistry
from ports import free_port
from support.worlds.processes.fork_server import ForkServer, Process
from support.worlds.session.waiting import PATIENCE, until

POLL_MS = 1000


@dataclass
class ForkedRegistry(LocalRegistry):
    """`LocalRegistry`, but for its worker: started beside the web process, and not by it."""

    fork_server: ForkServer = field(kw_only=True)
    processes: dict[str, Process] = field(default_factory=dict)
    """Name → what runs under it: `serve`, `worker`, and what a test starts."""

    settings: dict[str, str] = field(default_factory=dict)
    """Environment variables of all its processes, besides those that `LocalRegistry` sets."""

    @property
    def database(self) -> str:
        """The URL of its database."""
        return self.database_url or f"sqlite:///{self.data / 'deedlog.sqlite'}"

    def environment(self) -> dict[str, str]:
        """Return the settings of its commands; its worker asks its chain less often, for many of them wait idly."""
        path = self.data / "chains.json"
        if not path.exists():
            local = json.loads((ROOT / "anchor/rpc/chains.json").read_text("utf-8"))["local"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"local": local | {"poll_milliseconds": POLL_MS}}), "utf-8")
        return {"DEEDLOG_CHAINS": str(path), **super().environment(), **self.settings}

    def deedlog(self, *arguments: str) -> str:
        done = self.fork_server.run(arguments, self.environment(), ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def begin(self, name: str, *arguments: str, **environment: str) -> Process:
        """Start a `deedlog` process whose log is a file of the data folder."""
        said = self.data / f"{name}.log"
        environment = self.environment() | environment
        self.processes[name] = self.fork_server.start(arguments, environment, said, stdout=os.devnull)
        return self.processes[name]

    def start_server(self) -> None:
        for name in ("serve", "worker"):
            self.begin(name, name, "--json")
        until(self._server_answers, lambda: "it is ready\n" + self.said())

    def await_logged(self, digest: str) -> None:
        """Wait until a statement is in the log: what is acknowledged can be proven only then."""
        url = f"{self.url}/v1/statements/{digest}"
        until(lambda: httpx.get(url).json()["log_index"] is not None, lambda: "it is logged\n" + self.said())

    def said(self) -> str:
        """Return the end of what each process has said."""
        return "\n".join(f"{name}: {process.code} {process.tail()}" for name, process in self.processes.items())

    def stop(self) -> None:
        """Stop what runs, then the chain; started again it carries on."""
        for process in self.processes.values():
            process.signal(signal.SIGTERM)
        for process in self.processes.values():
            if not process.ended.wait(PATIENCE):
                process.kill()
                process.wait()
        self.processes.clear()
        super().stop()


def forked_registry(folder, fork_server: ForkServer, database_url: str | None = None) -> ForkedRegistry:
    """Return a registry of which nothing runs yet; it anchors each second, if there is something to anchor."""
    return ForkedRegistry(
        folder,
        port=free_port(),
        chain_port=free_port(),
        anchor_interval=1,
        quiet=True,
        database_url=database_url,
        fork_server=fork_server,
    )
