"""Being told to stop: a signal is noted, and acted on between two steps, so that none is cut in the middle.

Processes that were started are stopped in order by whoever started them. Where there is no chance to (`kill -9`), Linux
tells them.
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
"""The environment variable in which `scripts/run` names itself: if it is gone, so is whoever could tell us to stop."""

_LOOK_SECONDS = 0.3
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_told: list[int] = []


class Interrupted(Exception):  # noqa: N818 - no error: somebody wished it
    """This process was told to stop."""

    def __init__(self, number: int) -> None:
        """Name the signal."""
        super().__init__(number)
        self.exit_code = 128 + number


def listen() -> None:
    """Note SIGINT, SIGTERM and SIGHUP from now on; a second one ends this process at once."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in a shell's background: that was somebody's wish too
            signal.signal(number, _note)
    starter = os.environ.pop(STARTER, None)
    if starter is not None:
        threading.Thread(target=_watch, args=(int(starter),), daemon=True).start()


def check() -> None:
    """Raise `Interrupted` if this process was told to stop."""
    if _told:
        raise Interrupted(_told[0])


def start(command: Sequence[str], end_by: signal.Signals, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, which gets the signal `end_by` when this process is gone (on Linux)."""

    def end_with_this() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(end_by))

    return subprocess.Popen(command, start_new_session=True, preexec_fn=end_with_this, **options)  # noqa: PLW1509 - only prctl is called


def run(command: Sequence[str], environment: dict[str, str] | None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; if told to stop meanwhile, end it and raise `Interrupted`."""
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
