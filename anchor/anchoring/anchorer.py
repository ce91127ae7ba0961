"""Anchoring: send the log's head to the contract, and fetch its proof.

`Anchorer.tick` does the work that is due and returns. Repeated ticks converge from any state that a crash, a
reorganisation or another account's transaction left. Whether a head is anchored is read from the contract's state,
never from a receipt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.chain_view import StopAnchoringError, observe
from deedlog.anchor.anchoring.sender import Alarms, Sender
from deedlog.anchor.anchoring.store import ChainStatus
from deedlog.anchor.anchoring.tracker import Tracker
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_checksum
from deedlog.registry.store import clock
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from deedlog.anchor.anchoring.chain_port import ChainPort
    from deedlog.anchor.anchoring.chain_view import ChainView
    from deedlog.anchor.anchoring.config import AnchoringConfig
    from deedlog.registry.store.database import Transactions

ALARM_INTERVALS = 3
"""An entry that is still unanchored after this many anchor intervals raises an alarm."""

LOW_BALANCE = 10**16
"""In wei. A lower balance raises an alarm. Pays for some tens of anchors on Ethereum, thousands on a rollup."""

BLOCK_AHEAD_SECONDS = 300
"""How much later than this machine's clock the newest block may be dated. Producers of blocks allow each other less."""

BLOCK_OLD_SECONDS = 3600
"""How old the newest block may be. Blocks come seconds apart, so the chain or the node stands still, or the clock is
ahead."""

STATUS_SECONDS = 5
"""While only block number and time change, the chain's status is stored at most once in this many seconds."""


class Anchorer:
    """Anchors one log on one chain."""

    def __init__(self, database: Transactions, port: ChainPort, config: AnchoringConfig) -> None:
        """Store the arguments. Makes no call to the chain."""
        self._database = database
        self._port = port
        self._config = config
        self._tracker = Tracker(database, port, config)
        self._sender = Sender(database, port, config)
        self._noted: ChainStatus | None = None
        self._vanished = False

    def check(self) -> ChainView:
        """Observe the chain and return the view that a tick may act on (`anchor.anchoring.chain_view.observe`).

        Raises `Unavailable` (`chain.…`) or `StopAnchoringError` (`anchoring.…`).
        """
        try:
            view = observe(self._database, self._port, self._config)
        except StopAnchoringError as error:
            if error.code == "anchoring.final_vanished" and not self._vanished:
                # The node gave no proof of this. Stop only if two checks in a row get the same answer.
                self._vanished = True
                raise Unavailable("chain.contradicts", block=int(error.params["block_number"])) from error
            raise
        self._vanished = False
        return view

    def check_operator(self, view: ChainView) -> None:
        """Raise `InvalidData` (`worker.other_operator`) if the contract names another account as operator.

        The registry address commits to the first operator; the owner may have replaced it since.
        """
        operator = self._port.operator(self._config.contract, view.tip.number)
        if operator != self._config.operator:
            actual = to_checksum(self._config.operator)
            raise InvalidData("worker.other_operator", expected=to_checksum(operator), actual=actual)

    def tick(self, now: int) -> Alarms:
        """Do what is due at `now` (Unix seconds): update anchors, settle or resend the open attempt, or begin one.

        Returns the alarms. Raises `Unavailable` (`chain.…`, `anchoring.raced`) if a later tick may succeed,
        `StopAnchoringError` (`anchoring.…`) if the contract and this log contradict each other, or `InvalidData`
        (`log.…`, `chain.would_revert`) if the head cannot be sent.
        """
        alarms: Alarms = {}
        view = self.check()
        self._tracker.follow(view)
        with self._database.read() as connection:
            kept = anchor_store.newest_anchor(connection, self._config.chain.chain_id)
        if kept is not None and kept.size > view.size:
            # The tracker found the anchor in place, so the node that answered with the contract's head lags.
            raise Unavailable("chain.behind", block=view.tip.number, known=kept.proof_number)
        try:
            self.check_operator(view)
        except InvalidData as error:
            alarms[error.code] = error.params
        else:
            self._sender.go_on(view, now, alarms)
        self._warn(view, now, alarms)
        return alarms

    def _warn(self, view: ChainView, now: int, alarms: Alarms) -> None:
        """Store the chain's status, and raise the alarms that a person must act on."""
        balance = self._port.balance(self._config.operator, view.tip.number)
        if balance < LOW_BALANCE:
            alarms["alarm.balance_low"] = {"account": to_checksum(self._config.operator), "balance": str(balance)}
        self._clock_and_chain(view, alarms)
        alarms |= self.late(now)
        self._note(ChainStatus(self._config.chain.chain_id, view.tip.number, view.size, balance, now))

    def _clock_and_chain(self, view: ChainView, alarms: Alarms) -> None:
        """Raise the alarms about the registry's clock and the chain's newest block.

        A block after the clock shows a clock that is behind. A clock after the block shows less: the chain or the node
        may stand still. The times of a development chain are whatever its owner wants.
        """
        if self._config.chain.development:
            return
        try:
            with self._database.read() as connection:
                now = clock.read(connection)
        except Unavailable:  # this machine's clock is wrong, which the sequencer says
            return
        ahead = view.tip.timestamp - now
        if ahead > BLOCK_AHEAD_SECONDS:
            alarms[clock.BEHIND_CHAIN] = {"seconds": ahead, "block": view.tip.number}
        if -ahead > BLOCK_OLD_SECONDS:
            alarms["alarm.block_old"] = {"seconds": -ahead, "block": view.tip.number}

    def late(self, now: int) -> Alarms:
        """Return the alarm `alarm.anchor_late` if a statement has waited too long for an anchor.

        Reads stored anchors only, so it works while the chain cannot be reached.
        """
        with self._database.read() as connection:
            kept = anchor_store.newest_anchor(connection, self._config.chain.chain_id)
            oldest = store.oldest_accepted_beyond(connection, 0 if kept is None else kept.size)
        deadline = ALARM_INTERVALS * self._config.interval
        if oldest is None or now - oldest <= deadline:
            return {}
        return {"alarm.anchor_late": {"seconds": now - oldest, "deadline": deadline}}

    def _note(self, status: ChainStatus) -> None:
        if self._noted is not None and status.seen_at - self._noted.seen_at < STATUS_SECONDS:
            known = replace(self._noted, block_number=status.block_number, seen_at=status.seen_at)
            if status == known:
                return
        with self._database.write() as connection:
            anchor_store.put_chain_status(connection, status)
        self._noted = status
