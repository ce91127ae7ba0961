"""The log's trees and tiles as the specifications define them, slowly and by recursion: what ours is compared with.

Nothing of the project runs here: RFC 6962 §2.1, C2SP tlog-tiles, and draft-ietf-plants-merkle-tree-certs.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EMPTY = hashlib.sha256(b"").digest()
WIDTH = 256

# The leaves that RFC 6962's first implementation was tested with, and that implementations have quoted ever since.
CLASSIC = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CLASSIC_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

ACCUMULATED = 130
"""draft-ietf-plants-merkle-tree-certs, "Subtree Test Vectors": leaf i is the byte i, all trees up to this size."""

SUBTREES = "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"
SUBTREE_INCLUSION = "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"
SUBTREE_CONSISTENCY = "10fa99b37bf9bf9ffa26b412fbd98bd75363256d0b75d61bc4538b9c9c5a0a74"


def to_hex(data: bytes) -> str:
    """Return hex as everywhere at Deedlog's edges."""
    return "0x" + data.hex()


def hexes(items: Sequence[bytes]) -> list[str]:
    """Return the hex of each."""
    return [to_hex(item) for item in items]


def leaf(entry: bytes) -> bytes:
    """Return MTH({d(0)})."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def largest_power_below(count: int) -> int:
    """Return RFC 6962's k: the largest power of two smaller than `count`."""
    k = 1
    while 2 * k < count:
        k *= 2
    return k


class Tree:
    """RFC 6962 §2.1, as it is written there: MTH, PATH and PROOF, each by its own recursion."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        """Take the leaf hashes."""
        self.leaf_hashes = leaf_hashes
        self.mth: Callable[[int, int], bytes] = cache(self._mth)

    def _mth(self, start: int, end: int) -> bytes:
        """MTH(D[start:end])."""
        if start == end:
            return EMPTY
        if end - start == 1:
            return self.leaf_hashes[start]
        k = largest_power_below(end - start)
        return node(self.mth(start, start + k), self.mth(start + k, end))

    def root(self, size: int) -> bytes:
        """MTH(D[0:size])."""
        return self.mth(0, size)

    def path(self, m: int, start: int, end: int) -> list[bytes]:
        """PATH(m, D[start:end]), §2.1.1."""
        if end - start == 1:
            return []
        k = largest_power_below(end - start)
        if m < k:
            return [*self.path(m, start, start + k), self.mth(start + k, end)]
        return [*self.path(m - k, start + k, end), self.mth(start, start + k)]

    def proof(self, m: int, size: int) -> list[bytes]:
        """PROOF(m, D[0:size]), §2.1.2."""
        return self._subproof(m, 0, size, known=True)

    def _subproof(self, m: int, start: int, end: int, *, known: bool) -> list[bytes]:
        if m == end - start:
            return [] if known else [self.mth(start, end)]
        k = largest_power_below(end - start)
        if m <= k:
            return [*self._subproof(m, start, start + k, known=known), self.mth(start + k, end)]
        return [*self._subproof(m - k, start + k, end, known=False), self.mth(start, start + k)]


class SparseTree(Tree):
    """A tree of any size: every leaf is the same, but for a few. An honest proof of 2^63 leaves takes milliseconds."""

    COMMON = leaf(b"common")

    def __init__(self, others: Mapping[int, bytes]) -> None:
        """Take the leaf hashes that differ, by index."""
        super().__init__([])
        self.others = others

    def _mth(self, start: int, end: int) -> bytes:
        if not any(start <= index < end for index in self.others):
            return uniform(end - start)
        if end - start == 1:
            return self.others[start]
        return super()._mth(start, end)


@cache
def uniform(count: int) -> bytes:
    """Return the root of `count` ≥ 1 common leaves."""
    if count == 1:
        return SparseTree.COMMON
    k = largest_power_below(count)
    return node(uniform(k), uniform(count - k))


def subtrees(limit: int) -> Iterator[tuple[int, int]]:
    """Yield each (start, end) that is a subtree, "Definition of a Subtree", in the vectors' order."""
    for end in range(limit + 1):
        for start in range(end + 1):
            bit_ceil = 1
            while bit_ceil < end - start:
                bit_ceil *= 2
            if start % bit_ceil == 0:
                yield start, end


def subtree_proof(tree: Tree, start: int, end: int, offset: int, limit: int, *, known: bool) -> list[bytes]:
    """SUBTREE_SUBPROOF(start, end, D[offset:limit], known), "Generating a Subtree Consistency Proof"."""
    if start == end:
        return []
    if start == 0 and end == limit - offset:
        return [] if known else [tree.mth(offset, limit)]
    k = largest_power_below(limit - offset)
    left, right = tree.mth(offset, offset + k), tree.mth(offset + k, limit)
    if end <= k:
        return [*subtree_proof(tree, start, end, offset, offset + k, known=known), right]
    if k <= start:
        return [*subtree_proof(tree, start - k, end - k, offset + k, limit, known=known), left]
    return [*subtree_proof(tree, 0, end - k, offset + k, limit, known=False), left]


def accumulate(lines: Iterator[tuple[str, list[bytes]]]) -> str:
    """Return the rolling hash of the lines, each with its proof."""
    rolling = hashlib.sha256()
    for line, proof in lines:
        rolling.update("".join([line, *(f" {item.hex()}" for item in proof), "\n"]).encode())
    return rolling.hexdigest()


def accumulated() -> dict[str, str]:
    """Return the draft's three hashes, computed from the recursive definitions and equal to what it publishes."""
    tree = Tree([leaf(bytes([i])) for i in range(ACCUMULATED)])
    hashes = accumulate((f"[{start}, {end}) {tree.mth(start, end).hex()}", []) for start, end in subtrees(ACCUMULATED))
    inclusion = accumulate(
        (f"{index} [{start}, {end})", tree.path(index - start, start, end))
        for start, end in subtrees(ACCUMULATED)
        for index in range(start, end)
    )
    consistency = accumulate(
        (f"[{start}, {end}) {n}", subtree_proof(tree, start, end, 0, n, known=True))
        for n in range(ACCUMULATED + 1)
        for start, end in subtrees(n)
    )
    assert (hashes, inclusion, consistency) == (SUBTREES, SUBTREE_INCLUSION, SUBTREE_CONSISTENCY)
    return {"subtrees": hashes, "subtree_inclusion": inclusion, "subtree_consistency": consistency}


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many i from 0 to 255 have (n * 256 + i + 1) * 256^l ≤ size."""
    return sum((index * WIDTH + i + 1) * WIDTH**level <= size for i in range(WIDTH))


def tile(tree: Tree, level: int, index: int, size: int) -> bytes:
    """Return MTH(D[(n * 256 + i) * 256^l : (n * 256 + i + 1) * 256^l]) for each i that the tree reaches."""
    span = WIDTH**level
    first = index * WIDTH
    width = tile_width(level, index, size)
    return b"".join([tree.mth((first + i) * span, (first + i + 1) * span) for i in range(width)])


def tile_path(level: int | None, index: int, width: int) -> str:
    """Return the path: N in groups of three digits, all but the last after an x."""
    digits = str(index)
    digits = digits.rjust((len(digits) + 2) // 3 * 3, "0")
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "entries" if level is None else str(level)
    return f"tile/{name}/{'/'.join([*('x' + group for group in groups[:-1]), groups[-1]])}" + (
        f".p/{width}" if width < WIDTH else ""
    )


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Return uint16 length, entry, and so on."""
    return b"".join([bytes(divmod(len(entry), 256)) + entry for entry in entries])
