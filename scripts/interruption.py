"""Handle signals to stop: note the signal, and act on it between two steps, so that no step is cut short.

A process stops its children in order. If it cannot (`kill -9`), Linux signals the children.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

STARTER = "DEEDLOG_RUN_PID"
"""Environment variable with the process id of `scripts/run`. If that process is gone, nobody can signal this one."""

_LOOK_SECONDS = 0.3
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_told: list[int] = []


class Interrupted(Exception):  # noqa: N818 - not an error: a person asked for it
    """This process was told to stop."""

    def __init__(self, number: int) -> None:
        """Set the signal's number."""
        super().__init__(number)
        self.exit_code = 128 + number


def listen() -> None:
    """Note SIGINT, SIGTERM and SIGHUP from now on. The same signal a second time ends this process at once."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a shell ignores signals for background jobs on purpose
            signal.signal(number, _note)
    starter = os.environ.pop(STARTER, None)
    if starter is not None:
        threading.Thread(target=_watch, args=(int(starter),), daemon=True).start()


def check() -> None:
    """Raise `Interrupted` if this process was told to stop."""
    if _told:
        raise Interrupted(_told[0])


def start(command: Sequence[str], end_by: signal.Signals, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process in a new session. On Linux it gets the signal `end_by` when this process is gone."""

    def end_with_this() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(end_by))

    return subprocess.Popen(command, start_new_session=True, preexec_fn=end_with_this, **options)  # noqa: PLW1509 - only prctl is called


def run(command: Sequence[str], environment: dict[str, str] | None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. If this process is told to stop meanwhile, end the command and raise `Interrupted`."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(command, signal.SIGTERM, env=environment, **pipes)
    try:
        while True:
            check()
            try:
                out, err = process.communicate(timeout=_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return subprocess.CompletedProcess(command, process.returncode, out.decode("utf-8"), err.decode("utf-8"))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _note(number: int, _frame: FrameType | None) -> None:
    _told.append(number)
    signal.signal(number, signal.SIG_DFL)


def _watch(starter: int) -> None:
    while os.getppid() == starter:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
