"""Tracks the heads in the contract: stores each with its proof, whoever sent it, and follows it until it is final.

An anchor that a reorganisation removed is deleted; one that it moved is proven again. Anchors are added and deleted
only on a proof, never on a node's answer alone. An anchor becomes final only after two ticks in a row found it final in
the same block.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.chain_view import StopAnchoringError, is_later, own_root, prove
from deedlog.anchor.evm.finality import is_final
from deedlog.registry.errors import Unavailable
from deedlog.registry.failpoints import failpoint
from deedlog.registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from deedlog.anchor.anchoring.chain_port import ChainPort
    from deedlog.anchor.anchoring.chain_view import ChainView
    from deedlog.anchor.anchoring.config import AnchoringConfig
    from deedlog.anchor.anchoring.store import StoredAnchor
    from deedlog.registry.store.database import Transactions

_log = logging.getLogger(__name__)

PROVEN_AT_ONCE = 16
"""The most heads proven in one tick. After a long absence, later ticks prove the rest."""


class Tracker:
    """Tracks the anchors of one log on one chain."""

    def __init__(self, database: Transactions, port: ChainPort, config: AnchoringConfig) -> None:
        """Store the arguments. Makes no call to the chain."""
        self._database = database
        self._port = port
        self._config = config
        self._chain_id = config.chain.chain_id
        self._almost_final: dict[int, bytes] = {}
        self._complete = False

    def follow(self, view: ChainView) -> None:
        """Bring the stored anchors in line with a view: move, delete, finalise and add.

        Raises `Unavailable` (`chain.…`) or `StopAnchoringError` (`anchoring.foreign_…`).
        """
        if self._config.chain.development:
            self._reopen(view)
        with self._database.read() as connection:
            waiting = anchor_store.not_final(connection, self._chain_id)
        still = [current for anchored in waiting if (current := self._where_it_is(anchored, view)) is not None]
        self._finalise(still, view)
        self._record(view)

    def _reopen(self, view: ChainView) -> None:
        """Set final anchors back if their block is gone: a development chain may restart from an earlier block."""
        while True:
            with self._database.read() as connection:
                last = anchor_store.newest_final(connection, self._chain_id)
            if last is None or (
                last.proof_number <= view.tip.number and self._port.block_hash(last.proof_number) == last.block_hash
            ):
                return
            _log.warning("the development chain was set back: the anchor size=%d is not final", last.size)
            with self._database.write() as connection:
                anchor_store.put_anchor(connection, replace(last, final=False))
                attempt_store.reopen_attempt(connection, self._chain_id, last.size)

    def _where_it_is(self, anchored: StoredAnchor, view: ChainView) -> StoredAnchor | None:
        """Return the anchor as the chain has it now; None if it is gone, or this node cannot answer in this tick."""
        behind = view.tip.number < anchored.proof_number
        if behind and not is_later(view.tip, anchored) and not self._config.chain.development:
            return None  # the node lags
        if not behind:
            block_hash = self._port.block_hash(anchored.proof_number)
            if block_hash == anchored.block_hash:
                return anchored
            if block_hash is None:
                return None  # the node has later blocks but not this one
        proven = self._prove(view, anchored.size, anchored.root)
        with self._database.write() as connection:
            if proven is not None:
                anchor_store.put_anchor(connection, proven)
            else:
                anchor_store.delete_anchor(connection, self._chain_id, anchored.size)
                attempt_store.unmine(connection, self._chain_id, anchored.size)
        failpoint("anchor.moved")
        if proven is None:
            _log.warning("a reorganisation took the anchor size=%d away: anchoring again", anchored.size)
        self._complete = False  # its previous head may be another one now
        return proven

    def _finalise(self, anchors: list[StoredAnchor], view: ChainView) -> None:
        """Set anchors to final if the chain's rule said so in this tick and the one before, for the same block."""
        before, self._almost_final = self._almost_final, {}
        if not anchors:
            return
        finalized = self._port.finalized()
        for anchored in anchors:
            if not is_final(anchored.proof_number, view.tip.number, finalized, self._config.chain.confirmations):
                continue
            if before.get(anchored.size) != anchored.block_hash:
                # One URL may reach several nodes: one reports a later final block while another still has this one on
                # a lost branch.
                self._almost_final[anchored.size] = anchored.block_hash
                continue
            with self._database.write() as connection:
                anchor_store.put_anchor(connection, replace(anchored, final=True))
                attempt_store.finalise_attempt(connection, self._chain_id, anchored.size)
            failpoint("anchor.finalised")

    def _record(self, view: ChainView) -> None:
        """Prove and store the contract's head and earlier heads that are not stored yet, `PROVEN_AT_ONCE` at most."""
        for _ in range(PROVEN_AT_ONCE):
            size = self._wanted(view)
            if size is None:
                return
            root = own_root(self._database, size)
            if root is None:
                raise StopAnchoringError("anchoring.foreign_history", size=size)
            proven = self._prove(view, size, root)
            if proven is None:
                raise Unavailable("chain.contradicts", block=view.tip.number)
            failpoint("anchor.proven")
            with self._database.write() as connection:
                anchor_store.put_anchor(connection, proven)
            failpoint("anchor.kept")
            self._complete = False
            _log.info("anchored size=%d block=%d root=%s", size, proven.block_number, to_hex(root))

    def _wanted(self, view: ChainView) -> int | None:
        """Return the size of a head that the contract holds and the database does not; None if there is none."""
        with self._database.read() as connection:
            if view.size and anchor_store.anchor_of(connection, self._chain_id, view.size) is None:
                return view.size
            if self._complete:
                return None
            gap = anchor_store.newest_gap(connection, self._chain_id)
        self._complete = gap is None
        return gap

    def _prove(self, view: ChainView, size: int, root: bytes) -> StoredAnchor | None:
        proven = prove(self._port, self._config, view.tip, root)
        if proven is not None and proven.size != size:
            raise StopAnchoringError("anchoring.foreign_head", size=proven.size, root=to_hex(root))
        return proven
