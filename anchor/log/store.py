"""SQL of the log: its committed head, its checkpoints and its tiles.

Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from deedlog.anchor import merkle
from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.tlog import tiles
from deedlog.registry.errors import Unavailable
from deedlog.registry.store import statements as store
from deedlog.registry.store.tables import CHECKPOINT, LOG, TILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from sqlalchemy import Connection, Executable

    from deedlog.anchor.tlog.tiles import ReadTile
    from deedlog.registry.store.database import Transactions


def _write_tile(dialect: ModuleType) -> Executable:
    statement = dialect.insert(TILE)
    written: Executable = statement.on_conflict_do_update(
        index_elements=[TILE.c.level, TILE.c.tile_index], set_={"hashes": statement.excluded.hashes}
    )
    return written


# Build SQL statements once: building one takes longer than running it.
_READ_TILE = select(TILE.c.hashes).where(TILE.c.level == bindparam("level"), TILE.c.tile_index == bindparam("index"))


_WRITE_TILE = {"sqlite": _write_tile(sqlite), "postgresql": _write_tile(postgresql)}


@dataclass(frozen=True, slots=True)
class LogState:
    """The committed head of the log, and the time of its last entry (Unix seconds)."""

    size: int
    root: bytes
    time: int


def identity_of(database: Transactions) -> RegistryIdentity:
    """Return the identity of the registry whose log this database holds; raise `Unavailable` (`log.missing`)."""
    with database.read() as connection:
        text = connection.execute(select(LOG.c.identity)).scalar()
    if text is None:
        raise Unavailable("log.missing")
    return RegistryIdentity.from_json(json.loads(text), contracts())


def state(connection: Connection) -> LogState:
    """Return the committed head of the log. Raises `Unavailable` (`log.missing`)."""
    row = connection.execute(select(LOG.c.size, LOG.c.root, LOG.c.time)).first()
    if row is None:
        raise Unavailable("log.missing")
    return LogState(row.size, row.root, row.time)


def newest_checkpoint(connection: Connection) -> bytes:
    """Return the note of the newest checkpoint. Raises `Unavailable` (`log.missing`)."""
    note: bytes | None = connection.execute(
        select(CHECKPOINT.c.note).order_by(CHECKPOINT.c.size.desc()).limit(1)
    ).scalar()
    if note is None:
        raise Unavailable("log.missing")
    return note


def newest_signed_at(connection: Connection) -> int:
    """Return when the newest checkpoint was signed (Unix seconds). Raises `Unavailable` (`log.missing`)."""
    signed_at: int | None = connection.execute(
        select(CHECKPOINT.c.signed_at).order_by(CHECKPOINT.c.size.desc()).limit(1)
    ).scalar()
    if signed_at is None:
        raise Unavailable("log.missing")
    return signed_at


def checkpoint_of_size(connection: Connection, size: int) -> tuple[bytes, bytes] | None:
    """Return (root, note) of the checkpoint of that size; None if none was signed."""
    row = connection.execute(select(CHECKPOINT.c.root, CHECKPOINT.c.note).where(CHECKPOINT.c.size == size)).first()
    return None if row is None else (row.root, row.note)


def tile_reader(connection: Connection) -> ReadTile:
    """Return a function that reads stored tiles: (level, index) → hashes, empty if the tile is not stored."""

    def read(level: int, index: int) -> bytes:
        hashes: bytes | None = connection.execute(_READ_TILE, {"level": level, "index": index}).scalar()
        return hashes or b""

    return read


def resource(connection: Connection, path: tiles.TilePath) -> bytes | None:
    """Return the bytes of a tile or an entry bundle; None if the committed head does not cover it.

    Raises `Unavailable`: `log.missing`, `log.entries_missing`.
    """
    size = state(connection).size
    level = path.level or 0
    if path.width > tiles.tile_width(level, path.index, size):
        return None
    if path.level is None:
        start = path.index * tiles.TILE_WIDTH
        found = store.entries_between(connection, start, start + path.width)
        if len(found) != path.width:
            raise Unavailable("log.entries_missing", path=str(path))
        return tiles.encode_entries(found)
    return tile_reader(connection)(level, path.index)[: path.width * merkle.HASH_SIZE]


def write_tiles(connection: Connection, rows: Mapping[tuple[int, int], bytes]) -> None:
    """Store tiles as `tiles.append` returns them, replacing stored ones."""
    connection.execute(
        _WRITE_TILE[connection.dialect.name],
        [{"level": level, "tile_index": index, "hashes": hashes} for (level, index), hashes in rows.items()],
    )
