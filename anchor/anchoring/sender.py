"""Attempts to anchor: one nonce, one or more transactions, each stored signed before it is sent.

prepared → sent → mined → final; or superseded (another's transaction covers it: success), reverted, nonce_taken,
abandoned (its nonce cannot come up, or is that of an operator who was replaced). What became of an attempt is read from
the contract's state and the account's nonce, never from a receipt alone; a reorganisation makes a mined one sent again.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring.attempt_store import Attempt, Transaction
from deedlog.anchor.anchoring.chain_port import AnchorCall, Fees
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog import tiles
from deedlog.registry.errors import InvalidData
from deedlog.registry.failpoints import failpoint
from deedlog.registry.hexadecimal import to_checksum, to_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.anchor.anchoring.chain_port import ChainPort
    from deedlog.anchor.anchoring.chain_view import ChainView
    from deedlog.anchor.anchoring.config import AnchoringConfig
    from deedlog.registry.store.database import Transactions

_log = logging.getLogger(__name__)

FEE_BUMP_PERCENT = 25
"""Nodes replace a transaction only for at least 10 % more."""

REPEATS = ("already known", "already imported", "known transaction", "nonce too low", "underpriced")
"""What nodes say of a transaction that they have, that is mined, or that another of the same nonce stands before."""

Alarms = dict[str, dict[str, str | int]]
"""Code → parameters of what a person must look at."""


class Sender:
    """Makes and pursues the attempts of one log on one chain, as the operator."""

    def __init__(self, database: Transactions, port: ChainPort, config: AnchoringConfig) -> None:
        """Take what is needed; nothing is asked or sent yet."""
        self._database = database
        self._port = port
        self._config = config
        self._chain_id = config.chain.chain_id
        self._nonce_before: int | None = None

    def go_on(self, view: ChainView, now: int, alarms: Alarms) -> None:
        """Do what is due at `now` (Unix seconds): carry the open attempt on, or begin one; note what is wrong."""
        nonce = self._port.next_nonce(self._config.operator, view.tip.number)
        before, self._nonce_before = self._nonce_before, nonce
        with self._database.read() as connection:
            attempt = attempt_store.open_attempt(connection, self._chain_id)
        if attempt is not None:
            self._pursue(attempt, view, nonce, before, now, alarms)
        else:
            self._begin(view, nonce, before, now, alarms)
        with self._database.read() as connection:
            last = attempt_store.last_settled(connection, self._chain_id)
            sent = [] if last is None else attempt_store.transactions(connection, last.id)
        told = last is not None and last.state in ("nonce_taken", "reverted") and last.size > view.size
        if last is not None and told and self._own(sent[-1]):
            alarms[f"alarm.{last.state}"] = {
                "account": to_checksum(self._config.operator),
                "nonce": last.nonce,
                "size": last.size,
            }

    def _pursue(
        self, attempt: Attempt, view: ChainView, nonce: int, before: int | None, now: int, alarms: Alarms
    ) -> None:
        """Carry an attempt on: settled by the contract's state, or sent again, or replaced at a higher fee."""
        if view.size >= attempt.size:
            ours = self._port.head_of(self._config.contract, attempt.root, view.tip.number) is not None
            self._settle(attempt, "mined" if ours else "superseded")
            return
        with self._database.read() as connection:
            sent = attempt_store.transactions(connection, attempt.id)
        newest = sent[-1]
        if not self._own(newest):
            # The owner has named another operator since, this one: what the one before sent can only revert now.
            self._settle(attempt, "abandoned")
            return
        old = now - newest.created_at >= self._config.chain.resend
        if nonce > attempt.nonce:
            self._explain(attempt, sent, old=old)
            return
        if nonce < attempt.nonce and old and nonce == before:
            # A reorganisation took a transaction of an earlier nonce away, or a node counted wrongly.
            self._settle(attempt, "abandoned")
            return
        moved = view.size != attempt.from_size
        if moved or (old and newest.sent_at is not None):
            fees = self._bumped(newest, self._port.fees(view.tip))
            if fees.max_fee <= self._config.chain.max_fee:
                # The same nonce; if the head moved, from the new head.
                newest = self._sign(replace(attempt, from_size=view.size), fees, now)
            else:
                alarms["alarm.fee_limit"] = {
                    "limit": self._config.chain.max_fee // 10**9,
                    "base_fee": view.tip.base_fee // 10**9,
                    "seconds": now - attempt.created_at,
                }
                if moved:
                    return  # from a head that is not the contract's any more: it could only be refused, and be paid for
        self._send(attempt, newest, now, alarms)

    def _explain(self, attempt: Attempt, sent: Sequence[Transaction], *, old: bool) -> None:
        """Settle an attempt whose nonce is used while the contract has not moved."""
        with self._database.read() as connection:
            others = attempt_store.hashes_of_nonce(connection, self._chain_id, attempt.nonce, attempt.id)
        if any(self._port.outcome(one) for one in others):
            self._settle(attempt, "abandoned")  # an earlier attempt's transaction has come up after all
            return
        outcomes = {self._port.outcome(transaction.hash) for transaction in sent}
        if "succeeded" in outcomes:
            return  # seen by a node that is ahead of the one that was asked for the head: the next round sees it too
        if "reverted" in outcomes:
            self._settle(attempt, "reverted")
        elif old:  # a while after it was sent: a node that lags has no receipt either
            self._settle(attempt, "nonce_taken")

    def _begin(self, view: ChainView, nonce: int, before: int | None, now: int, alarms: Alarms) -> None:
        """Begin an attempt if there is something to anchor and the interval has passed."""
        with self._database.read() as connection:
            state = log_store.state(connection)
            size, root = state.size, state.root
            last = attempt_store.last_attempt_at(connection, self._chain_id)
            replaced = attempt_store.dearest_of_nonce(connection, self._chain_id, nonce)
            used = attempt_store.last_nonce_used(connection, self._chain_id)
        # A clock that was set back is no reason to wait until it has caught up.
        if size <= view.size or 0 <= now - last < self._config.interval:
            return
        if used is not None and nonce != used + 1 and nonce != before:
            return  # not the one that is due: a node must say it twice before a transaction with it is given away
        fees = self._within(self._port.fees(view.tip))
        if replaced is not None and self._own(replaced):
            # One of an earlier attempt may still wait in nodes; whichever is mined, the contract has a head of ours.
            fees = self._bumped(replaced, fees)
            if fees.max_fee > self._config.chain.max_fee:
                fees = Fees(replaced.max_fee, replaced.priority_fee)
            if fees.max_fee > self._config.chain.max_fee:  # it was lowered since
                alarms["alarm.fee_limit"] = {
                    "limit": self._config.chain.max_fee // 10**9,
                    "base_fee": view.tip.base_fee // 10**9,
                    "seconds": now - replaced.created_at,
                }
                return
        attempt = Attempt(0, self._chain_id, view.size, size, root, nonce, "prepared", now)
        transaction = self._sign(attempt, fees, now)
        with self._database.read() as connection:
            stored = attempt_store.open_attempt(connection, self._chain_id)
        if stored is not None:
            self._send(stored, transaction, now, alarms)

    def _sign(self, attempt: Attempt, fees: Fees, now: int) -> Transaction:
        """Return a signed transaction for the attempt, stored with it."""
        with self._database.read() as connection:
            # Before each signature, the first and every later one of an attempt: a row may have been damaged meanwhile.
            root, _ = log.checked_head(connection, attempt.size)
            if root != attempt.root:
                raise InvalidData("log.head_mislabelled", size=attempt.size, root=to_hex(attempt.root))
            proof = (
                tiles.consistency_proof(log_store.tile_reader(connection), attempt.from_size, attempt.size)
                if attempt.from_size
                else []
            )
        failpoint("anchor.head_checked")
        call = AnchorCall(self._config.contract, attempt.from_size, attempt.size, attempt.root, tuple(proof))
        self._port.simulate(call, self._config.operator)
        signed_hash, raw = self._port.sign(call, self._config.operator_key, self._chain_id, attempt.nonce, fees)
        transaction = Transaction(signed_hash, raw, fees.max_fee, fees.priority_fee, now, None)
        failpoint("anchor.signed")
        with self._database.write() as connection:
            stored_with = attempt_store.attempt_of(connection, signed_hash)
            if stored_with is None:
                if attempt.id:
                    key = attempt.id
                    attempt_store.set_attempt(connection, key, from_size=attempt.from_size)
                else:
                    key = attempt_store.insert_attempt(connection, attempt)
                attempt_store.insert_transaction(connection, key, transaction)
            elif stored_with != attempt.id:
                # To the byte what an abandoned attempt signed: that one goes on.
                if attempt.id:
                    attempt_store.set_attempt(connection, attempt.id, state="abandoned")
                attempt_store.set_attempt(connection, stored_with, state="sent", from_size=attempt.from_size)
        failpoint("anchor.stored")
        return transaction

    def _send(self, attempt: Attempt, transaction: Transaction, now: int, alarms: Alarms) -> None:
        """Send a stored transaction; a node that has it already is as good as one that takes it."""
        try:
            self._port.send(transaction.raw)
        except InvalidData as error:
            message = str(error.params.get("message", ""))
            if "insufficient funds" in message.lower():
                alarms["alarm.not_taken"] = {"message": message}
                return  # not sent: a higher fee would not help
            if not any(words in message.lower() for words in REPEATS):
                alarms[error.code] = {"message": message}
            # Of a repeat the state will tell in the next round.
        failpoint("anchor.sent")
        if transaction.sent_at is not None and attempt.state == "sent":
            return
        with self._database.write() as connection:
            attempt_store.mark_sent(connection, transaction.hash, now)
            attempt_store.set_attempt(connection, attempt.id, state="sent")
        failpoint("anchor.noted")

    def _settle(self, attempt: Attempt, state: str) -> None:
        with self._database.write() as connection:
            attempt_store.set_attempt(connection, attempt.id, state=state)
        failpoint("anchor.settled")
        _log.info("attempt size=%d nonce=%d is %s", attempt.size, attempt.nonce, state)

    def _own(self, transaction: Transaction) -> bool:
        """Return whether the operator signed it; its nonce is that of another account otherwise."""
        return self._port.sender(transaction.raw) == self._config.operator

    def _within(self, fees: Fees) -> Fees:
        """Return fees of at most the chain's maximum: a spike, or a node that lies, must not empty the account."""
        most = self._config.chain.max_fee
        return Fees(min(fees.max_fee, most), min(fees.priority_fee, most))

    def _bumped(self, transaction: Transaction, present: Fees) -> Fees:
        """Return fees that replace a transaction: the present ones, but at least a quarter more than it offers."""
        fees = self._within(present)
        return Fees(
            max(fees.max_fee, transaction.max_fee * (100 + FEE_BUMP_PERCENT) // 100 + 1),
            max(fees.priority_fee, transaction.priority_fee * (100 + FEE_BUMP_PERCENT) // 100 + 1),
        )
