"""Free TCP ports of this machine, each given to one process only.

Between asking for a port and listening on it, and while a server is restarted, nothing listens there, so looking is not
enough: two processes would find the same port. Each port given out is locked in a file that all of a user's processes
share; the system drops the lock when the process ends.
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
"""Above the ports of services; below those that Linux (32,768) and others (49,152) give to outgoing connections."""

_given: set[int] = set()


def free_port() -> int:
    """Return a port that nobody listens on and that this function gives to no other process until this one ends."""
    while True:
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        if port not in _given and _lock(port) and not in_use("127.0.0.1", port):
            _given.add(port)
            return port


def in_use(host: str, port: int) -> bool:
    """Return whether somebody listens on a port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def _lock(port: int) -> bool:
    """Lock the byte of this port; the lock belongs to the process, and a port that is in use may stay locked."""
    try:
        fcntl.lockf(_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _file() -> int:
    """Open the file whose bytes stand for ports; it stays open, for closing it would drop every lock."""
    path = Path(tempfile.gettempdir()) / f"deedlog-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
