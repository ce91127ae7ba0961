"""The system calls that `registry/files.py` makes, seen one by one: to fail one, or to end the process there.

The calls are the real ones, on real files: Python's profiling hook says which comes next, before it is made.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from deedlog.registry import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CALLS = {"open", "dup", "stat", "link", "replace", "unlink", "fsync", "fchmod", "ftruncate", "write", "flush"}


@contextlib.contextmanager
def before_each(act: Callable[[str], None]) -> Iterator[None]:
    """Call `act` with the name of each call before it is made; what it raises is raised in the call's place."""

    def profile(frame, event, called):
        if event == "c_call" and called.__name__ in CALLS and frame.f_code.co_filename == files.__file__:
            act(called.__name__)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


def seen(call: Callable[[], None]) -> list[str]:
    """Return the names of the calls, in order."""
    names: list[str] = []
    with before_each(names.append):
        call()
    return names


@contextlib.contextmanager
def failing(number: int, code: int = errno.EIO) -> Iterator[None]:
    """Let the call of that number (from 0) fail with this error of the operating system."""
    left = number

    def act(_name):
        nonlocal left
        left -= 1
        if left == -1:
            raise OSError(code, os.strerror(code))

    with before_each(act):
        yield


KILLED = """
import os, pathlib, signal, sys
from deedlog.registry import files
from support.faults.file_calls import before_each
path, left = pathlib.Path(sys.argv[1]), int(sys.argv[2])
def act(_name):
    global left
    left -= 1
    if left == -1:
        os.kill(os.getpid(), signal.SIGKILL)
with before_each(act):
    {call}
"""


def killed_at(number: int, call: str, path: Path) -> bool:
    """Run a call of `files` on `path` in a process that is killed before the call of that number; False if it ended."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-c", KILLED.format(call=call), path, str(number)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == -9
