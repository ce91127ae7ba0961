"""Makes bundles from the database. `anchor.verify.procedure` verifies them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog import checkpoint, tiles
from deedlog.anchor.tlog.proof import TlogProof
from deedlog.anchor.verify.bundle import Bundle
from deedlog.anchor.verify.evidence.evm_slot import EvmSlot
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.typed_data import kind_named, typed_data
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from deedlog.anchor.evm.identity import RegistryIdentity


def make_bundle(connection: Connection, identity: RegistryIdentity, digest: bytes) -> Bundle:
    """Return the bundle of the statement with this digest.

    The bundle has the smallest covering anchor of each chain. If there is none yet, it has a tlog-proof in the newest
    checkpoint instead. Raises `InvalidData` (`statement.unknown`, `statement.erased`) or `Unavailable`
    (`statement.not_logged_yet`, `log.no_checkpoint`).
    """
    stored = store.by_digest(connection, digest)
    if stored is None:
        raise InvalidData("statement.unknown", digest=to_hex(digest))
    if stored.message is None:
        raise InvalidData("statement.erased", digest=to_hex(digest))
    if stored.log_index is None:
        raise Unavailable("statement.not_logged_yet", digest=to_hex(digest))
    statement = kind_named(stored.kind).from_message(stored.message)
    index = stored.log_index
    anchors = tuple(
        EvmSlot(
            chain_id=anchored.chain_id,
            tlog_proof=_proof_at(connection, index, anchored.size),
            header=anchored.header,
            account_proof=anchored.account_proof,
            storage_proof=anchored.storage_proof,
        )
        for anchored in anchor_store.anchors_covering(connection, index)
    )
    return Bundle(
        typed_data=typed_data(statement, identity.address),
        entry=stored.entry(),
        registry=identity,
        anchors=anchors,
        tlog_proof=None if anchors else newest_proof(connection, index),
    )


def newest_proof(connection: Connection, index: int) -> bytes:
    """Return the tlog-proof of the entry at `index` in the newest checkpoint. Raises `Unavailable` (`log.missing`)."""
    note = log_store.newest_checkpoint(connection)
    return _proof(connection, index, checkpoint.read_unsigned(note).size, note)


def _proof_at(connection: Connection, index: int, size: int) -> bytes:
    signed = log_store.checkpoint_of_size(connection, size)
    if signed is None:
        raise Unavailable("log.no_checkpoint", size=size)
    return _proof(connection, index, size, signed[1])


def _proof(connection: Connection, index: int, size: int, note: bytes) -> bytes:
    hashes = tiles.inclusion_proof(log_store.tile_reader(connection), index, size)
    return TlogProof(index, tuple(hashes), note).format()
