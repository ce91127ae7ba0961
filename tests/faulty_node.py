"""A node that misbehaves: a real HTTP proxy before a real one, with faults that a test sets while it runs.

    with FaultyNode(anvil.url) as node:
        node.fault("eth_sendRawTransaction", lost, times=1)

A fault is a function from the call to the reply; None closes the connection without one. A test may write its own.
`cut` is "failed and did not happen", `lost` is "failed but happened". Batches are refused.

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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import httpx

MAXIMUM_PIECE = 2**16
"""Bytes that a long made-up answer is sent in."""

BLOCK_PARAMETER = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getBalance": 1,
    "eth_getBlockByNumber": 0,
    "eth_getCode": 1,
    "eth_getProof": 2,
    "eth_getStorageAt": 2,
    "eth_getTransactionCount": 1,
}
"""Where each method says at which block."""


class Seen(NamedTuple):
    """What was asked."""

    method: str
    params: list[Any]


@dataclass(frozen=True)
class Reply:
    """What is sent back. Where the pieces are shorter than the length that was said, the connection is closed."""

    pieces: Iterable[bytes]
    length: int
    status: int = 200
    kind: str = "application/json"

    @classmethod
    def of(cls, content: bytes, status: int = 200, kind: str = "application/json") -> Self:
        return cls((content,), len(content), status, kind)

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)


@dataclass(frozen=True)
class Call:
    """One request, and how the node behind is asked."""

    node: FaultyNode
    id: Any
    method: str
    params: list[Any]
    healed: threading.Event
    """Set once the faults that held when this call came are gone."""

    def forward(self, url: str | None = None, params: list[Any] | None = None) -> Reply:
        """Ask the node behind, or another."""
        asked = self.params if params is None else params
        message = {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": asked}
        return self.node.ask(url or self.node.behind, json.dumps(message).encode())

    def result(self, value: Any) -> Reply:
        return self._reply({"result": value})

    def error(self, code: int, message: str) -> Reply:
        return self._reply({"error": {"code": code, "message": message}})

    def _reply(self, rest: dict[str, Any]) -> Reply:
        return Reply.of(json.dumps({"jsonrpc": "2.0", "id": self.id, **rest}).encode())


Fault = Callable[[Call], Reply | None]


def passed(call: Call) -> Reply:
    """No fault: keeps the faults that hold for every method from one."""
    return call.forward()


def hang(call: Call) -> None:
    """Accept, and never answer; the connection is closed when the node is healed or closed."""
    call.healed.wait()


def late(call: Call) -> Reply:
    """Do nothing until the node is healed, then do it: what the client gave up on may still happen."""
    call.healed.wait()
    return call.forward()


def cut(_call: Call) -> None:
    """Close the connection: it failed and did not happen."""


def lost(call: Call) -> None:
    """Do it, then close the connection: it failed but happened."""
    call.forward()


def cut_short(call: Call) -> Reply:
    """Do it, say how long the answer is, and send half."""
    content = call.forward().content
    return Reply((content[: len(content) // 2],), len(content))


def status(code: int) -> Fault:
    """Answer with an HTTP error and a page, as a gateway does."""
    page = f"<html><body><h1>{code} {http.client.responses[code]}</h1></body></html>".encode()
    return lambda _call: Reply.of(page, code, "text/html")


def rpc_error(code: int, message: str) -> Fault:
    """Refuse, as JSON-RPC does."""
    return lambda call: call.error(code, message)


def answer(value: Any) -> Fault:
    """Answer with this result, whatever was asked."""
    return lambda call: call.result(value)


def body(content: bytes) -> Fault:
    """Answer with these bytes."""
    return lambda _call: Reply.of(content)


def zeros(length: int) -> Fault:
    """Answer with that many zero bytes, made as they are sent."""

    def pieces() -> Iterable[bytes]:
        for start in range(0, length, MAXIMUM_PIECE):
            yield bytes(min(MAXIMUM_PIECE, length - start))

    return lambda _call: Reply(pieces(), length)


def changed(change: Callable[[Any], Any]) -> Fault:
    """Answer with what `change` makes of the true result; an error stays as it is."""

    def fault(call: Call) -> Reply:
        reply = call.forward()
        answered = json.loads(reply.content)
        return call.result(change(answered["result"])) if "result" in answered else reply

    return fault


def instead(url: str) -> Fault:
    """Ask another node: another chain, or a fork."""
    return lambda call: call.forward(url)


def frozen(url: str) -> Fault:
    """Be a node that has followed the chain behind `url` until now, and no further.

    A transaction is passed on. A reorganisation below the block where it stopped shows through.
    """
    with httpx.Client() as client:
        tags = {tag: _number_of(client, url, tag) for tag in ("latest", "safe", "finalized")}
    newest = tags["pending"] = tags["latest"]

    def fault(call: Call) -> Reply:
        if call.method == "eth_blockNumber":
            return call.result(hex(newest))
        if call.method in BLOCK_PARAMETER:
            return at_block(call, BLOCK_PARAMETER[call.method])
        reply = call.forward()
        result = json.loads(reply.content).get("result")
        return call.result(None) if _beyond(result) else reply

    def at_block(call: Call, place: int) -> Reply:
        params = call.params if len(call.params) > place else [*call.params, "latest"]
        asked = params[place]
        number = hex(tags[asked]) if asked in tags else asked
        if number == "earliest" or int(number, 16) <= newest:
            return call.forward(params=[*params[:place], number, *params[place + 1 :]])
        return call.result(None) if call.method == "eth_getBlockByNumber" else call.error(-32000, "header not found")

    def _beyond(result: Any) -> bool:
        """Return whether this is a block, a transaction or a receipt that came later."""
        number = result.get("blockNumber", result.get("number")) if isinstance(result, dict) else None
        return number is not None and int(number, 16) > newest

    return fault


def _number_of(client: httpx.Client, url: str, tag: str) -> int:
    message = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": [tag, False]}
    return int(client.post(url, json=message).json()["result"]["number"], 16)


@dataclass
class Weather:
    """Each call meets one of the faults with this chance; `met` says which, by place in `faults`."""

    random: random.Random
    faults: Sequence[Fault]
    chance: float
    met: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply | None:
        count = len(self.faults)
        # One draw for each call: it stays whole when two threads draw at once.
        (drawn,) = self.random.choices(range(-1, count), [1 - self.chance] + [self.chance / count] * count)
        if drawn < 0:
            return call.forward()
        self.met.append((call.method, drawn))
        return self.faults[drawn](call)


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
