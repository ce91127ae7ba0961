"""The RFC 6962 / RFC 9162 §2.1 Merkle tree over SHA-256: hashes, proofs from leaf hashes, and their verification.

A root does not bind the size of its tree: a proof for (index, size) may also hold for another pair under the same root.
Take size and root together, from a signed checkpoint or from the contract, never from an unsigned field.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from registry.errors import InvalidData, VerificationError

if TYPE_CHECKING:
    from collections.abc import Sequence

HASH_SIZE = 32
MAXIMUM_SIZE = 2**64 - 1
"""A tree size is a uint64, in the contract as here."""

EMPTY_ROOT = sha256(b"").digest()
"""RFC 9162 §2.1.1: the root of the tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte hash of a leaf: SHA-256(0x00 ‖ entry) (RFC 9162 §2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 9162 §2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_from_leaf_hashes(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root of the tree with these leaf hashes (RFC 9162 §2.1.1), in linear time."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        # An odd last node has no sibling: it is a perfect subtree's root and rises as it is.
        odd = level[-1:] if len(level) % 2 else []
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)] + odd
    return level[0]


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the leaf ranges [start, end) whose roots are the inclusion proof of `index` in a tree of `size`.

    From the leaf's sibling up (RFC 9162 §2.1.3.1). Raises `InvalidData` (`merkle.index`) unless 0 ≤ index < size.
    """
    _integer(index, "index")
    _integer(size, "size")
    if index >= size:
        raise InvalidData("merkle.index", index=index, size=size)
    ranges = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Return the leaf ranges [start, end) whose roots are the consistency proof from size `old` to size `new`.

    RFC 9162 §2.1.4.1. Raises `InvalidData` (`merkle.sizes`) unless 0 < old ≤ new; equal sizes need no node.
    """
    _integer(old, "old")
    _integer(new, "new")
    if not 0 < old <= new:
        raise InvalidData("merkle.sizes", old=old, new=new)
    ranges = []
    start, end = 0, new
    whole = True  # SUBPROOF's b: the subtree [start, end) is a whole old tree, whose root the verifier has
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
            whole = False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Return the inclusion proof of leaf `index` in the tree of the first `size` of these leaf hashes."""
    _within(size, leaf_hashes)
    return [root_from_leaf_hashes(leaf_hashes[start:end]) for start, end in inclusion_ranges(index, size)]


def consistency_proof(leaf_hashes: Sequence[bytes], old: int, new: int) -> list[bytes]:
    """Return the consistency proof from the tree of the first `old` to that of the first `new` leaf hashes."""
    _within(new, leaf_hashes)
    return [root_from_leaf_hashes(leaf_hashes[start:end]) for start, end in consistency_ranges(old, new)]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `VerificationError` unless `proof` shows `leaf_hash` at `index` of the tree (size, root).

    RFC 9162 §2.1.3.2. `index` and `size` are integers with 0 ≤ index < size < 2^64; every hash has 32 bytes; `proof`
    goes from the leaf's sibling up and has no node to spare. Size and root must come from one trusted place.
    """
    _sizes(index, size)
    _hashes(leaf_hash, root, *proof)
    # Step 1: the index lies in the tree.
    if index >= size:
        raise VerificationError("merkle.index", index=index, size=size)
    # Steps 2, 3.
    fn, sn = index, size - 1
    r = leaf_hash
    # Step 4.
    for p in proof:
        if sn == 0:  # 4a: a node to spare
            raise VerificationError("merkle.proof_length", nodes=len(proof))
        if fn & 1 or fn == sn:  # 4b
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:  # 4c
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    # Step 5.
    if sn != 0:
        raise VerificationError("merkle.proof_length", nodes=len(proof))
    if r != root:
        raise VerificationError("merkle.root_mismatch")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `VerificationError` unless `proof` shows that the tree (new_size, new_root) extends (old_size, old_root).

    RFC 9162 §2.1.4.2, which is valid for 0 < old_size < new_size only, with the guards that it leaves to the caller:
    equal sizes need equal roots and no node; a smaller new size, and an old size of 0, are refused.
    """
    _sizes(old_size, new_size)
    _hashes(old_root, new_root, *proof)
    if not 0 < old_size <= new_size:
        raise VerificationError("merkle.sizes", old=old_size, new=new_size)
    if old_size == new_size:
        if proof:
            raise VerificationError("merkle.proof_length", nodes=len(proof))
        if old_root != new_root:
            raise VerificationError("merkle.root_mismatch")
        return
    _verify_growth(old_size, old_root, new_size, new_root, proof)


def _verify_growth(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 §2.1.4.2, for 0 < old_size < new_size."""
    # Step 1: an empty proof shows nothing.
    if not proof:
        raise VerificationError("merkle.proof_length", nodes=0)
    # Step 2: a perfect old tree is itself the first node.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    # Steps 3, 4.
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    # Step 5.
    fr = sr = path[0]
    # Step 6.
    for c in path[1:]:
        if sn == 0:  # 6a: a node to spare
            raise VerificationError("merkle.proof_length", nodes=len(proof))
        if fn & 1 or fn == sn:  # 6b
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:  # 6c
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    # Step 7.
    if sn != 0:
        raise VerificationError("merkle.proof_length", nodes=len(proof))
    if fr != old_root or sr != new_root:
        raise VerificationError("merkle.root_mismatch")


def _split(count: int) -> int:
    """Return the largest power of two smaller than `count` (RFC 9162 §2.1.1: k)."""
    return 1 << (count - 1).bit_length() - 1


def _integer(value: object, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAXIMUM_SIZE:
        raise InvalidData("merkle.integer", field=name)


def _within(size: int, leaf_hashes: Sequence[bytes]) -> None:
    if size > len(leaf_hashes):
        raise InvalidData("merkle.size_beyond_tree", size=size, leaves=len(leaf_hashes))


def _sizes(*sizes: object) -> None:
    for value in sizes:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAXIMUM_SIZE:
            raise VerificationError("merkle.integer")


def _hashes(*hashes: object) -> None:
    for value in hashes:
        if not isinstance(value, bytes) or len(value) != HASH_SIZE:
            raise VerificationError("merkle.hash_length", expected=HASH_SIZE)
