"""Free TCP ports of this machine, each given to one process only.

A port with no listener may still be taken: another process may have chosen it and not listen yet, or its server may be
restarting. So each port given out is locked in a file that all processes of a user share. The system drops the lock
when the process ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import tempfile
from functools import cache
from pathlib import Path

_PORTS = range(10_240, 32_768)
"""Above the ports of common services, below those for outgoing connections (from 32,768 on Linux, 49,152 elsewhere)."""

_given: set[int] = set()


def free_port() -> int:
    """Return a port without a listener. No other process gets it from this function until this process ends."""
    while True:
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        if port not in _given and _lock(port) and not in_use("127.0.0.1", port):
            _given.add(port)
            return port


def in_use(host: str, port: int) -> bool:
    """Return whether a process listens on a port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def _lock(port: int) -> bool:
    """Lock the byte of this port. The process holds the lock until it ends, even if the port turns out to be in use."""
    try:
        fcntl.lockf(_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _file() -> int:
    """Open the lock file, which has one byte per port. It stays open, because closing it would drop every lock."""
    path = Path(tempfile.gettempdir()) / f"deedlog-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
