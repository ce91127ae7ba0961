"""Anchoring: the log's head goes to the contract, and its proof comes back.

One `Anchorer.tick` does what is due and returns; called again and again it converges, from whatever state a crash, a
reorganisation or another's transaction left. "Anchored" is read from the contract (`headOf`), never from a receipt.

An attempt (from, size, root) has one nonce and one or more transactions, each stored signed before it is sent:
prepared → sent → mined → final; or reverted, superseded (another transaction covers it: success), nonce_taken.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from anchor import anchor_store, log, tiles
from anchor.anchor_store import Attempt, StoredAnchor, Transaction
from anchor.chain import AnchorCall, Fees, SlotProof
from anchor.finality import is_final
from anchor.identity import Head, RegistryIdentity, head_slot
from anchor.state_proof import parse_header, storage_value
from registry import store
from registry.errors import InvalidData, Unavailable
from registry.hexadecimal import to_checksum, to_hex
from registry.steps import reached

if TYPE_CHECKING:
    from anchor.chains import Chain
    from registry.database import Transactions

_log = logging.getLogger(__name__)

ALARM_INTERVALS = 3
"""Anchor intervals after which an unanchored entry is an alarm."""

LOW_BALANCE = 10**16
"""Wei: some tens of anchorings on Ethereum, thousands on a rollup."""

FEE_BUMP_PERCENT = 25
"""Nodes replace a transaction only for at least 10 % more."""


class ChainPort(Protocol):
    """What anchoring asks of a chain; `anchor.chain.EvmChain` is it."""

    def chain_id(self) -> int: ...  # noqa: D102 - documented at EvmChain
    def head(self, contract: bytes) -> tuple[int, bytes, int]: ...  # noqa: D102
    def head_of(self, contract: bytes, root: bytes) -> Head | None: ...  # noqa: D102
    def has_code(self, contract: bytes) -> bool: ...  # noqa: D102
    def newest(self) -> int: ...  # noqa: D102
    def finalized(self) -> int | None: ...  # noqa: D102
    def block_hash(self, number: int) -> bytes | None: ...  # noqa: D102
    def slot_proof(self, contract: bytes, root: bytes) -> SlotProof: ...  # noqa: D102
    def next_nonce(self, account: bytes) -> int: ...  # noqa: D102
    def balance(self, account: bytes) -> int: ...  # noqa: D102
    def fees(self) -> Fees: ...  # noqa: D102
    def simulate(self, call: AnchorCall, operator: bytes) -> None: ...  # noqa: D102
    def sign(self, call: AnchorCall, key: bytes, chain_id: int, nonce: int, fees: Fees) -> tuple[bytes, bytes]: ...  # noqa: D102
    def send(self, raw: bytes) -> None: ...  # noqa: D102
    def failed(self, transaction_hash: bytes) -> bool: ...  # noqa: D102


class StopAnchoringError(InvalidData):
    """The contract and this log contradict each other: nothing may go on until a person has looked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to anchor: on which chain, as whom, and how often (seconds)."""

    chain: Chain
    identity: RegistryIdentity
    operator_key: bytes
    interval: int


class Anchorer:
    """Anchors one log on one chain."""

    def __init__(self, database: Transactions, port: ChainPort, plan: Plan) -> None:
        """Take what is needed; nothing is asked or sent yet."""
        self._database = database
        self._port = port
        self._plan = plan
        self._contract = plan.identity.address

    def check(self) -> None:
        """Raise unless the node is of the right chain and has the contract, and it knows no head that is not ours."""
        actual = self._port.chain_id()
        expected = self._plan.chain.chain_id
        if actual != expected:
            raise Unavailable("chain.other_chain", expected=expected, actual=actual)
        if not self._port.has_code(self._contract):
            raise Unavailable("chain.no_contract", address=to_checksum(self._contract), chain=self._plan.chain.name)
        size, root, _ = self._port.head(self._contract)
        self._check_final(size)
        self._check_head(size, root)

    def tick(self, now: int) -> None:
        """Do what is due at `now` (Unix seconds): record, settle, resend or begin, and finalise."""
        self.check()
        size, root, _ = self._port.head(self._contract)
        self._record(size, root)
        with self._database.read() as connection:
            attempt = anchor_store.open_attempt(connection, self._plan.chain.chain_id)
        if attempt is not None:
            self._pursue(attempt, size, now)
        else:
            self._begin(size, now)
        self._finalise(size)
        self._warn(size, now)

    def _check_final(self, size: int) -> None:
        """Stop if a final anchor is gone, or its block is another now: the chain broke its word."""
        with self._database.read() as connection:
            last = anchor_store.newest_final(connection, self._plan.chain.chain_id)
        if last is None:
            return
        block_hash = self._port.block_hash(last.proof_number)
        if size < last.size or block_hash not in (None, last.block_hash):  # None: the node forgot, or lags
            raise StopAnchoringError(
                "anchoring.final_vanished", size=last.size, block_number=last.proof_number, contract=size
            )

    def _check_head(self, size: int, root: bytes) -> None:
        """Stop if the contract's head is not one that this log signed: a foreign key, or an old backup."""
        if size == 0:
            return
        with self._database.read() as connection:
            signed = log.checkpoint_of_size(connection, size)
            own = log.state(connection).size
        if signed is None and size > own:
            raise StopAnchoringError("anchoring.database_behind", contract=size, database=own)
        if signed is None or signed[0] != root:
            raise StopAnchoringError("anchoring.foreign_head", size=size, root=to_hex(root))

    def _record(self, size: int, root: bytes) -> None:
        """Keep the proof of the contract's head, whoever anchored it, once."""
        if size == 0:
            return
        chain_id = self._plan.chain.chain_id
        with self._database.read() as connection:
            if anchor_store.anchor_of(connection, chain_id, size) is not None:
                return
        anchored = self._prove(root)
        if anchored is not None:
            reached("anchor.proven")
            with self._database.write() as connection:
                anchor_store.put_anchor(connection, anchored)
            reached("anchor.kept")
            _log.info("anchored size=%d block=%d root=%s", size, anchored.block_number, to_hex(root))

    def _prove(self, root: bytes) -> StoredAnchor | None:
        """Return the anchor of that root with a proof at the newest block, checked; None if the head is gone."""
        proof = self._port.slot_proof(self._contract, root)
        header = parse_header(proof.header)
        try:
            word = storage_value(header, self._contract, head_slot(root), proof.account_proof, proof.storage_proof)
        except InvalidData as error:
            if error.code in ("state.slot_empty", "state.account_missing"):
                return None
            raise
        head = Head.unpack(word)
        return StoredAnchor(
            chain_id=self._plan.chain.chain_id,
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

    def _finalise(self, contract_size: int) -> None:
        """Follow anchors to finality: where the block of a proof has changed, take the proof again."""
        chain = self._plan.chain
        with self._database.write() as connection:
            gone = anchor_store.drop_anchors_above(connection, chain.chain_id, contract_size)
            waiting = anchor_store.not_final(connection, chain.chain_id)
        if gone:
            _log.warning("a reorganisation took %d anchors away; anchoring again", gone)
        if not waiting:
            return
        newest, finalized = self._port.newest(), self._port.finalized()
        for anchored in waiting:
            current = anchored
            if self._port.block_hash(anchored.proof_number) != anchored.block_hash:
                proven = self._prove(anchored.root)
                if proven is None:
                    continue  # taken away and not back yet: the next tick drops it or finds it
                current = proven
            if is_final(current.proof_number, newest, finalized, chain.confirmations):
                current = replace(current, final=True)
            if current != anchored:
                with self._database.write() as connection:
                    anchor_store.put_anchor(connection, current)
                    if current.final:
                        anchor_store.finalise_attempt(connection, chain.chain_id, current.size)
                reached("anchor.finalised")

    def _pursue(self, attempt: Attempt, contract_size: int, now: int) -> None:
        """Carry an attempt on: settled by the contract's state, or sent again, or replaced at a higher fee."""
        if contract_size >= attempt.size:
            ours = self._port.head_of(self._contract, attempt.root) is not None
            self._settle(attempt, "mined" if ours else "superseded")
            return
        with self._database.read() as connection:
            transactions = anchor_store.transactions(connection, attempt.id)
        if self._port.next_nonce(self._plan.identity.operator) > attempt.nonce:
            reverted = any(self._port.failed(transaction.hash) for transaction in transactions)
            self._settle(attempt, "reverted" if reverted else "nonce_taken")
            return
        newest = transactions[-1]
        moved = contract_size != attempt.from_size
        stuck = newest.sent_at is not None and now - newest.created_at >= self._plan.chain.resend
        if moved or stuck:
            fees = self._bumped(newest)
            if fees.max_fee <= self._plan.chain.max_fee:
                # The same nonce; if the head moved, from the new head.
                newest = self._sign(replace(attempt, from_size=contract_size), fees, now)
            else:
                _log.warning("alarm: a transaction waits at the chain's max_fee_gwei: raise it, or wait")
        self._send(attempt, newest, now)

    def _begin(self, contract_size: int, now: int) -> None:
        """Begin an attempt if there is something to anchor and the interval has passed."""
        chain_id = self._plan.chain.chain_id
        with self._database.read() as connection:
            state = log.state(connection)
            size, root = state.size, state.root
            last = anchor_store.last_attempt_at(connection, chain_id)
            if size <= contract_size or now < last + self._plan.interval:
                return
        nonce = self._port.next_nonce(self._plan.identity.operator)
        attempt = Attempt(0, chain_id, contract_size, size, root, nonce, "prepared", now)
        transaction = self._sign(attempt, self._within(self._port.fees()), now)
        with self._database.read() as connection:
            stored = anchor_store.open_attempt(connection, chain_id)
        if stored is not None:
            self._send(stored, transaction, now)

    def _sign(self, attempt: Attempt, fees: Fees, now: int) -> Transaction:
        """Return a signed transaction for the attempt, stored with it."""
        with self._database.read() as connection:
            # Before each signature, the first and every later one of an attempt: a row may have been damaged meanwhile.
            root, _ = log.checked_head(connection, attempt.size)
            if root != attempt.root:
                raise InvalidData("log.head_mislabelled", size=attempt.size, root=to_hex(attempt.root))
            proof = (
                tiles.consistency_proof(log.tile_reader(connection), attempt.from_size, attempt.size)
                if attempt.from_size
                else []
            )
        reached("anchor.head_checked")
        call = AnchorCall(self._contract, attempt.from_size, attempt.size, attempt.root, tuple(proof))
        self._port.simulate(call, self._plan.identity.operator)
        signed_hash, raw = self._port.sign(
            call, self._plan.operator_key, self._plan.chain.chain_id, attempt.nonce, fees
        )
        transaction = Transaction(signed_hash, raw, fees.max_fee, fees.priority_fee, now, None)
        reached("anchor.signed")
        with self._database.write() as connection:
            if attempt.id:
                key = attempt.id
                anchor_store.set_attempt(connection, key, from_size=attempt.from_size)
            else:
                key = anchor_store.insert_attempt(connection, attempt)
            anchor_store.insert_transaction(connection, key, transaction)
        reached("anchor.stored")
        return transaction

    def _send(self, attempt: Attempt, transaction: Transaction, now: int) -> None:
        """Send a stored transaction; a node that has it already is as good as one that takes it."""
        try:
            self._port.send(transaction.raw)
        except InvalidData as error:
            if "insufficient funds" in str(error.params.get("message", "")).lower():
                _log.warning("alarm: the node does not take the transaction: %s", error)
                return  # not sent: a higher fee would not help
            # "already known" and "nonce too low" are what a repeat looks like; the state will tell at the next tick.
            _log.info("not taken: %s", error)
        reached("anchor.sent")
        with self._database.write() as connection:
            anchor_store.mark_sent(connection, transaction.hash, now)
            anchor_store.set_attempt(connection, attempt.id, state="sent")
        reached("anchor.noted")

    def _settle(self, attempt: Attempt, state: str) -> None:
        with self._database.write() as connection:
            anchor_store.set_attempt(connection, attempt.id, state=state)
        reached("anchor.settled")
        _log.info("attempt size=%d is %s", attempt.size, state)

    def _within(self, fees: Fees) -> Fees:
        """Return fees of at most the chain's maximum: a spike, or a node that lies, must not empty the account."""
        most = self._plan.chain.max_fee
        return Fees(min(fees.max_fee, most), min(fees.priority_fee, most))

    def _bumped(self, transaction: Transaction) -> Fees:
        """Return fees that replace a transaction: the present ones, but at least a quarter more than it offers."""
        fees = self._within(self._port.fees())
        return Fees(
            max(fees.max_fee, transaction.max_fee * (100 + FEE_BUMP_PERCENT) // 100 + 1),
            max(fees.priority_fee, transaction.priority_fee * (100 + FEE_BUMP_PERCENT) // 100 + 1),
        )

    def _warn(self, contract_size: int, now: int) -> None:
        """Raise the alarms that a person must answer."""
        operator = self._plan.identity.operator
        balance = self._port.balance(operator)
        if balance < LOW_BALANCE:
            _log.warning("alarm: the operator %s has %d wei left: fund it", to_checksum(operator), balance)
        with self._database.read() as connection:
            oldest = store.oldest_accepted_beyond(connection, contract_size)
        if oldest is not None and now - oldest > ALARM_INTERVALS * self._plan.interval:
            _log.warning("alarm: a statement accepted %d s ago is not anchored", now - oldest)
