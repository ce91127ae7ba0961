"""An ASGI application served by uvicorn in a thread of the test's own process."""

from __future__ import annotations

import contextlib
import threading

import uvicorn
from ports import free_port
from support.worlds.session.waiting import PATIENCE, until


@contextlib.contextmanager
def serving(application, **config):
    """Serve an application until the block ends; give its port. `config` is more of uvicorn's configuration."""
    port = free_port()
    # A connection that a busy test leaves alone for seconds must not be closed under its next request.
    config |= {"log_level": "critical", "timeout_keep_alive": 10 * PATIENCE}
    server = uvicorn.Server(uvicorn.Config(application, port=port, **config))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server listens")
        yield port
    finally:
        server.should_exit = True
        thread.join()
