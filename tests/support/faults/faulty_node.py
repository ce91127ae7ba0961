"""A node that misbehaves: a real HTTP proxy before a real one, with faults that a test sets while it runs.

    with FaultyNode(anvil.url) as node:
        node.fault("eth_sendRawTransaction", lost, times=1)

The faults stand in `node_faults`. Batches are refused.

web3 asks again by itself, up to five times, after a connection that broke, a timeout or an HTTP error, for most
methods and for eth_sendRawTransaction too: through it, a fault with `times=1` may never be seen. Count `node.seen`.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import math
import random
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from support.faults.node_faults import Call, Fault, Reply, Weather, passed


class Seen(NamedTuple):
    """What was asked."""

    method: str
    params: list[Any]


@dataclass
class _Active:
    method: str | None
    fault: Fault
    left: float
    where: Callable[[list[Any]], bool]


class FaultyNode:
    """A proxy on a port of its own. What a test's own fault or `change` raises is raised when the node is closed."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.seen: list[Seen] = []
        """What was asked, in the order in which it came."""
        self._active: list[_Active] = []
        self._healed = threading.Event()
        self._lock = threading.Lock()
        self._closed = False
        self._sockets: set[socket.socket] = set()
        self._errors: list[BaseException] = []
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.close()
        if self._errors and error is None:
            raise self._errors[0]

    def fault(
        self,
        method: str | None,
        fault: Fault,
        times: int | None = None,
        where: Callable[[list[Any]], bool] = lambda _params: True,
    ) -> None:
        """Set a fault for a method, or for every one (None), for so many calls, or until the node is healed.

        One for the method goes before one for every method; among those, the one that was set first.
        `where` chooses among the calls of a method by their parameters.
        """
        with self._lock:
            self._active.append(_Active(method, fault, math.inf if times is None else times, where))

    def weather(self, seeded: random.Random, faults: Sequence[Fault], chance: float) -> Weather:
        """Let each call meet one of the faults with this chance."""
        weather = Weather(seeded, faults, chance)
        self.fault(None, weather)
        return weather

    def heal(self) -> None:
        """Take all faults away, and let go what they hold."""
        with self._lock:
            self._active.clear()
            self._healed.set()
            self._healed = threading.Event()

    def count(self, method: str) -> int:
        """Return how often a method was asked."""
        with self._lock:
            return sum(seen.method == method for seen in self.seen)

    def close(self) -> None:
        """Break all connections, and return when no thread is left."""
        self._server.shutdown()
        with self._lock:
            self._closed = True
            self._active.clear()
            self._healed.set()
            for open_socket in self._sockets:
                _break(open_socket)
        self._server.server_close()
        self._thread.join()

    def ask(self, url: str, message: bytes) -> Reply:
        """Ask a node over a connection of its own."""
        address = urlsplit(url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port or 80)
        connection.connect()
        upstream: socket.socket = connection.sock
        self.opened(upstream)
        try:
            connection.request("POST", address.path or "/", message, {"Content-Type": "application/json"})
            answered = connection.getresponse()
            return Reply.of(answered.read(), answered.status, answered.headers.get_content_type())
        finally:
            self.left(upstream)
            connection.close()

    def reply(self, message: bytes) -> Reply | None:
        """Return what is answered; None if the connection is to be closed."""
        asked = json.loads(message)
        if not isinstance(asked, dict):
            return Reply.of(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no batches here"}}')
        method, params = asked["method"], asked.get("params", [])
        with self._lock:
            self.seen.append(Seen(method, params))
            fault = self._fault_for(method, params)
            call = Call(self, asked.get("id"), method, params, self._healed)
        return fault(call)

    def _fault_for(self, method: str, params: list[Any]) -> Fault:
        for wanted in (method, None):
            for active in self._active:
                if active.method == wanted and active.left > 0 and active.where(params):
                    active.left -= 1
                    return active.fault
        return passed

    def opened(self, connected: socket.socket) -> None:
        """Remember a connection, so that closing can break it."""
        with self._lock:
            self._sockets.add(connected)
            if self._closed:
                _break(connected)

    def left(self, connected: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._sockets.discard(connected)

    def failed(self, error: BaseException) -> None:
        """Keep what a fault raised. A node behind or a client that went away is no defect of the test."""
        if not isinstance(error, (OSError, http.client.HTTPException)):
            self._errors.append(error)


def _break(connected: socket.socket) -> None:
    """Wake whoever reads or writes there."""
    with contextlib.suppress(OSError):  # the other side may have been faster
        connected.shutdown(socket.SHUT_RDWR)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False  # so that `server_close` joins them
    request_queue_size = 128

    def __init__(self, node: FaultyNode) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.node = node

    def process_request(self, request, client_address):
        self.node.opened(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.node.left(request)
        super().shutdown_request(request)

    def handle_error(self, _request, _client_address):
        """Whatever was raised, the connection is closed next."""
        self.node.failed(sys.exception())


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        message = self.rfile.read(length)
        if len(message) < length:  # whoever asked has ended meanwhile
            self.close_connection = True
            return
        reply = self.server.node.reply(message)
        if reply is None:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(reply.length))
        self.end_headers()
        sent = 0
        for piece in reply.pieces:
            self.wfile.write(piece)
            sent += len(piece)
        if sent < reply.length:
            self.close_connection = True

    def log_message(self, *arguments):
        pass
