"""How a node misbehaves: a fault is a function from the call to the reply; None closes the connection without one.

`cut` is "failed and did not happen", `lost` is "failed but happened". A test may write its own.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from support.faults.faulty_node import FaultyNode

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
