"""Asking RPC nodes, for `verify --rpc`, `audit --rpc` and `fsck`: a few JSON-RPC calls over plain HTTP.

What they say is their word.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from anchor.endpoint import shown
from anchor.identity import Head
from anchor.verify import NodeAnswer
from registry.digest import keccak256
from registry.errors import Unavailable
from registry.hexadecimal import to_checksum, to_hex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    import httpx

_TIMEOUT = 20
_HEADERS_ONLY = False
_LONGEST_NUMBER = 18
"""0x and 16 digits: 64 bits."""


_WORD = 64
"""Hex digits of one word of the ABI."""

_LARGEST = 2**64
_MAXIMUM_ANSWER = 4 * 1024 * 1024
"""Bytes: a block's header and the hashes of its transactions take a tenth of it."""


class _RefusedError(Exception):
    """The node answered with an error."""


def ask(url: str, numbers: Sequence[int]) -> NodeAnswer:
    """Return what the node at `url` says of its chain and of the blocks of these numbers.

    The answer carries the URL only as it may be shown: it goes into verdicts and reports.
    """
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
            return NodeAnswer(shown(url), chain_id, blocks, None if finalized is None else _number(finalized["number"]))
    except (httpx.HTTPError, httpx.InvalidURL):
        return NodeAnswer(shown(url), problem="node.unreachable")
    except (_RefusedError, ValueError, KeyError, TypeError, RecursionError):
        return NodeAnswer(shown(url), problem="node.unreadable")


class NodeContract:
    """The contract at an address, as one node has it, all at one block; raises `Unavailable` (`node.…`)."""

    def __init__(self, url: str, address: bytes, chain_id: int | None = None) -> None:
        """Ask which block is the newest: behind one URL may be several nodes, and one that lags must not be heard.

        `chain_id` is the chain that it must be, where that is known (`chain.other_chain`).
        """
        import httpx  # noqa: PLC0415 - only `--rpc` needs a network

        self._url = url
        self._to = to_hex(address)
        self._client = httpx.Client(timeout=_TIMEOUT)
        try:
            self._open(chain_id)
        except Unavailable:
            self._client.close()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def head(self) -> tuple[int, bytes]:
        """Return (size, root) of the newest head; size 0 before the first."""
        with self._translated():
            size, root, _ = self._ask("head()", b"", 3)
            return _uint64(size), bytes.fromhex(root)

    def head_of(self, root: bytes) -> Head | None:
        """Return the head with that root, if the contract holds it."""
        with self._translated():
            head = Head(*(_uint64(word) for word in self._ask("headOf(bytes32)", root, 4)))
        return head if head.size else None

    def _open(self, chain_id: int | None) -> None:
        with self._translated():
            self.chain_id = _number(_call(self._client, self._url, "eth_chainId"))
            self._block = hex(_number(_call(self._client, self._url, "eth_blockNumber")))
            code = _call(self._client, self._url, "eth_getCode", self._to, self._block)
        if chain_id not in (None, self.chain_id):
            raise Unavailable("chain.other_chain", expected=chain_id or 0, actual=self.chain_id)
        if code in (None, "0x"):
            address = to_checksum(bytes.fromhex(self._to[2:]))
            raise Unavailable("node.no_contract", url=shown(self._url), address=address, chain_id=self.chain_id)

    def _ask(self, signature: str, argument: bytes, words: int) -> list[str]:
        data = to_hex(keccak256(signature.encode())[:4] + argument)
        answer = _call(self._client, self._url, "eth_call", {"to": self._to, "data": data}, self._block)
        if not isinstance(answer, str) or len(answer) != 2 + words * _WORD:
            raise TypeError(signature)
        return [answer[at : at + _WORD] for at in range(2, len(answer), _WORD)]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import httpx  # noqa: PLC0415 - only `--rpc` needs a network

        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable("node.unreachable", url=shown(self._url)) from error
        except (_RefusedError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unavailable("node.unreadable", url=shown(self._url)) from error


def _uint64(word: str) -> int:
    value = int(word, 16)
    if value >= _LARGEST:
        raise ValueError(word)
    return value


def _call(client: httpx.Client, url: str, method: str, *parameters: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    content = bytearray()
    with client.stream("POST", url, json=body, headers={"Accept-Encoding": "identity"}) as response:
        for chunk in response.raise_for_status().iter_raw():
            content += chunk
            if len(content) > _MAXIMUM_ANSWER:
                raise ValueError(method)
    answer = json.loads(content)
    if not isinstance(answer, dict):
        raise TypeError(method)
    if "error" in answer:
        raise _RefusedError(method)
    return answer["result"]


def _number(value: str) -> int:
    if len(value) > _LONGEST_NUMBER:
        raise ValueError(value[:_LONGEST_NUMBER])
    return int(value, 16)
