"""C2SP tlog-tiles v0.1: the tree as stored rows of 256 hashes, from which every root and proof is computed.

A stored row (level, index) only grows. A smaller tree has the first `tile_width` hashes of it, so the partial tiles and
proofs of every earlier tree can be made from the present rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from deedlog.anchor import merkle
from deedlog.anchor.merkle import HASH_SIZE, MAXIMUM_SIZE, node_hash
from deedlog.registry.errors import InvalidData

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    ReadTile = Callable[[int, int], bytes]
    """(level, index) → the hashes stored in that row, 32 bytes each; empty if the row is not stored."""

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAXIMUM_LEVEL = 63
MAXIMUM_INDEX = MAXIMUM_SIZE >> TILE_HEIGHT
"""The last tile of level 0 in the largest tree. The specification sets no limit."""

MAXIMUM_ENTRY = 65_535
"""In bytes. The length before an entry is a uint16."""

SHARED_ROWS = 256
"""How many rows have their nodes cached, 16 KiB each.

Enough for a log of 16 million entries, in which a proof then hashes one row instead of two or three.
"""


class TileError(InvalidData):
    """A path, a tile or an entry bundle does not conform to C2SP tlog-tiles."""


@dataclass(frozen=True, slots=True)
class TilePath:
    """The path of a tile (level 0 to 63) or of an entry bundle (level None), relative to the log's prefix.

    `width` is the number of hashes or entries: 1 to 256.
    """

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        """Raise `TileError` (`tile.path`) unless the members are in range."""
        level = 0 if self.level is None else self.level
        if not (0 <= level <= MAXIMUM_LEVEL and 0 <= self.index <= MAXIMUM_INDEX and 1 <= self.width <= TILE_WIDTH):
            raise TileError("tile.path")

    def __str__(self) -> str:
        """Return the path as text, such as `tile/0/x001/x234/067.p/5`."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<groups>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


def parse_path(text: str) -> TilePath:
    """Parse a path relative to the log's prefix. Raises `TileError` (`tile.path`)."""
    match = _PATH.fullmatch(text)
    if match is None:
        raise TileError("tile.path")
    level = None if match["level"] == "entries" else int(match["level"])
    width = TILE_WIDTH if match["width"] is None else int(match["width"])
    path = TilePath(level, int(match["groups"].replace("/", "").replace("x", "")), width)
    if str(path) != text:  # a tile has only one path: no leading `x000`, no `.p/256`
        raise TileError("tile.path")
    return path


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes the tile (level, index) has in a tree of `size`: 0 (no such tile) to 256."""
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH))


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: 1 to 256 entries, each preceded by its length as a big-endian uint16.

    Raises `TileError`: `tile.entries`, `tile.entry_too_large`.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise TileError("tile.entries")
    for entry in entries:
        if len(entry) > MAXIMUM_ENTRY:
            raise TileError("tile.entry_too_large", maximum=MAXIMUM_ENTRY)
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def decode_entries(data: bytes) -> list[bytes]:
    """Return the 1 to 256 entries of an entry bundle. Raises `TileError` (`tile.entries`)."""
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        end = start + int.from_bytes(data[position:start], "big")
        if end > len(data) or start > len(data) or len(entries) == TILE_WIDTH:
            raise TileError("tile.entries")
        entries.append(data[start:end])
        position = end
    if not entries:
        raise TileError("tile.entries")
    return entries


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of appending leaves: the changed rows, whole, by (level, index), and the tree's new size and root."""

    tiles: dict[tuple[int, int], bytes]
    size: int
    root: bytes


def append(read_tile: ReadTile, size: int, leaf_hashes: Sequence[bytes]) -> Appended:
    """Append leaf hashes to the tree of `size`, whose rows `read_tile` reads. Return what changes; nothing is stored.

    Hashes in a row beyond `size` are ignored and overwritten, so leftovers of a failed writer do no harm. Raises
    `InvalidData` (`merkle.hash_length`, `merkle.integer`), or `TileError` (`tile.too_short`) if a row has fewer hashes
    than `size` requires.
    """
    if any(len(leaf_hash) != HASH_SIZE for leaf_hash in leaf_hashes):
        raise InvalidData("merkle.hash_length", expected=HASH_SIZE)
    merkle.require_size(size, "size")
    new_size = size + len(leaf_hashes)
    merkle.require_size(new_size, "size")
    tiles: dict[tuple[int, int], bytes] = {}
    level, start, hashes = 0, size, list(leaf_hashes)
    while hashes:
        full = []
        position = 0
        while position < len(hashes):
            index, width = divmod(start + position, TILE_WIDTH)
            take = min(TILE_WIDTH - width, len(hashes) - position)
            before = _cut(read_tile(level, index), width) if width else b""
            row = before + b"".join(hashes[position : position + take])
            tiles[level, index] = row
            if width + take == TILE_WIDTH:  # "MUST NOT be hashed into a tile at the level above" while partial
                full.append(merkle.perfect_nodes(row)[-1])
            position += take
        level, start, hashes = level + 1, start // TILE_WIDTH, full

    def read_new(at: int, index: int) -> bytes:
        row = tiles.get((at, index))
        return read_tile(at, index) if row is None else row

    return Appended(tiles, new_size, root(read_new, new_size))


def root(read_tile: ReadTile, size: int) -> bytes:
    """Return the root of the first `size` leaves. Raises `InvalidData` (`merkle.integer`, `tile.too_short`)."""
    merkle.require_size(size, "size")
    return merkle.EMPTY_ROOT if size == 0 else _Subtrees(read_tile, size).root(0, size)


def root_from_leaves(read_tile: ReadTile, size: int) -> bytes:
    """Return the root of exactly `size` leaf hashes, recomputed from the rows of level 0 alone.

    Reads one row at a time. Raises `TileError` (`tile.too_short`) if there are fewer leaf hashes.
    """
    merkle.require_size(size, "size")
    tile_count = -(-size // TILE_WIDTH)
    rows = (_cut(read_tile(0, index), tile_width(0, index, size)) for index in range(tile_count))
    return merkle.root_from_subtrees(_root_of_row(row) for row in rows)


def inclusion_proof(read_tile: ReadTile, index: int, size: int) -> list[bytes]:
    """Return the inclusion proof of leaf `index` in the tree of the first `size` leaves, from the leaf's sibling up.

    Raises `InvalidData`: `merkle.index`, `merkle.integer`, `tile.too_short`.
    """
    subtrees = _Subtrees(read_tile, size)
    return [subtrees.root(start, end) for start, end in merkle.inclusion_ranges(index, size)]


def consistency_proof(read_tile: ReadTile, old: int, new: int) -> list[bytes]:
    """Return the consistency proof from the tree of the first `old` leaves to the tree of the first `new` leaves.

    Raises `InvalidData`: `merkle.sizes`, `merkle.integer`, `tile.too_short`.
    """
    subtrees = _Subtrees(read_tile, new)
    return [subtrees.root(start, end) for start, end in merkle.consistency_ranges(old, new)]


class _Subtrees:
    """Computes roots of subtrees of one tree. Reads each row once, and only the hashes that belong to that tree."""

    def __init__(self, read_tile: ReadTile, size: int) -> None:
        self._read_tile = read_tile
        self._size = size
        self._nodes: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def root(self, start: int, end: int) -> bytes:
        """Return the root of the leaves [start, end), which are a perfect subtree or one at the tree's right edge."""
        count = end - start
        if count & (count - 1) == 0:
            return self._perfect(start, count)
        split = 1 << count.bit_length() - 1
        return node_hash(self._perfect(start, split), self.root(start + split, end))

    def _perfect(self, start: int, count: int) -> bytes:
        """Return the root of the perfect subtree of `count` = 2^h leaves at `start`. Needs only one row."""
        level, height = divmod(count.bit_length() - 1, TILE_HEIGHT)
        index, offset = divmod(start >> TILE_HEIGHT * level, TILE_WIDTH)
        first = (offset >> height) * HASH_SIZE
        return self._nodes_of(level, index)[height][first : first + HASH_SIZE]

    def _nodes_of(self, level: int, index: int) -> tuple[bytes, ...]:
        nodes = self._nodes.get((level, index))
        if nodes is None:
            width = tile_width(level, index, self._size)
            row = _cut(self._read_tile(level, index), width)
            shared = level > 0 or width < TILE_WIDTH
            nodes = _shared_nodes(row) if shared else merkle.perfect_nodes(row)
            self._nodes[level, index] = nodes
        return nodes


@lru_cache(SHARED_ROWS)
def _shared_nodes(row: bytes) -> tuple[bytes, ...]:
    """Return the nodes of a row, cached. For the rows that many proofs share: all except the full ones of level 0."""
    return merkle.perfect_nodes(row)


def _root_of_row(row: bytes) -> bytes:
    if len(row) == TILE_WIDTH * HASH_SIZE:
        return merkle.perfect_nodes(row)[-1]
    return merkle.root_from_leaf_hashes([row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE)])


def _cut(row: bytes, width: int) -> bytes:
    if len(row) < width * HASH_SIZE:
        raise TileError("tile.too_short", expected=width, actual=len(row) // HASH_SIZE)
    return row[: width * HASH_SIZE]
