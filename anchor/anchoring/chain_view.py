"""Observes the chain at one block and compares it with the database. Anchoring acts only on a view that is consistent.

A node may lag, and one URL may reach several nodes. Inconsistent answers raise `Unavailable`, and a later tick asks
again. Anchoring stops for good (`StopAnchoringError`) only if the chain proves a contradiction, or reports another hash
for a block that was final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.store import StoredAnchor
from deedlog.anchor.evm.identity import Head, head_slot
from deedlog.anchor.evm.state_proof import parse_header, storage_value
from deedlog.anchor.log import store as log_store
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import HASH_SIZE, to_hex
from deedlog.registry.store import clock

if TYPE_CHECKING:
    from deedlog.anchor.anchoring.chain_port import ChainPort, Tip
    from deedlog.anchor.anchoring.config import AnchoringConfig
    from deedlog.registry.store.database import Transactions


AHEAD_SECONDS = 3600
"""How far a block's time may be ahead of the registry's clock. Nothing is done by a block further ahead."""

LATER_SECONDS = 60
"""A lower block that is more than this later than a higher one is on another branch; its node does not lag."""

LARGEST = 2**63
"""Sizes below this fit into a database column."""


class StopAnchoringError(InvalidData):
    """The contract and this log contradict each other. Anchoring stops until a person has looked."""


@dataclass(frozen=True, slots=True)
class ChainView:
    """The newest block, and the contract's head in its state (size 0 before the first anchor)."""

    tip: Tip
    size: int
    root: bytes


def observe(database: Transactions, port: ChainPort, config: AnchoringConfig) -> ChainView:
    """Return the chain's view if it is the right chain, has the contract, and the contract's head is one of ours.

    Raises `Unavailable` (`chain.…`, `clock.…`) if a node or the clock may be at fault, or
    `StopAnchoringError` (`anchoring.…`).
    """
    actual = port.chain_id()
    if actual != config.chain.chain_id:
        raise Unavailable("chain.other_chain", expected=config.chain.chain_id, actual=actual)
    tip = port.tip()
    with database.read() as connection:
        ahead = tip.timestamp - clock.read(connection)
    if ahead > AHEAD_SECONDS:
        raise clock.behind_chain(ahead, tip.number)
    last = None if config.chain.development else _check_final(database, port, config, tip)
    view = ChainView(tip, *port.head(config.contract, tip.number))
    if last is not None and view.size < last.size:
        # The block with the larger head is unchanged and below this one, so this node's answer must be wrong.
        raise Unavailable("chain.contradicts", block=tip.number)
    _check_head(database, port, config, view)
    return view


def prove(port: ChainPort, config: AnchoringConfig, tip: Tip, root: bytes) -> StoredAnchor | None:
    """Return the head with that root and its proof in the state of the block `tip`; None if its absence is proven.

    Raises `Unavailable` (`chain.contradicts`) if the proof does not fit the block, or the proven slot is impossible.
    """
    proof = port.slot_proof(config.contract, root, tip)
    header = parse_header(proof.header)
    try:
        word = storage_value(header, config.contract, head_slot(root), proof.account_proof, proof.storage_proof)
    except InvalidData as error:
        if error.code in ("state.slot_empty", "state.account_missing"):
            return None
        raise Unavailable("chain.contradicts", block=tip.number) from error
    head = Head.unpack(word)
    try:
        head.check_in_block(header.number, header.timestamp)
    except InvalidData as error:
        raise Unavailable("chain.contradicts", block=tip.number) from error  # this contract cannot store that
    if head.size >= LARGEST:
        raise Unavailable("chain.contradicts", block=tip.number)
    return StoredAnchor(
        chain_id=config.chain.chain_id,
        size=head.size,
        root=root,
        previous_size=head.previous_size,
        time=head.time,
        block_number=head.block_number,
        header=proof.header,
        block_hash=header.hash,
        proof_number=header.number,
        account_proof=proof.account_proof,
        storage_proof=proof.storage_proof,
        final=False,
    )


def is_later(tip: Tip, anchored: StoredAnchor) -> bool:
    """Return whether `tip` is more than `LATER_SECONDS` later than the block of a proof. Numbers are not compared."""
    return tip.timestamp > parse_header(anchored.header).timestamp + LATER_SECONDS


def own_root(database: Transactions, size: int) -> bytes | None:
    """Return the root of this log's checkpoint of that size; None if it signed none."""
    with database.read() as connection:
        signed = log_store.checkpoint_of_size(connection, size)
    return None if signed is None else signed[0]


def _check_final(database: Transactions, port: ChainPort, config: AnchoringConfig, tip: Tip) -> StoredAnchor | None:
    """Return the newest final anchor after checking that its block is still on the chain; None if there is none.

    Raises `Unavailable` (`chain.behind`, `chain.contradicts`), or `StopAnchoringError` (`anchoring.final_vanished`) if
    the block was replaced.
    """
    with database.read() as connection:
        last = anchor_store.newest_final(connection, config.chain.chain_id)
    if last is None:
        return None
    if tip.number < last.proof_number and not is_later(tip, last):
        raise Unavailable("chain.behind", block=tip.number, known=last.proof_number)
    block_hash = port.block_hash(last.proof_number) if tip.number >= last.proof_number else bytes(HASH_SIZE)
    if block_hash is None:
        raise Unavailable("chain.contradicts", block=tip.number)
    if block_hash != last.block_hash:
        raise StopAnchoringError("anchoring.final_vanished", size=last.size, block_number=last.proof_number)
    return last


def _check_head(database: Transactions, port: ChainPort, config: AnchoringConfig, view: ChainView) -> None:
    """Raise `StopAnchoringError` if this log did not sign the contract's head.

    Either the database is an old backup (`anchoring.database_behind`), or another log was anchored in this contract
    (`anchoring.foreign_head`). Raises `Unavailable` (`chain.contradicts`) if the node cannot prove the head.
    """
    if view.size == 0 or own_root(database, view.size) == view.root:
        return
    # Ask for a proof: a node's unproven answer must not stop a registry.
    shown = prove(port, config, view.tip, view.root)
    if shown is None or shown.size != view.size:
        raise Unavailable("chain.contradicts", block=view.tip.number)
    with database.read() as connection:
        own = log_store.state(connection).size
    if view.size > own:
        raise StopAnchoringError("anchoring.database_behind", contract=view.size, database=own)
    raise StopAnchoringError("anchoring.foreign_head", size=view.size, root=to_hex(view.root))
