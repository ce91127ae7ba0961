"""The Merkle tree of RFC 6962 and RFC 9162 §2.1 over SHA-256: hashes, proofs from leaf hashes, verification of proofs.

A root does not bind the size of its tree: a proof for (index, size) may also hold for another pair under the same root.
So take size and root together from a signed checkpoint or from the contract, never from an unsigned field.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData, VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HASH_SIZE = 32
PAIR_SIZE = 2 * HASH_SIZE
MAXIMUM_SIZE = 2**64 - 1
"""Tree sizes are uint64, here and in the contract."""

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
        # An odd last node has no sibling and moves up unchanged.
        odd = level[-1:] if len(level) & 1 else []
        nodes = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes, nodes, strict=False)] + odd
    return level[0]


def perfect_nodes(row: bytes) -> tuple[bytes, ...]:
    """Return the roots of all perfect subtrees over the hashes in `row`: one item for each height, joined as in `row`.

    The first item is `row` itself. An odd last node has no parent here. For 2^n hashes, the last item is their root.
    """
    heights = [row]
    while len(row) >= PAIR_SIZE:
        ends = range(PAIR_SIZE, len(row) + 1, PAIR_SIZE)
        row = b"".join([sha256(b"\x01" + row[end - PAIR_SIZE : end]).digest() for end in ends])
        heights.append(row)
    return tuple(heights)


def root_from_subtrees(roots: Iterable[bytes]) -> bytes:
    """Return the root of a tree from the roots of its subtrees of one height. The last subtree may be smaller.

    Takes one pass, and holds no more hashes in memory than the tree has levels. Works because k is a power of two (RFC
    9162 §2.1.1), so every subtree except those on the right edge is perfect.
    """
    waiting: list[bytes] = []
    for position, subtree in enumerate(roots):
        node, rest = subtree, position
        while rest & 1:  # each 1 bit means that a left sibling is waiting
            node = node_hash(waiting.pop(), node)
            rest >>= 1
        waiting.append(node)
    if not waiting:
        return EMPTY_ROOT
    root = waiting.pop()
    while waiting:
        root = node_hash(waiting.pop(), root)
    return root


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the leaf ranges [start, end) whose roots are the inclusion proof of `index` in a tree of `size`.

    In order from the leaf's sibling up (RFC 9162 §2.1.3.1). Raises `InvalidData` (`merkle.index`) unless
    0 ≤ index < size, and (`merkle.integer`) unless both are uint64.
    """
    require_size(index, "index")
    require_size(size, "size")
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

    RFC 9162 §2.1.4.1. Equal sizes need no nodes. Raises `InvalidData` (`merkle.sizes`) unless 0 < old ≤ new, and
    (`merkle.integer`) unless both are uint64.
    """
    require_size(old, "old")
    require_size(new, "new")
    if not 0 < old <= new:
        raise InvalidData("merkle.sizes", old=old, new=new)
    ranges = []
    start, end = 0, new
    whole = True  # b of SUBPROOF: [start, end) is the whole old tree, whose root the verifier already has
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
    """Return the inclusion proof of leaf `index` in the tree of the first `size` leaf hashes.

    Raises `InvalidData` as `inclusion_ranges` does, and (`merkle.size_beyond_tree`) if there are fewer leaves.
    """
    ranges = inclusion_ranges(index, size)
    _within(size, leaf_hashes)
    return [root_from_leaf_hashes(leaf_hashes[start:end]) for start, end in ranges]


def consistency_proof(leaf_hashes: Sequence[bytes], old: int, new: int) -> list[bytes]:
    """Return the consistency proof from the tree of the first `old` to that of the first `new` leaf hashes.

    Raises `InvalidData` as `consistency_ranges` does, and (`merkle.size_beyond_tree`) if there are fewer leaves.
    """
    ranges = consistency_ranges(old, new)
    _within(new, leaf_hashes)
    return [root_from_leaf_hashes(leaf_hashes[start:end]) for start, end in ranges]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `VerificationError` (`merkle.…`) unless `proof` shows `leaf_hash` at `index` of the tree (size, root).

    RFC 9162 §2.1.3.2. `index` and `size` are integers with 0 ≤ index < size < 2^64. Every hash has 32 bytes. `proof`
    goes from the leaf's sibling up, without extra nodes. Size and root must come together from one trusted source.
    """
    _sizes(index, size)
    # Step 1: the index is in the tree.
    if index >= size:
        raise VerificationError("merkle.index", index=index, size=size)
    # Step 4a and "sn is 0" of step 5, done before hashing: the proof has exactly the right number of nodes.
    _length(proof, _inclusion_length(index, size))
    _hashes(leaf_hash, root, *proof)
    # Steps 2, 3.
    fn, sn = index, size - 1
    r = leaf_hash
    # Step 4.
    for p in proof:
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
    if r != root:
        raise VerificationError("merkle.root_mismatch")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `VerificationError` unless `proof` shows that the tree (new_size, new_root) extends (old_size, old_root).

    RFC 9162 §2.1.4.2, which is valid only for 0 < old_size < new_size, with the checks that it leaves to the caller:
    equal sizes require equal roots and no nodes; a smaller new size and an old size of 0 are refused.
    """
    _sizes(old_size, new_size)
    if not 0 < old_size <= new_size:
        raise VerificationError("merkle.sizes", old=old_size, new=new_size)
    # Steps 1 and 6a and "sn is 0" of step 7, done before hashing: the proof has exactly the right number of nodes.
    _length(proof, _consistency_length(old_size, new_size))
    _hashes(old_root, new_root, *proof)
    if old_size == new_size:
        if old_root != new_root:
            raise VerificationError("merkle.root_mismatch")
        return
    _verify_growth(old_size, old_root, new_size, new_root, proof)


def _verify_growth(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Do RFC 9162 §2.1.4.2, for 0 < old_size < new_size and a proof of the right length."""
    # Step 2: if the old tree is perfect, its root is the first node.
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
    if fr != old_root or sr != new_root:
        raise VerificationError("merkle.root_mismatch")


def _split(count: int) -> int:
    """Return the largest power of two smaller than `count` (RFC 9162 §2.1.1: k)."""
    return 1 << (count - 1).bit_length() - 1


def _inclusion_length(index: int, size: int) -> int:
    """Return how many nodes the inclusion proof of `index` has in a tree of `size`, for 0 ≤ index < size.

    There is one node on each level below the lowest common ancestor of the leaf and the last leaf. Above it, the path
    follows the tree's right edge, where a node has a sibling only if it is a right child.
    """
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def _consistency_length(old: int, new: int) -> int:
    """Return how many nodes the consistency proof has, for 0 < old ≤ new."""
    if old == new:
        return 0
    # The proof is the root of the old tree's last perfect subtree, followed by the inclusion proof of that subtree on
    # its own level. The root is left out if it is the old tree's root.
    level = (old & -old).bit_length() - 1
    length = _inclusion_length((old - 1) >> level, ((new - 1) >> level) + 1)
    return length if old & (old - 1) == 0 else length + 1


def require_size(value: object, name: str) -> None:
    """Raise `InvalidData` (`merkle.integer`) naming the field `name` unless `value` is an integer, 0 to 2^64 - 1."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAXIMUM_SIZE:
        raise InvalidData("merkle.integer", field=name)


def _within(size: int, leaf_hashes: Sequence[bytes]) -> None:
    if size > len(leaf_hashes):
        raise InvalidData("merkle.size_beyond_tree", size=size, leaves=len(leaf_hashes))


def _sizes(*sizes: object) -> None:
    for value in sizes:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAXIMUM_SIZE:
            raise VerificationError("merkle.integer")


def _length(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise VerificationError("merkle.proof_length", nodes=len(proof), expected=expected)


def _hashes(*hashes: object) -> None:
    for value in hashes:
        if not isinstance(value, bytes) or len(value) != HASH_SIZE:
            raise VerificationError("merkle.hash_length", expected=HASH_SIZE)
