"""Merkle-Patricia proofs (Ethereum Yellow Paper, appendix D) as `eth_getProof` returns them: from the root down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.anchor.evm import rlp
from deedlog.registry.errors import VerificationError
from deedlog.registry.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

MAXIMUM_NODES = 65
"""A 32-byte key has 64 nibbles; a leaf may follow the last branch."""

EMPTY_NODE = b"\x80"
EMPTY_TRIE = keccak256(EMPTY_NODE)

_BRANCH_ITEMS = 17
_PATH_ITEMS = 2
_HASH_SIZE = 32


class AbsentError(VerificationError):
    """The proof holds and shows that the key has no value (`patricia.absent`)."""


def value_at(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes:
    """Return the value that the trie with `root` (32 bytes) has under `key`, which the caller has already hashed.

    Every node must be used, in order. Raises `AbsentError` if the proof shows that there is no value, and
    `VerificationError` (`patricia.…`, `rlp.…`) if the proof does not hold.
    """
    if len(nodes) > MAXIMUM_NODES:
        raise VerificationError("patricia.too_many_nodes", maximum=MAXIMUM_NODES)
    if root == EMPTY_TRIE and tuple(nodes) in ((), (EMPTY_NODE,)):
        # For an empty trie, go-ethereum returns no node; anvil and reth return the empty node.
        raise AbsentError("patricia.absent")
    path = [nibble for byte in key for nibble in (byte >> 4, byte & 15)]
    reference: rlp.Item = root
    used = 0
    done = False
    while not done:
        if isinstance(reference, list):
            # A node is embedded in its parent exactly if it is shorter than its hash (appendix D).
            if len(rlp.encode(reference)) >= _HASH_SIZE:
                raise VerificationError("patricia.malformed")
            node = reference
        else:
            node = _open(reference, nodes, used)
            used += 1
        reference, path, done = _step(node, path)
    if used != len(nodes):
        raise VerificationError("patricia.node_unused", nodes=len(nodes), used=used)
    if reference == b"":
        raise AbsentError("patricia.absent")
    if not isinstance(reference, bytes):
        raise VerificationError("patricia.malformed")
    return reference


def _open(reference: bytes, nodes: Sequence[bytes], used: int) -> list[rlp.Item]:
    if len(reference) != _HASH_SIZE:
        raise VerificationError("patricia.malformed")
    if used == len(nodes):
        raise VerificationError("patricia.node_missing", used=used)
    if keccak256(nodes[used]) != reference:
        raise VerificationError("patricia.node_mismatch", position=used)
    node = rlp.decode(nodes[used])
    if not isinstance(node, list) or (used and len(nodes[used]) < _HASH_SIZE):
        raise VerificationError("patricia.malformed")
    return node


def _step(node: list[rlp.Item], path: list[int]) -> tuple[rlp.Item, list[int], bool]:
    """Return the node's child or value, the remaining nibbles, and whether the walk ends here (value, or empty)."""
    if len(node) == _BRANCH_ITEMS:
        if not path:
            return node[-1], [], True
        child = node[path[0]]
        return child, path[1:], child == b""
    if len(node) != _PATH_ITEMS or not isinstance(node[0], bytes):
        raise VerificationError("patricia.malformed")
    is_leaf, shared = _hex_prefix(node[0])
    if is_leaf:
        if node[1] == b"":
            raise VerificationError("patricia.malformed")  # an empty value has no leaf
        return (node[1] if path == shared else b""), [], True
    if not shared:
        raise VerificationError("patricia.malformed")
    if path[: len(shared)] != shared:
        return b"", [], True
    return node[1], path[len(shared) :], False


def _hex_prefix(encoded: bytes) -> tuple[bool, list[int]]:
    """Return whether the path is a leaf's, and its nibbles (appendix C). Refuses non-canonical encodings."""
    if not encoded:
        raise VerificationError("patricia.malformed")
    flag, low = encoded[0] >> 4, encoded[0] & 15
    odd = flag & 1
    if flag > 3 or (not odd and low):  # noqa: PLR2004 - two flag bits: odd and leaf
        raise VerificationError("patricia.malformed")
    nibbles = [low] if odd else []
    for byte in encoded[1:]:
        nibbles += (byte >> 4, byte & 15)
    return flag >= 2, nibbles  # noqa: PLR2004 - see above
