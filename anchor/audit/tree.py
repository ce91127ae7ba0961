"""The tree of an audited log: the order of reading, the rows rebuilt from entries, and the roots at smaller sizes.

Data is trusted only after its size is checked and it hashes to what was derived from the entries. Memory is bounded by
the height of the tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from deedlog.anchor import merkle
from deedlog.anchor.merkle import HASH_SIZE
from deedlog.anchor.tlog import tiles
from deedlog.anchor.tlog.tiles import TILE_HEIGHT, TILE_WIDTH, TilePath, tile_width
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.statements import entry as entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deedlog.anchor.tlog.checkpoint import Checkpoint

_CACHED_TILES = 256
"""How many tiles of 8 KiB are cached to compute roots of smaller sizes."""

_CACHED_BUNDLES = 4
"""How many entry bundles are cached to look up times: neighbouring heads share them."""


class Source(Protocol):
    """Where a log is read from.

    Methods raise `Unavailable` if the data cannot be read, `VerificationError` if it is missing or wrong.
    """

    def checkpoint(self) -> bytes:
        """Return the note of the newest checkpoint."""

    def read(self, path: TilePath) -> bytes:
        """Return the bytes of a tile or an entry bundle. May be called from another thread, but never concurrently."""


def paths(size: int) -> Iterator[TilePath]:
    """Yield every entry bundle and tile of a tree, in the order in which the audit reads them.

    Each bundle comes before its tile, each tile before the one above it, and partial tiles above level 0 last.
    """
    for index in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
        width = tile_width(0, index, size)
        yield TilePath(None, index, width)
        yield TilePath(0, index, width)
        level, count = 1, index + 1
        while width == TILE_WIDTH and count % TILE_WIDTH == 0:
            count //= TILE_WIDTH
            yield TilePath(level, count - 1)
            level += 1
    level = 1
    while size >> TILE_HEIGHT * level:
        index, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
        if width:
            yield TilePath(level, index, width)
        level += 1


class Rows:
    """The last row of hashes of each level, computed from the leaf hashes."""

    def __init__(self) -> None:
        """Start with the empty tree."""
        self._rows: list[list[bytes]] = []

    def append(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add the leaf hashes of the next entry bundle."""
        for leaf_hash in leaf_hashes:
            self._push(0, leaf_hash)

    def last(self, level: int) -> bytes:
        """Return the last row of a level, as joined hashes."""
        return b"".join(self._rows[level])

    def edge(self, size: int) -> dict[tuple[int, int], bytes]:
        """Return the last row of each level of a tree of `size`, by (level, index)."""
        return {
            (level, ((size >> TILE_HEIGHT * level) - 1) // TILE_WIDTH): self.last(level)
            for level in range(len(self._rows))
        }

    def _push(self, level: int, node: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        if len(row) == TILE_WIDTH:
            row.clear()
        row.append(node)
        if len(row) == TILE_WIDTH:
            self._push(level + 1, merkle.root_from_leaf_hashes(row))


@dataclass(frozen=True, slots=True)
class Edge:
    """The result of reading all entries: how many signatures, the last entry's time, the rows at the right edge.

    `time` is in Unix seconds.
    """

    signatures: int
    time: int
    rows: dict[tuple[int, int], bytes]


class AuditedLog:
    """A log whose entries have all been audited. Tiles read again for roots of smaller sizes are checked."""

    def __init__(self, source: Source, head: Checkpoint, edge: Edge) -> None:
        """Store the source, the checkpoint's head and the result of reading the entries."""
        self.head = head
        self.signatures = edge.signatures
        self.time = edge.time
        self._source = source
        self._rows = edge.rows
        self._bundle = lru_cache(_CACHED_BUNDLES)(self._checked_bundle)
        self._tile = lru_cache(_CACHED_TILES)(self._checked_tile)

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` entries.

        Raises `InvalidData` (`merkle.size_beyond_tree`), or `VerificationError` (`audit.tile_size`,
        `audit.tile_changed`) if a tile is no longer what it was.
        """
        if size > self.head.size:
            raise InvalidData("merkle.size_beyond_tree", size=size, leaves=self.head.size)
        return tiles.root(self._tile, size)

    def time_at(self, index: int) -> int:
        """Return the time (Unix seconds) of the entry at `index`, which is read again.

        Raises `VerificationError` (`audit.bundle`, `audit.tile_size`, `audit.tile_changed`).
        """
        number, place = divmod(index, TILE_WIDTH)
        return entries.parse(self._bundle(number)[place]).time

    def _checked_bundle(self, number: int) -> list[bytes]:
        """Read an entry bundle again and check it against the tile of its hashes."""
        path = TilePath(None, number, tile_width(0, number, self.head.size))
        bundle = bundle_of(path, self._source.read(path))
        if b"".join(map(merkle.leaf_hash, bundle)) != self._tile(0, number):
            raise VerificationError("audit.tile_changed", path=str(path))
        return bundle

    def _checked_tile(self, level: int, index: int) -> bytes:
        """Read a tile again and check it against the hash in its parent tile, up to the rows at the right edge."""
        row = self._rows.get((level, index))
        if row is not None:
            return row
        path = TilePath(level, index)
        row = sized(path, self._source.read(path))
        parent, place = divmod(index, TILE_WIDTH)
        above = self._tile(level + 1, parent)
        if (
            merkle.root_from_leaf_hashes([row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE)])
            != above[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        ):
            raise VerificationError("audit.tile_changed", path=str(path))
        return row


def bundle_of(path: TilePath, data: bytes) -> list[bytes]:
    """Return the entries of a bundle, as many as its path names; else raise `VerificationError` (`audit.bundle`)."""
    try:
        bundle = tiles.decode_entries(data)
    except InvalidData as error:
        raise VerificationError("audit.bundle", path=str(path), expected=path.width) from error
    if len(bundle) != path.width:
        raise VerificationError("audit.bundle", path=str(path), expected=path.width)
    return bundle


def sized(path: TilePath, row: bytes) -> bytes:
    """Return a tile if it has the size that its path names; else raise `VerificationError` (`audit.tile_size`)."""
    if len(row) != path.width * HASH_SIZE:
        raise VerificationError("audit.tile_size", path=str(path), expected=path.width * HASH_SIZE, actual=len(row))
    return row
