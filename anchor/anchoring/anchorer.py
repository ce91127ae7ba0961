"""Anchoring: the log's head goes to the contract, and its proof comes back.

One `Anchorer.tick` does what is due and returns; called again and again it converges, from whatever state a crash, a
reorganisation or another's transaction left. "Anchored" is read from the contract's state, never from a receipt.
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
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from deedlog.anchor.anchoring.chain_port import ChainPort
    from deedlog.anchor.anchoring.chain_view import ChainView
    from deedlog.anchor.anchoring.config import AnchoringConfig
    from deedlog.registry.store.database import Transactions

ALARM_INTERVALS = 3
"""Anchor intervals after which an unanchored entry is an alarm."""

LOW_BALANCE = 10**16
"""Wei: some tens of anchorings on Ethereum, thousands on a rollup."""

STATUS_SECONDS = 5
"""How old what is noted of the chain may be while nothing changes."""


class Anchorer:
    """Anchors one log on one chain."""

    def __init__(self, database: Transactions, port: ChainPort, config: AnchoringConfig) -> None:
        """Take what is needed; nothing is asked or sent yet."""
        self._database = database
        self._port = port
        self._config = config
        self._tracker = Tracker(database, port, config)
        self._sender = Sender(database, port, config)
        self._noted: ChainStatus | None = None
        self._vanished = False

    def check(self) -> ChainView:
        """Return what the chain says if it may be acted on (`anchor.anchoring.chain_view.observe`); raise otherwise."""
        try:
            view = observe(self._database, self._port, self._config)
        except StopAnchoringError as error:
            if error.code == "anchoring.final_vanished" and not self._vanished:
                # An answer without a proof: only said twice in a row it stops everything.
                self._vanished = True
                raise Unavailable("chain.contradicts", block=int(error.params["block_number"])) from error
            raise
        self._vanished = False
        return view

    def check_operator(self, view: ChainView) -> None:
        """Raise `InvalidData` (`worker.other_operator`) if the contract lets another account anchor.

        The registry address commits to the first operator; the owner may have named another since.
        """
        operator = self._port.operator(self._config.contract, view.tip.number)
        if operator != self._config.operator:
            actual = to_checksum(self._config.operator)
            raise InvalidData("worker.other_operator", expected=to_checksum(operator), actual=actual)

    def tick(self, now: int) -> Alarms:
        """Do what is due at `now` (Unix seconds): record, settle, resend or begin, finalise. Return what is wrong."""
        alarms: Alarms = {}
        view = self.check()
        self._tracker.follow(view)
        with self._database.read() as connection:
            kept = anchor_store.newest_anchor(connection, self._config.chain.chain_id)
        if kept is not None and kept.size > view.size:
            # Not taken away, as far as can be said: the node that was asked for the head lags behind it.
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
        """Note the chain's state, and what a person must answer in it."""
        balance = self._port.balance(self._config.operator, view.tip.number)
        if balance < LOW_BALANCE:
            alarms["alarm.balance_low"] = {"account": to_checksum(self._config.operator), "balance": str(balance)}
        alarms |= self.late(now)
        self._note(ChainStatus(self._config.chain.chain_id, view.tip.number, view.size, balance, now))

    def late(self, now: int) -> Alarms:
        """Return the alarm of statements that have waited too long for an anchor, by what is kept of the chain."""
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
