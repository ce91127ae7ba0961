"""Starts `deedlog` processes in a hundredth of a second: the client of the program `fork_server_main.py`.

A forked process does what `python -m deedlog.api.cli` does, except for the imports and the interpreter's shutdown.
Tests of those two start the real command.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.worlds.session.waiting import PATIENCE

HERE = Path(__file__).resolve().parent
TESTS = HERE.parents[2]
ROOT = TESTS.parent

_numbers = itertools.count(1)


@dataclass
class Process:
    """A process that `ForkServer` started; `code` is None while it runs, and -9 after SIGKILL."""

    pid: int
    said: Path
    ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None

    def signal(self, number: int) -> None:
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def wait(self, what: str = "the process ends", seconds: float = PATIENCE) -> int:
        if not self.ended.wait(seconds):
            said = self.tail()
            self.kill()
            pytest.fail(f"not within {seconds} s: {what}\n{said}")
        return self.code

    def tail(self) -> str:
        return self.said.read_text("utf-8")[-3000:] if self.said.exists() else ""


class ForkServer:
    """A running fork server; `stop` kills it and every process that it started."""

    def __init__(self, program: Path = HERE / "fork_server_main.py") -> None:
        self._program = subprocess.Popen(
            [sys.executable, str(program)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}", "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self._pids: dict[int, queue.SimpleQueue] = defaultdict(queue.SimpleQueue)
        self._ends: dict[int, queue.SimpleQueue] = defaultdict(queue.SimpleQueue)
        self._ready = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        assert self._ready.wait(PATIENCE)

    def _listen(self) -> None:
        for line in self._program.stdout:
            answer = json.loads(line)
            if "request" in answer:
                self._pids[answer["request"]].put(answer["pid"])
            elif "pid" in answer:
                self._ends[answer["pid"]].put(answer["code"])
            else:
                self._ready.set()

    def start(self, arguments, environment, said: Path, **more: str) -> Process:
        """Start `deedlog`; `more` are other members of the request: `folder`, streams, what an own program reads."""
        number = next(_numbers)
        said.touch()  # it may be read before the process has opened it
        request = {
            "number": number,
            "arguments": list(map(str, arguments)),
            "environment": environment,
            "folder": str(ROOT),
            "stdin": os.devnull,
            "stdout": str(said),
            "stderr": str(said),
            **more,
        }
        with self._lock:
            self._program.stdin.write(json.dumps(request).encode() + b"\n")
            self._program.stdin.flush()
        process = Process(self._pids[number].get(timeout=PATIENCE), said)
        threading.Thread(target=self._await, args=(process,), daemon=True).start()
        return process

    def run(self, arguments, environment, folder: Path, given: str | None = None) -> subprocess.CompletedProcess:
        """Run `deedlog` to its end; return what `subprocess.run` would."""
        with tempfile.TemporaryDirectory() as place:
            stdin, stdout, stderr = (Path(place) / name for name in ("stdin", "stdout", "stderr"))
            stdin.write_text(given or "", "utf-8")
            streams = {"stdin": str(stdin), "stdout": str(stdout)}
            process = self.start(arguments, environment, stderr, folder=str(folder), **streams)
            code = process.wait()
            said = (path.read_text("utf-8") for path in (stdout, stderr))
            return subprocess.CompletedProcess(list(arguments), code, *said)

    def _await(self, process: Process) -> None:
        process.code = self._ends[process.pid].get()
        process.ended.set()

    def stop(self) -> None:
        os.killpg(self._program.pid, signal.SIGKILL)
        self._program.wait()
