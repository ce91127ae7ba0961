"""JSON-RPC to one node. Answers are accepted only in the form that Ethereum's JSON-RPC specifies.

A node may be unreachable, lie, lag, or not be a node at all. Whatever it does, a request ends within its total time,
with a result or a `NodeError`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from deedlog.anchor.rpc.redaction import shown
from deedlog.registry.bounded_http import BoundedHttp, FetchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedlog.registry.bounded_http import Answer

TIMEOUT = 20.0
"""Seconds from the start of a request to the end of its answer."""

MAXIMUM_ANSWER = 4 * 1024 * 1024
"""In bytes. A block's header with the hashes of its transactions takes a tenth of it."""

_LARGEST = 2**256

_UNREADABLE = ("fetch.too_long", "fetch.encoding")


class NodeError(Exception):
    """A node gave no usable answer."""


class UnreachableError(NodeError):
    """No answer came in time, or the HTTP status is an error. The text is the reason; `problem` is a verdict's code."""

    def __init__(self, reason: str, *, problem: str) -> None:
        """Store the reason and the code."""
        super().__init__(reason)
        self.problem = problem


class UnreadableError(NodeError):
    """The response is not an answer to the request."""


class RefusedError(NodeError):
    """The node answered with a JSON-RPC error. `number` is its code, `message` its cleaned text."""

    def __init__(self, number: int, message: str) -> None:
        """Store the code and the first 200 characters of the message, with spaces for unprintable ones."""
        shown = "".join(character if character.isprintable() else " " for character in message[:200])
        super().__init__(shown)
        self.number = number
        self.message = shown


class Node:
    """A node at a URL. Never repeats a request: only the caller knows whether that is harmless."""

    def __init__(self, url: str, seconds: float | None = None) -> None:
        """Store the URL. Sends nothing yet. `seconds` is the total time of each request (default: `TIMEOUT`)."""
        self._http = BoundedHttp(url, seconds=TIMEOUT if seconds is None else seconds, shown=shown(url))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, *parameters: Any) -> Any:
        """Make one call and return its result. Raises `UnreachableError`, `UnreadableError` or `RefusedError`."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        try:
            answer = self._http.request("POST", body=body, maximum=MAXIMUM_ANSWER)
        except FetchError as error:
            if error.code in _UNREADABLE:
                raise UnreadableError(method) from error
            if error.code == "fetch.too_slow":
                raise UnreachableError("too slow", problem="node.too_slow") from error
            if error.code == "fetch.redirected":
                raise UnreachableError("redirected", problem="node.redirected") from error
            reason = str(error.params.get("reason", error.code))
            raise UnreachableError(reason, problem="node.unreachable") from error
        return _result(method, answer)


def _result(method: str, answer: Answer) -> Any:
    try:
        said = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        if answer.ok:
            raise UnreadableError(method) from error
        raise UnreachableError(_status(answer), problem="node.unreachable") from error
    if not isinstance(said, dict):
        raise UnreadableError(method)
    problem = said.get("error")
    if problem is not None:
        # Check for a JSON-RPC error before the status: some nodes send one with an HTTP error status.
        known = isinstance(problem, dict)
        number = problem.get("code") if known else None
        message = problem.get("message") if known else None
        raise RefusedError(number if isinstance(number, int) else 0, message if isinstance(message, str) else "")
    if not answer.ok:
        raise UnreachableError(_status(answer), problem="node.unreachable")
    if "result" not in said:
        raise UnreadableError(method)
    return said["result"]


def _status(answer: Answer) -> str:
    return f"HTTP {answer.status}"


def number(value: object, largest: int = _LARGEST) -> int:
    """Return a quantity (0x…) below `largest`; raise `UnreadableError`."""
    data = _digits(value)
    if not data or int(data, 16) >= largest:
        raise UnreadableError("a quantity")
    return int(data, 16)


def octets(value: object, size: int | None = None) -> bytes:
    """Return bytes (0x…), exactly `size` of them if given; raise `UnreadableError`."""
    digits = _digits(value)
    if len(digits) % 2 or size not in (None, len(digits) // 2):
        raise UnreadableError("bytes")
    return bytes.fromhex(digits)


def words(value: object, count: int) -> list[bytes]:
    """Return the `count` words (32 bytes each) of an ABI-encoded answer; raise `UnreadableError`."""
    data = octets(value, 32 * count)
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def uint64(word: bytes) -> int:
    """Return the number in an ABI word; raise `UnreadableError` if it needs more than 64 bits."""
    value = int.from_bytes(word, "big")
    if value >= 2**64:
        raise UnreadableError("uint64")
    return value


def member(value: object, name: str) -> Any:
    """Return a member of a JSON object; raise `UnreadableError` if `value` is no object or lacks the member."""
    if not isinstance(value, dict) or name not in value:
        raise UnreadableError(name)
    return value[name]


def block_hash(block: Mapping[str, Any] | object) -> bytes:
    """Return the hash (32 bytes) that a node's block object names; raise `UnreadableError`."""
    return octets(member(block, "hash"), 32)


def _digits(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("0x") or not set(value[2:]) <= set("0123456789abcdefABCDEF"):
        raise UnreadableError("hexadecimal digits")
    return value[2:]
