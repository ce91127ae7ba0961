"""Processes of `deedlog` that end where a test says: a program that has loaded everything forks one for each request.

A request is one JSON object a line: {"arguments", "environment", "said", "order"}: what `deedlog` is called with, where
its output goes, and the file of the order that it obeys. The answers are {"pid"} and, at the end of a process,
{"pid", "code"}. A fork starts in a hundredth of the time that the imports take, and is a process like any other:
its memory, connections and locks are its own, and all of them end with it.

An order is {"number", "step", "times"}: to end by SIGKILL when a step is reached so many times; or {"number",
"statement", "unless", "happened"}: see `failing_commits`. Who obeys renames the file first, so that it is obeyed once.
"""

from __future__ import annotations

import importlib.util
import json
import os
import selectors
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path

import failing_commits

import api.app
import api.cli
import api.cli.api_key
import api.cli.init
import api.cli.serve
import api.cli.worker
import api.worker
from registry import steps

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
        order = self.read()
        if order.get("step") != step:
            return
        self._seen[order["number"], step] += 1
        if self._seen[order["number"], step] >= order["times"] and self.obeyed():
            os.kill(os.getpid(), signal.SIGKILL)


def become(request) -> None:
    """Be `deedlog`, called with the request's arguments; does not return."""
    code = 0
    try:
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        said = os.open(request["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for own, standard in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(own, standard)
        os.environ.update(request["environment"])
        sys.argv = ["deedlog", *request["arguments"]]
        order = Order(Path(request["order"]))
        steps.hook = order.reached
        failing_commits.install(order)
        _hasten()
        api.cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - said, and told by the exit code
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _hasten() -> None:
    if importlib.util.find_spec("registry.lease") is not None:
        lease = importlib.import_module("registry.lease")
        lease.LEASE_MS = LEASE_MS
        api.worker.BEAT_SECONDS = 0.1


def main() -> None:
    """Fork a process for each request, and tell of their ends, until no more requests can come."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing)
    requests = selectors.DefaultSelector()
    requests.register(0, selectors.EVENT_READ)
    requests.register(reading, selectors.EVENT_READ)
    unread = b""
    tell({"ready": True})
    while True:
        for key, _ in requests.select():
            if key.fd == reading:
                os.read(reading, 4096)
                continue
            data = os.read(0, 65_536)
            if not data:
                # Whoever asked is gone, perhaps without a word: nothing that was started may stay.
                os.killpg(0, signal.SIGKILL)
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    become(request)
                tell({"pid": pid, "request": request["number"]})
        while ended := _ended():
            tell({"pid": ended[0], "code": os.waitstatus_to_exitcode(ended[1])})


def _ended():
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def tell(answer) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
