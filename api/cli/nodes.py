"""Asking RPC nodes, for `verify --rpc`: a few JSON-RPC calls over plain HTTP. What they say is their word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anchor.verify import NodeAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

_TIMEOUT = 20
_HEADERS_ONLY = False


def ask(url: str, numbers: Sequence[int]) -> NodeAnswer:
    """Return what the node at `url` says of its chain and of the blocks of these numbers."""
    import httpx  # noqa: PLC0415 - only `--rpc` needs a network

    try:
        with httpx.Client(timeout=_TIMEOUT) as client:
            chain_id = int(_call(client, url, "eth_chainId"), 16)
            blocks = {}
            for number in numbers:
                block = _call(client, url, "eth_getBlockByNumber", hex(number), _HEADERS_ONLY)
                if block is not None:
                    blocks[number] = bytes.fromhex(block["hash"][2:])
            finalized = _call(client, url, "eth_getBlockByNumber", "finalized", _HEADERS_ONLY)
            return NodeAnswer(url, chain_id, blocks, None if finalized is None else int(finalized["number"], 16))
    except (httpx.HTTPError, httpx.InvalidURL):
        return NodeAnswer(url, problem="node.unreachable")
    except (ValueError, KeyError, TypeError, RecursionError):
        return NodeAnswer(url, problem="node.unreadable")


def _call(client: httpx.Client, url: str, method: str, *parameters: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    answer = client.post(url, json=body).raise_for_status().json()
    if not isinstance(answer, dict):
        raise TypeError(method)
    # A chain without the finalized tag answers with an error: nothing is known, which is what None says.
    return answer.get("result")
