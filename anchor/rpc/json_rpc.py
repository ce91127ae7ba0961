"""One RPC node: JSON-RPC requests, and answers read only in the form that Ethereum's JSON-RPC gives them.

A node may be away, lie, lag, or not be a node. Whatever it does, a request ends within its total time, in a result or
in a `NodeError`.
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
"""Seconds from a request to the end of its answer."""

MAXIMUM_ANSWER = 4 * 1024 * 1024
"""Bytes: a block's header and the hashes of its transactions take a tenth of it."""

_LARGEST = 2**256

_UNREADABLE = ("fetch.too_long", "fetch.encoding")


class NodeError(Exception):
    """A node did not say what it was asked for."""


class UnreachableError(NodeError):
    """No answer came in time, or an HTTP status that is none; its text is the reason, `problem` the verdict's code."""

    def __init__(self, reason: str, *, problem: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.problem = problem


class UnreadableError(NodeError):
    """Something came that is not an answer to the question."""


class RefusedError(NodeError):
    """The node answered with an error: `number` and `message` are its words."""

    def __init__(self, number: int, message: str) -> None:
        """Keep the first of the node's words, without what would not be text elsewhere."""
        shown = "".join(character if character.isprintable() else " " for character in message[:200])
        super().__init__(shown)
        self.number = number
        self.message = shown


class Node:
    """A node behind a URL. No request is repeated: its caller knows whether that is harmless."""

    def __init__(self, url: str, seconds: float | None = None) -> None:
        """Name the node; nothing is sent yet. `seconds` is the total time of each request (default: `TIMEOUT`)."""
        self._http = BoundedHttp(url, seconds=TIMEOUT if seconds is None else seconds, shown=shown(url))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, *parameters: Any) -> Any:
        """Return the result of one call; raise a `NodeError`."""
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
        # Some nodes give a refusal the status of an error too.
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
    """Return bytes (0x…), of `size` if it is given; raise `UnreadableError`."""
    digits = _digits(value)
    if len(digits) % 2 or size not in (None, len(digits) // 2):
        raise UnreadableError("bytes")
    return bytes.fromhex(digits)


def words(value: object, count: int) -> list[bytes]:
    """Return the words (32 bytes each) of an ABI-encoded answer; raise `UnreadableError`."""
    data = octets(value, 32 * count)
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def uint64(word: bytes) -> int:
    """Return the number in a word of the ABI; raise `UnreadableError` where it is wider than 64 bits."""
    value = int.from_bytes(word, "big")
    if value >= 2**64:
        raise UnreadableError("uint64")
    return value


def member(value: object, name: str) -> Any:
    """Return a member of an object; raise `UnreadableError` if it is none, or has it not."""
    if not isinstance(value, dict) or name not in value:
        raise UnreadableError(name)
    return value[name]


def block_hash(block: Mapping[str, Any] | object) -> bytes:
    """Return the hash of a block as answered; raise `UnreadableError`."""
    return octets(member(block, "hash"), 32)


def _digits(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("0x") or not set(value[2:]) <= set("0123456789abcdefABCDEF"):
        raise UnreadableError("hexadecimal digits")
    return value[2:]
