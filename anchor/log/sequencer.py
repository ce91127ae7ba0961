"""The sequencer: turns accepted statements into entries, tiles and a signed checkpoint.

A whole batch commits in one transaction. No signed checkpoint leaves the process before the commit has returned. If the
outcome of a commit is unknown, the process must end; the next one reads the database first.
"""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from deedlog.anchor import merkle
from deedlog.anchor.log.store import LogState, checkpoint_of_size, state, tile_reader, write_tiles
from deedlog.anchor.tlog import checkpoint, tiles
from deedlog.anchor.tlog.checkpoint import Checkpoint
from deedlog.anchor.tlog.tiles import TileError
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.failpoints import failpoint
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import entry as entries
from deedlog.registry.store import events
from deedlog.registry.store import statements as store
from deedlog.registry.store.clock import TOLERANCE_SECONDS, check_order
from deedlog.registry.store.tables import CHECKPOINT, LOG

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from sqlalchemy import Connection

    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.registry.store.clock import Clock
    from deedlog.registry.store.database import Transactions

BATCH = 512
"""The most entries that one transaction logs: two tiles."""


_KEEP_CHECKPOINT = insert(CHECKPOINT)
_LOCK = select(LOG.c.size, LOG.c.root, LOG.c.time).with_for_update()
_SWAP = (
    update(LOG)
    .where(LOG.c.id == 1, LOG.c.size == bindparam("old_size"), LOG.c.root == bindparam("old_root"))
    .values(size=bindparam("new_size"), root=bindparam("new_root"), time=bindparam("new_time"))
)


def create(database: Transactions, identity: RegistryIdentity, log_key: Ed25519PrivateKey, now: int) -> None:
    """Create the empty log and its first checkpoint, signed at `now` (Unix seconds).

    Raises `InvalidData`: `log.exists`, `log.other_key`.
    """
    check_key(identity, log_key)
    head = Checkpoint(identity.origin, 0, merkle.EMPTY_ROOT)
    with database.write() as connection:
        if connection.execute(select(LOG.c.id)).first() is not None:
            raise InvalidData("log.exists")
        connection.execute(
            insert(LOG).values(
                id=1,
                registry_address=identity.address,
                identity=json.dumps(identity.to_json()),
                size=0,
                root=head.root,
                time=0,
            )
        )
        _insert_checkpoint(connection, head, log_key, now)


def sequence(database: Transactions, identity: RegistryIdentity, log_key: Ed25519PrivateKey, now: int) -> int:
    """Call `sequence_batch` and return only how many statements it logged."""
    return sequence_batch(database, identity, log_key, lambda _connection: now)[0]


def sequence_batch(
    database: Transactions, identity: RegistryIdentity, log_key: Ed25519PrivateKey, clock: Clock
) -> tuple[int, int]:
    """Log up to `BATCH` accepted statements in one transaction. Return (statements logged, new size of the log).

    An entry's index is the tree's size, read while the log's row is locked. An entry's time (Unix seconds) is when its
    statement was accepted, but not before the time of the previous entry, and never in the future: what is dated after
    `clock` stays unlogged, and so does what follows it. `clock` also says when the checkpoint is signed.

    Raises `InvalidData` (`log.other_key`) or `Unavailable` (`log.missing`, `log.raced`, `clock.…`).
    """
    check_key(identity, log_key)
    with database.write() as connection:
        state = _lock(connection)
        failpoint("sequence.locked")
        waiting = store.unlogged(connection, BATCH)
        if not waiting:
            return 0, state.size
        # Read the clock after the statements, so that none was accepted later.
        now = clock(connection)
        check_order(max(state.time, waiting[0][2]), now)
        waiting = list(takewhile(lambda row: row[2] - now <= TOLERANCE_SECONDS, waiting))
        time = state.time
        logged, leaf_hashes = [], []
        for index, (key, prefix, accepted_at) in enumerate(waiting, state.size):
            time = max(time, accepted_at)
            logged.append((index, time, key))
            leaf_hashes.append(merkle.leaf_hash(entries.complete(prefix, time)))
        appended = tiles.append(tile_reader(connection), state.size, leaf_hashes)
        if store.mark_logged(connection, logged) != len(logged):
            raise Unavailable("log.raced")
        failpoint("sequence.marked")
        write_tiles(connection, appended.tiles)
        failpoint("sequence.tiled")
        _insert_checkpoint(connection, Checkpoint(identity.origin, appended.size, appended.root), log_key, now)
        failpoint("sequence.signed")
        swapped = connection.execute(
            _SWAP,
            {
                "old_size": state.size,
                "old_root": state.root,
                "new_size": appended.size,
                "new_root": appended.root,
                "new_time": time,
            },
        )
        if swapped.rowcount != 1:
            raise Unavailable("log.raced")
        events.record_range(connection, "logged", now, state.size, appended.size)
        failpoint("sequence.swapped")
    # The commit has returned. From here on others can see the checkpoint.
    failpoint("sequence.committed")
    return len(logged), appended.size


def check_next(connection: Connection, clock: Clock) -> None:
    """Raise `Unavailable` (`clock.…`) if the next entry could not be dated now."""
    times = [accepted_at for _, _, accepted_at in store.unlogged(connection, 1)]
    check_order(max([state(connection).time, *times]), clock(connection))


def checked_head(connection: Connection, size: int) -> tuple[bytes, bytes]:
    """Return (root, note) of the signed head of that size, after recomputing the root from the leaf hashes.

    Every head sent to a contract must come from here. A root does not bind its size, so an anchored head with a wrong
    size would lock the log out of the contract for good. Raises `InvalidData`: `log.no_checkpoint`,
    `log.head_mislabelled`.
    """
    signed = checkpoint_of_size(connection, size)
    if signed is None:
        raise InvalidData("log.no_checkpoint", size=size)
    try:
        recomputed = tiles.root_from_leaves(tile_reader(connection), size)
    except TileError:  # there are fewer leaf hashes than `size`
        recomputed = None
    if recomputed != signed[0]:
        raise InvalidData("log.head_mislabelled", size=size, root=to_hex(signed[0]))
    return signed


def _lock(connection: Connection) -> LogState:
    """Lock the log's row until the transaction ends. On SQLite the write transaction already locks everything."""
    row = connection.execute(_LOCK).first()
    if row is None:
        raise Unavailable("log.missing")
    return LogState(row.size, row.root, row.time)


def check_key(identity: RegistryIdentity, log_key: Ed25519PrivateKey) -> None:
    """Raise `InvalidData` (`log.other_key`) unless the registry address commits to this key."""
    if log_key.public_key().public_bytes_raw() != identity.log_key:
        raise InvalidData("log.other_key", expected=to_hex(identity.log_key))


def _insert_checkpoint(connection: Connection, head: Checkpoint, log_key: Ed25519PrivateKey, now: int) -> None:
    note = checkpoint.sign(head, log_key)
    connection.execute(_KEEP_CHECKPOINT, {"size": head.size, "root": head.root, "note": note, "signed_at": now})
