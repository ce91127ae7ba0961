"""Web processes beside a site's own whose clock is wrong (`faults.shifted_clocks`)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import httpx
from ports import free_port
from support.worlds.processes.fork_server import ForkServer
from support.worlds.session.waiting import until

_PROGRAM = Path(__file__).resolve().parents[2] / "faults" / "shifted_clocks.py"


@contextlib.contextmanager
def wrong_server():
    """A fork server whose processes need `ahead`."""
    server = ForkServer(_PROGRAM)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def wrong_beside(site, server: ForkServer, ahead: int):
    """Another web process of a site's registry, whose clock is `ahead` seconds ahead; yields its client."""
    port = free_port()
    said = site.local.data / f"wrong-{port}.log"
    process = server.start(
        ("serve", "--port", str(port)), site.local.environment(), said, stdout=os.devnull, ahead=str(ahead)
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            until(lambda: client.get("/healthz").is_success, process.tail, not_yet=httpx.TransportError)
            yield client
    finally:
        process.kill()
        process.wait()
