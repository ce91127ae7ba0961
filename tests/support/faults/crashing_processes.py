"""Processes of `deedlog` that end where a test says: `fork_server_main`, and the file of the order that each one obeys.

An order is {"number", "step", "times"}: to end by SIGKILL when a step is reached so many times; or {"number",
"statement", "unless", "happened"}: see `failing_commits`. Who obeys renames the file first, so that it is obeyed once.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path

from support.faults import failing_commits
from support.worlds.processes import fork_server_main

import deedlog.api.worker
from deedlog.registry import failpoints
from deedlog.registry.store import lease

LEASE_MS = 800
"""A lease of a killed worker runs out after this, not after seconds: a test kills dozens."""


class Order:
    """What a process has been told to do, read afresh each time: it may be told while it runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Counter[tuple[int, str]] = Counter()

    def read(self):
        try:
            return json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}

    def obeyed(self) -> bool:
        """Say that it is obeyed; return whether this is the one who does so."""
        try:
            self._path.rename(self._path.with_suffix(".done"))
        except FileNotFoundError:
            return False
        return True

    def reached(self, step: str) -> None:
        assert step in failpoints.STEPS, f"{step} is not in the list of failpoints"
        order = self.read()
        if order.get("step") != step:
            return
        self._seen[order["number"], step] += 1
        if self._seen[order["number"], step] >= order["times"] and self.obeyed():
            os.kill(os.getpid(), signal.SIGKILL)


def obey(request) -> None:
    """Let this process obey the request's order."""
    order = Order(Path(request["order"]))
    failpoints.hook = order.reached
    failing_commits.install(order)
    lease.LEASE_MS = LEASE_MS
    deedlog.api.worker.BEAT_SECONDS = 0.1


if __name__ == "__main__":
    fork_server_main.serve(obey)
