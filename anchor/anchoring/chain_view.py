"""What the chain says at one block, compared with what is known: only a view that fits is acted on.

A node may lag, or several may stand behind one URL: then the answers are not heard (`Unavailable`), and asked for again
later. Only what the chain shows with a proof, or says of a block that was final, stops everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.store import StoredAnchor
from deedlog.anchor.evm.identity import Head, head_slot
from deedlog.anchor.evm.state_proof import parse_header, storage_value
from deedlog.anchor.log import store as log_store
from deedlog.registry import times
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import HASH_SIZE, to_hex

if TYPE_CHECKING:
    from deedlog.anchor.anchoring.chain_port import ChainPort, Tip
    from deedlog.anchor.anchoring.config import AnchoringConfig
    from deedlog.registry.store.database import Transactions


AHEAD_SECONDS = 3600
"""How far a block's time may be ahead of this machine's: further, it is made up."""

LATER_SECONDS = 60
"""A lower block that is so much later than another is of another branch: its node does not lag."""

LARGEST = 2**63
"""Sizes below this fit the database."""


class StopAnchoringError(InvalidData):
    """The contract and this log contradict each other: nothing may go on until a person has looked."""


@dataclass(frozen=True, slots=True)
class ChainView:
    """A chain at one block: the newest block, and the contract's head (size 0 before the first) in its state."""

    tip: Tip
    size: int
    root: bytes


def observe(database: Transactions, port: ChainPort, config: AnchoringConfig) -> ChainView:
    """Return what the chain says now, if it is the right chain, has the contract, and knows no head that is not ours.

    Raises `Unavailable` (`chain.…`), or `StopAnchoringError` (`anchoring.…`).
    """
    actual = port.chain_id()
    if actual != config.chain.chain_id:
        raise Unavailable("chain.other_chain", expected=config.chain.chain_id, actual=actual)
    tip = port.tip()
    if tip.timestamp > times.now() + AHEAD_SECONDS:
        raise Unavailable("chain.contradicts", block=tip.number)
    last = None if config.chain.development else _check_final(database, port, config, tip)
    view = ChainView(tip, *port.head(config.contract, tip.number))
    if last is not None and view.size < last.size:
        # The block that held more is where it was, below this one.
        raise Unavailable("chain.contradicts", block=tip.number)
    _check_head(database, port, config, view)
    return view


def prove(port: ChainPort, config: AnchoringConfig, tip: Tip, root: bytes) -> StoredAnchor | None:
    """Return the head with that root as the state of the newest block proves it; None if that proves its absence.

    Raises `Unavailable` (`chain.contradicts`) where the node's proof does not fit the node's block.
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
    if not (head.previous_size < head.size < LARGEST and head.block_number <= header.number):
        raise Unavailable("chain.contradicts", block=tip.number)  # no state of this contract
    if head.time > header.timestamp:
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
    """Return whether the newest block is later in time than the block of a proof, whatever their numbers."""
    return tip.timestamp > parse_header(anchored.header).timestamp + LATER_SECONDS


def own_root(database: Transactions, size: int) -> bytes | None:
    """Return the root of this log's checkpoint of that size, if it signed one."""
    with database.read() as connection:
        signed = log_store.checkpoint_of_size(connection, size)
    return None if signed is None else signed[0]


def _check_final(database: Transactions, port: ChainPort, config: AnchoringConfig, tip: Tip) -> StoredAnchor | None:
    """Return the newest final anchor if its block is where it was; stop if the chain broke its word."""
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
    """Stop if the contract's head is not one that this log signed: a foreign key, or an old backup."""
    if view.size == 0 or own_root(database, view.size) == view.root:
        return
    # A node that merely says so must not stop a registry.
    shown = prove(port, config, view.tip, view.root)
    if shown is None or shown.size != view.size:
        raise Unavailable("chain.contradicts", block=view.tip.number)
    with database.read() as connection:
        own = log_store.state(connection).size
    if view.size > own:
        raise StopAnchoringError("anchoring.database_behind", contract=view.size, database=own)
    raise StopAnchoringError("anchoring.foreign_head", size=view.size, root=to_hex(view.root))
