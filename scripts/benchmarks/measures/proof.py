"""An inclusion proof from the database: a log of a million entries against one of ten thousand."""

from __future__ import annotations

import random
import statistics
from hashlib import sha256
from typing import TYPE_CHECKING

from benchmarks.figure import Figure
from benchmarks.place import data_folder
from benchmarks.timing import seconds
from deedlog.anchor import merkle
from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog import tiles
from deedlog.registry.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL, LARGE = 10_000, 1_000_000
STEP = 50_000
ROUNDS, PROOFS = 7, 1000


def measure() -> Iterator[Figure]:
    """Prove random indices, each in a new read. The figure is the median over rounds of the round's 99th percentile."""
    with data_folder() as folder:
        databases = [
            (size, _filled(Database(f"sqlite:///{folder / str(size)}.sqlite"), size)) for size in (SMALL, LARGE)
        ]
        rounds = [[_p99(database, size) for size, database in databases] for _ in range(ROUNDS + 1)][1:]
        for _, database in databases:
            database.close()
    small, large = (statistics.median(times) for times in zip(*rounds, strict=True))
    yield Figure("proof", large * 1e3, "ms (p99)", "a log of 10,000", small * 1e3, "after a first round, not counted")


def _leaf_hash(index: int) -> bytes:
    return sha256(b"entry %d" % index).digest()


def _filled(database: Database, size: int) -> Database:
    """Write the rows of a log as appending does, but without entries: a proof needs only hashes."""
    database.migrate()
    for start in range(0, size, STEP):
        hashes = [_leaf_hash(index) for index in range(start, min(start + STEP, size))]
        with database.write() as connection:
            log_store.write_tiles(connection, tiles.append(log_store.tile_reader(connection), start, hashes).tiles)
    with database.read() as connection:
        read_tile = log_store.tile_reader(connection)
        proof = tiles.inclusion_proof(read_tile, size // 3, size)
        merkle.verify_inclusion(_leaf_hash(size // 3), size // 3, size, proof, tiles.root(read_tile, size))
    return database


def _p99(database: Database, size: int) -> float:
    def prove() -> None:
        with database.read() as connection:
            tiles.inclusion_proof(log_store.tile_reader(connection), random.randrange(size), size)  # noqa: S311 - not a secret

    return statistics.quantiles([seconds(prove) for _ in range(PROOFS)], n=100)[-1]
