"""Attempts to anchor: one nonce, one or more transactions, each signed and stored before it is sent.

prepared → sent → mined → final. Other ends: superseded (the contract's head covers it without this root: a success),
reverted, nonce_taken, abandoned (its nonce can no longer be used, or the owner replaced the operator). The outcome is
read from the contract's state and the account's nonce, never from a receipt alone. After a reorganisation a mined
attempt is sent again.
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
"""How much a replacement raises the fees. Nodes replace a transaction only for at least 10 % more."""

REPEATS = ("already known", "already imported", "known transaction", "nonce too low", "underpriced")
"""Parts of nodes' messages for a transaction that they know, that is mined, or whose nonce another transaction has."""

Alarms = dict[str, dict[str, str | int]]
"""Alarms that a person must look at: code → parameters."""


class Sender:
    """Begins attempts of one log on one chain, and sends and settles them, as the operator."""

    def __init__(self, database: Transactions, port: ChainPort, config: AnchoringConfig) -> None:
        """Store the arguments. Makes no call to the chain."""
        self._database = database
        self._port = port
        self._config = config
        self._chain_id = config.chain.chain_id
        self._nonce_before: int | None = None

    def go_on(self, view: ChainView, now: int, alarms: Alarms) -> None:
        """Continue the open attempt, or begin one if due at `now` (Unix seconds). Adds to `alarms`.

        Raises `Unavailable` (`chain.…`, `anchoring.raced`) or `InvalidData` (`log.…`, `chain.would_revert`).
        """
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
        """Continue an attempt: settle it by the contract's state, send it again, or replace it at a higher fee."""
        if view.size >= attempt.size:
            ours = self._port.head_of(self._config.contract, attempt.root, view.tip.number) is not None
            self._settle(attempt, "mined" if ours else "superseded")
            return
        with self._database.read() as connection:
            sent = attempt_store.transactions(connection, attempt.id)
        newest = sent[-1]
        if not self._own(newest):
            # The former operator signed this. Since the owner replaced it, its transactions can only revert.
            self._settle(attempt, "abandoned")
            return
        old = now - newest.created_at >= self._config.chain.resend
        if nonce > attempt.nonce:
            self._explain(attempt, sent, old=old)
            return
        if nonce < attempt.nonce and old and nonce == before:
            # A reorganisation removed a transaction with an earlier nonce, or a node reported a wrong nonce.
            self._settle(attempt, "abandoned")
            return
        moved = view.size != attempt.from_size
        if moved or (old and newest.sent_at is not None):
            fees = self._bumped(newest, self._port.fees(view.tip))
            if fees.max_fee <= self._config.chain.max_fee:
                # Keep the nonce. If the head moved, anchor from the new head.
                newest = self._sign(replace(attempt, from_size=view.size), fees, now)
            else:
                alarms["alarm.fee_limit"] = {
                    "limit": self._config.chain.max_fee // 10**9,
                    "base_fee": view.tip.base_fee // 10**9,
                    "seconds": now - attempt.created_at,
                }
                if moved:
                    return  # it extends a head that the contract no longer has: it would revert and still cost gas
        self._send(attempt, newest, now, alarms)

    def _explain(self, attempt: Attempt, sent: Sequence[Transaction], *, old: bool) -> None:
        """Settle an attempt whose nonce is used although the contract's head is below its size."""
        with self._database.read() as connection:
            others = attempt_store.hashes_of_nonce(connection, self._chain_id, attempt.nonce, attempt.id)
        if any(self._port.outcome(one) for one in others):
            self._settle(attempt, "abandoned")  # an earlier attempt's transaction used the nonce after all
            return
        outcomes = {self._port.outcome(transaction.hash) for transaction in sent}
        if "succeeded" in outcomes:
            return  # this node is ahead of the one that answered with the head: the next tick sees it too
        if "reverted" in outcomes:
            self._settle(attempt, "reverted")
        elif old:  # wait first, because a node that lags has no receipt either
            self._settle(attempt, "nonce_taken")

    def _begin(self, view: ChainView, nonce: int, before: int | None, now: int, alarms: Alarms) -> None:
        """Begin an attempt if the log is ahead of the contract and the interval has passed."""
        with self._database.read() as connection:
            state = log_store.state(connection)
            size, root = state.size, state.root
            last = attempt_store.last_attempt_at(connection, self._chain_id)
            replaced = attempt_store.dearest_of_nonce(connection, self._chain_id, nonce)
            used = attempt_store.last_nonce_used(connection, self._chain_id)
        # If the clock was set back, `now - last` is negative. Do not wait until the clock has caught up.
        if size <= view.size or 0 <= now - last < self._config.interval:
            return
        if used is not None and nonce != used + 1 and nonce != before:
            return  # not the nonce that should come next: sign with it only if two ticks in a row report it
        fees = self._within(self._port.fees(view.tip))
        if replaced is not None and self._own(replaced):
            # An earlier attempt's transaction with this nonce may still wait in nodes, so outbid it. Whichever of the
            # two is mined, the contract gets a head of ours.
            fees = self._bumped(replaced, fees)
            if fees.max_fee > self._config.chain.max_fee:
                fees = Fees(replaced.max_fee, replaced.priority_fee)
            if fees.max_fee > self._config.chain.max_fee:  # the limit was lowered since
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
        """Check the attempt's head, simulate the call, sign a transaction and store it. Return the transaction.

        Raises `InvalidData`: `log.…` if the stored leaf hashes do not give the attempt's root, `chain.would_revert` if
        the simulation fails.
        """
        with self._database.read() as connection:
            # Check before each signature of an attempt, not only the first: a row may have been damaged since.
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
                # An abandoned attempt signed exactly this transaction. Continue that attempt instead.
                if attempt.id:
                    attempt_store.set_attempt(connection, attempt.id, state="abandoned")
                attempt_store.set_attempt(connection, stored_with, state="sent", from_size=attempt.from_size)
        failpoint("anchor.stored")
        return transaction

    def _send(self, attempt: Attempt, transaction: Transaction, now: int, alarms: Alarms) -> None:
        """Send a stored transaction. If the node already has it, that counts as sent."""
        try:
            self._port.send(transaction.raw)
        except InvalidData as error:
            message = str(error.params.get("message", ""))
            if "insufficient funds" in message.lower():
                alarms["alarm.not_taken"] = {"message": message}
                return  # not sent: a higher fee would not help
            if not any(words in message.lower() for words in REPEATS):
                alarms[error.code] = {"message": message}
            # If it is a repeat, the next tick reads the outcome from the chain's state.
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
        """Return whether the present operator signed the transaction. If not, its nonce is another account's."""
        return self._port.sender(transaction.raw) == self._config.operator

    def _within(self, fees: Fees) -> Fees:
        """Return the fees, capped at the chain's maximum: a spike or a lying node must not empty the account."""
        most = self._config.chain.max_fee
        return Fees(min(fees.max_fee, most), min(fees.priority_fee, most))

    def _bumped(self, transaction: Transaction, present: Fees) -> Fees:
        """Return fees to replace a transaction: `present`, but at least `FEE_BUMP_PERCENT` more than it offers.

        The result may exceed the chain's maximum; the caller checks.
        """
        fees = self._within(present)
        return Fees(
            max(fees.max_fee, transaction.max_fee * (100 + FEE_BUMP_PERCENT) // 100 + 1),
            max(fees.priority_fee, transaction.priority_fee * (100 + FEE_BUMP_PERCENT) // 100 + 1),
        )
