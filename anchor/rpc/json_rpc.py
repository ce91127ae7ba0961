"""One RPC node over HTTP: requests, and answers taken only in the shape that the JSON-RPC of Ethereum gives them.

A node is outside: it may be away, lie, lag, or not be a node. Whatever it does ends in one of three errors.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 20
"""Seconds for the content of one answer, and for each step before it."""

MAXIMUM_ANSWER = 4 * 1024 * 1024
"""Bytes: a block's header and the hashes of its transactions take a tenth of it."""

_LARGEST = 2**256


class NodeError(Exception):
    """A node did not say what it was asked for."""


class UnreachableError(NodeError):
    """Nothing came, or an HTTP status that is no answer; its text is the kind of error, or the status."""


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
    """A node behind a URL. Nothing is repeated: who asks knows whether to ask again."""

    def __init__(self, url: str) -> None:
        """Name the node; nothing is sent yet."""
        self._url = url
        self._client = httpx.Client(timeout=TIMEOUT)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(self, method: str, *parameters: Any) -> Any:
        """Return the result of one call; raise a `NodeError`."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        content = bytearray()
        until = time.monotonic() + TIMEOUT
        try:
            with self._client.stream("POST", self._url, json=body, headers={"Accept-Encoding": "identity"}) as response:
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > MAXIMUM_ANSWER:
                        raise UnreadableError(method)
                    if time.monotonic() > until:
                        raise UnreachableError("too slow")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # ValueError: where a redirect leads to
            raise UnreachableError(type(error).__name__) from error
        return _result(method, response, bytes(content))


def _result(method: str, response: httpx.Response, content: bytes) -> Any:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        if response.is_success:
            raise UnreadableError(method) from error
        raise UnreachableError(_status(response)) from error
    if not isinstance(answer, dict):
        raise UnreadableError(method)
    problem = answer.get("error")
    if problem is not None:
        # Some nodes give a refusal the status of an error too.
        known = isinstance(problem, dict)
        number = problem.get("code") if known else None
        message = problem.get("message") if known else None
        raise RefusedError(number if isinstance(number, int) else 0, message if isinstance(message, str) else "")
    if not response.is_success:
        raise UnreachableError(_status(response))
    if "result" not in answer:
        raise UnreadableError(method)
    return answer["result"]


def _status(response: httpx.Response) -> str:
    return f"HTTP {response.status_code}"


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
