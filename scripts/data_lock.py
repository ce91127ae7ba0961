"""One supervisor for each data folder: two chains on the same state would overwrite each other's changes."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = ".lock"
_PATIENCE_SECONDS = 30
"""How long to wait for the processes of a killed run to end."""


class DataLock:
    """The lock on a data folder. The system frees it when the last process with the lock file open is gone."""

    def __init__(self, data: Path) -> None:
        """Set the folder; nothing is locked yet."""
        self._data = data
        self._file: int | None = None

    def take(self, url: str) -> int:
        """Lock the folder for a registry at `url`; return the open lock file. Exit with a message if it is in use.

        A child process that gets this file holds the lock too, even if it outlives this process.
        """
        if self._file is not None:
            return self._file
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            file = os.open(self._data / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            sys.exit(f"{self._data} cannot be written ({error.strerror}): choose another folder with --data")
        until = time.monotonic() + _PATIENCE_SECONDS
        while not _locked(file):
            holder = _holder(file)
            if holder is None or _lives(holder[0]) or time.monotonic() > until:
                os.close(file)
                sys.exit(_in_use(self._data, holder))
            time.sleep(0.1)  # the holder was killed; its chain is about to end
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps({"process": os.getpid(), "url": url}).encode(), 0)
        self._file = file
        return file

    def release(self) -> None:
        """Free the folder."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: int) -> tuple[int, str] | None:
    try:
        written = json.loads(os.pread(file, 4096, 0))
        return int(written["process"]), str(written["url"])
    except (ValueError, KeyError, TypeError):
        return None  # the holder has only just begun


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _in_use(data: Path, holder: tuple[int, str] | None) -> str:
    who = "another run" if holder is None else f"process {holder[0]}, for the registry at {holder[1]}"
    stop = "stop it" if holder is None else f"stop it (Ctrl-C there, or: kill {holder[0]})"
    return (
        f"{data} is in use by {who}: two local chains on one folder would damage it. "
        f"Use that registry, or {stop}, or choose another folder with --data"
    )
