"""Reads blocks and the contract from RPC nodes, for `verify --rpc`, `audit --rpc` and `fsck`.

The answers come without proofs, so a caller that uses them trusts the node.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from deedlog.anchor.evm.identity import Head
from deedlog.anchor.rpc import json_rpc
from deedlog.anchor.rpc.redaction import shown
from deedlog.anchor.verify.pins import NodeAnswer
from deedlog.registry.errors import Unavailable
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

_LARGEST = 2**64
_HEADERS_ONLY = False


def ask(url: str, numbers: Sequence[int], seconds: float | None = None) -> NodeAnswer:
    """Ask the node at `url` for its chain, the hashes of the blocks with these numbers, and its finalized block.

    `seconds` is the total time of each request (default: `json_rpc.TIMEOUT`). Does not raise for a node that fails: the
    answer's `problem` has the code.
    """
    asked = json_rpc.Node(url, seconds)
    try:
        chain_id = json_rpc.number(asked.request("eth_chainId"), _LARGEST)
        blocks = {}
        for number in numbers:
            block = asked.request("eth_getBlockByNumber", hex(number), _HEADERS_ONLY)
            if block is not None:
                blocks[number] = json_rpc.block_hash(block)
        return NodeAnswer(shown(url), chain_id, blocks, _finalized(asked))
    except json_rpc.UnreachableError as error:
        return NodeAnswer(shown(url), problem=error.problem)
    except json_rpc.NodeError:
        return NodeAnswer(shown(url), problem="node.unreadable")
    finally:
        asked.close()


def _finalized(asked: json_rpc.Node) -> int | None:
    try:
        block = asked.request("eth_getBlockByNumber", "finalized", _HEADERS_ONLY)
    except json_rpc.RefusedError:  # a chain without the finalized tag
        return None
    return None if block is None else json_rpc.number(json_rpc.member(block, "number"), _LARGEST)


class NodeContract:
    """The contract at an address, read from one node at one block.

    Methods raise `Unavailable` (`node.…`).
    """

    def __init__(self, url: str, address: bytes, chain_id: int | None = None, seconds: float | None = None) -> None:
        """Ask for the newest block. All later requests name it: if one URL reaches several nodes, one that lags fails.

        `chain_id` is the chain that it must be (None: any). `seconds` is the total time of each request (default:
        `json_rpc.TIMEOUT`). Raises `Unavailable`: `node.…`, `chain.other_chain`.
        """
        self._url = url
        self._to = to_hex(address)
        self._node = json_rpc.Node(url, seconds)
        try:
            self._open(chain_id)
        except Unavailable:
            self._node.close()
            raise

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._node.close()

    def head(self) -> tuple[int, bytes]:
        """Return (size, root) of the contract's newest head; size 0 before the first."""
        with self._translated():
            size, root, _ = self._ask("head()", b"", 3)
            return json_rpc.uint64(size), root

    def head_of(self, root: bytes) -> Head | None:
        """Return the head with that root; None if the contract does not have it."""
        with self._translated():
            head = Head(*(json_rpc.uint64(word) for word in self._ask("headOf(bytes32)", root, 4)))
        return head if head.size else None

    def _open(self, chain_id: int | None) -> None:
        with self._translated():
            self.chain_id = json_rpc.number(self._node.request("eth_chainId"), _LARGEST)
            self._block = hex(json_rpc.number(self._node.request("eth_blockNumber"), _LARGEST))
            code = self._node.request("eth_getCode", self._to, self._block)
        if chain_id not in (None, self.chain_id):
            raise Unavailable("chain.other_chain", expected=chain_id or 0, actual=self.chain_id)
        if code in (None, "0x"):
            address = to_checksum(bytes.fromhex(self._to[2:]))
            raise Unavailable("node.no_contract", url=shown(self._url), address=address, chain_id=self.chain_id)

    def _ask(self, signature: str, argument: bytes, count: int) -> list[bytes]:
        data = to_hex(keccak256(signature.encode())[:4] + argument)
        return json_rpc.words(self._node.request("eth_call", {"to": self._to, "data": data}, self._block), count)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except json_rpc.UnreachableError as error:
            raise Unavailable(error.problem, url=shown(self._url)) from error
        except json_rpc.NodeError as error:
            raise Unavailable("node.unreadable", url=shown(self._url)) from error
