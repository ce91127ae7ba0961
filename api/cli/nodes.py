"""Asking RPC nodes, for `verify --rpc`: a few JSON-RPC calls over plain HTTP. What they say is their word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anchor.verify import NodeAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

_TIMEOUT = 20
_HEADERS_ONLY = False
_LONGEST_NUMBER = 18
"""0x and 16 digits: 64 bits."""


class _RefusedError(Exception):
    """The node answered with an error."""


def ask(url: str, numbers: Sequence[int]) -> NodeAnswer:
    """Return what the node at `url` says of its chain and of the blocks of these numbers."""
    import httpx  # noqa: PLC0415 - only `--rpc` needs a network

    try:
        with httpx.Client(timeout=_TIMEOUT) as client:
            chain_id = _number(_call(client, url, "eth_chainId"))
            blocks = {}
            for number in numbers:
                block = _call(client, url, "eth_getBlockByNumber", hex(number), _HEADERS_ONLY)
                if block is not None:
                    blocks[number] = bytes.fromhex(block["hash"][2:])
            try:
                finalized = _call(client, url, "eth_getBlockByNumber", "finalized", _HEADERS_ONLY)
            except _RefusedError:  # a chain without the tag: nothing is known
                finalized = None
            return NodeAnswer(url, chain_id, blocks, None if finalized is None else _number(finalized["number"]))
    except (httpx.HTTPError, httpx.InvalidURL):
        return NodeAnswer(url, problem="node.unreachable")
    except (_RefusedError, ValueError, KeyError, TypeError, RecursionError):
        return NodeAnswer(url, problem="node.unreadable")


def _call(client: httpx.Client, url: str, method: str, *parameters: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    answer = client.post(url, json=body).raise_for_status().json()
    if not isinstance(answer, dict):
        raise TypeError(method)
    if "error" in answer:
        raise _RefusedError(method)
    return answer["result"]


def _number(value: str) -> int:
    if len(value) > _LONGEST_NUMBER:
        raise ValueError(value[:_LONGEST_NUMBER])
    return int(value, 16)
