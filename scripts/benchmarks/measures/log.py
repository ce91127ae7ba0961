"""Sequencing, from accepted statements to durable entries, tiles and a signed checkpoint; peer: pymerkle in memory."""

from __future__ import annotations

import json
import statistics
import sys
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from local_registry import LOCAL_CHAIN_ID
from pymerkle import InmemoryTree

from benchmarks.figure import Figure
from benchmarks.measures.statement import KEY, WORK
from benchmarks.place import data_folder
from benchmarks.timing import seconds
from deedlog.anchor.contract import current
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.signatures import sign
from deedlog.registry.store import insertion
from deedlog.registry.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCHES, ROUNDS = 100, 3
NOW = 1_795_460_000
LOG_KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"log key").digest())
IDENTITY = RegistryIdentity(
    contract=current(),
    salt=bytes(32),
    origin="deeds.example.com/log",
    log_key=LOG_KEY.public_key().public_bytes_raw(),
    owner=bytes([1] * 20),
    operator=bytes([2] * 20),
    chains=(LOCAL_CHAIN_ID,),  # `deedlog serve` refuses a chain that its registry does not list
)


def measure() -> Iterator[Figure]:
    """Both sides start empty and take the same entries. The whole time counts, and both must find the same root."""
    taken: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        with data_folder() as folder:
            database = Database(f"sqlite:///{folder / 'deedlog.sqlite'}")
            database.migrate()
            log.create(database, IDENTITY, LOG_KEY, NOW)
            whole = _accept(database)
            ours = seconds(lambda: _sequence_all(database))  # noqa: B023 - called at once
            with database.read() as connection:
                state = log_store.state(connection)
            database.close()
        tree = InmemoryTree(algorithm="sha256")
        theirs = seconds(lambda: tree.append_entries(whole))  # noqa: B023 - called at once
        if (state.size, state.root) != (len(whole), tree.get_root()):
            sys.exit("log: pymerkle finds another root")
        taken.append((ours, theirs))
    ours, theirs = (statistics.median(times) for times in zip(*taken, strict=True))
    yield Figure(
        "log",
        len(whole) / ours,
        "entries/s",
        "pymerkle in memory",
        len(whole) / theirs,
        f"{len(whole):,} entries of {len(whole[0])} bytes, SQLite with full fsync, {log.BATCH} a transaction",
    )


def _sequence_all(database: Database) -> None:
    while log.sequence(database, IDENTITY, LOG_KEY, NOW):
        pass


def _accept(database: Database) -> list[bytes]:
    """Store statements in the state in which accepting leaves them; return the entries that they will have."""
    signature = sign(bytes(32), KEY)
    accounts, subjects = [signature.account], WORK.subjects()
    body = json.dumps(WORK.message(), ensure_ascii=False, separators=(",", ":"))
    whole = []
    with database.write() as connection:
        for batch in range(BATCHES):
            digests = [sha256(b"statement %d" % (batch * log.BATCH + item)).digest() for item in range(log.BATCH)]
            openings = [entries.prefix(WORK.kind, digest, [signature], subjects) for digest in digests]
            whole += [entries.complete(opening, NOW) for opening in openings]
            insertion.insert_statements(
                connection,
                [
                    insertion.NewStatement(digest, WORK.kind, body, opening, digest, accounts, subjects, None, NOW)
                    for digest, opening in zip(digests, openings, strict=True)
                ],
            )
    return whole
