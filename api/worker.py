"""The worker: the only process that opens keys. One thread sequences, one anchors; a fault ends the process."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from anchor import last_signed, log, log_key
from anchor.anchoring import Anchorer, Plan
from anchor.chain import EvmChain
from api.app import open_registry, read_deployment
from registry import keystore
from registry.errors import InvalidData, Unavailable
from registry.hexadecimal import to_checksum
from registry.signatures import account_of_private_key
from registry.steps import reached

if TYPE_CHECKING:
    from api.settings import Settings

_log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05
"""How long the sequencer sleeps when nothing waits."""

RETRY_SECONDS = 2


class Worker:
    """Sequences and anchors until told to stop."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        """Open the database and the keys, and check that they belong together."""
        self._database, self._identity = open_registry(settings)
        self._last_signed = last_signed.path_beside(settings.log_key)
        self._log_key = log_key.read(settings.log_key, settings.log_passphrase())
        operator_key = keystore.read(settings.operator_key, settings.operator_passphrase())
        operator = account_of_private_key(operator_key)
        if operator != self._identity.operator:
            raise InvalidData(
                "worker.other_operator",
                expected=to_checksum(self._identity.operator),
                actual=to_checksum(operator),
            )
        last_signed.check(self._last_signed, self._database)
        chain = settings.chosen_chain()
        if read_deployment(settings, self._identity) is None:
            _log.warning("no record of a deployment on %s: the contract is looked for all the same", chain.name)
        plan = Plan(chain, self._identity, operator_key, settings.anchor_interval)
        self._anchorer = Anchorer(self._database, EvmChain(settings.chosen_rpc_url()), plan)
        self._poll = chain.poll
        self.stopping = stopping
        self._fault: Exception | None = None

    def run(self) -> None:
        """Work until `stopping` is set; raise what ended a thread."""
        # The contract's head is read before anything is signed: an old backup must not sign a second history.
        self._until_answered()
        threads = [
            threading.Thread(target=self._guarded, args=(loop,), name=loop.__name__)
            for loop in (self._sequence, self._anchor)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._database.close()
        if self._fault is not None:
            raise self._fault

    def _until_answered(self) -> None:
        while not self.stopping.is_set():
            try:
                self._anchorer.check()
            except Unavailable as error:
                _log.warning("alarm: waiting for the chain before the first signature: %s", error)
                self.stopping.wait(RETRY_SECONDS)
            else:
                return

    def _guarded(self, loop: object) -> None:
        try:
            loop()  # type: ignore[operator] # one of the two methods below
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again by `run`
            self._fault = error
        finally:
            self.stopping.set()

    def _sequence(self) -> None:
        # What a crash before this line kept from the file; else crashes in a row would leave it further behind.
        self._remember()
        while not self.stopping.is_set():
            # An error of a commit leaves its outcome unknown: it ends the process, and the next one reads first.
            count = log.sequence(self._database, self._identity, self._log_key, int(time.time()))
            if count:
                size = self._remember()
                reached("sequence.remembered")
                _log.info("logged entries=%d size=%d", count, size)
            else:
                self.stopping.wait(IDLE_SECONDS)

    def _remember(self) -> int:
        """Note the committed head in the last-signed file; return its size."""
        with self._database.read() as connection:
            state = log.state(connection)
        last_signed.remember(self._last_signed, state.size, state.root)
        return state.size

    def _anchor(self) -> None:
        while not self.stopping.is_set():
            try:
                self._anchorer.tick(int(time.time()))
            except (Unavailable, OperationalError) as error:
                _log.warning("alarm: anchoring waits: %s", error)
            except InvalidData as error:
                if error.code.startswith("anchoring."):
                    raise
                _log.warning("alarm: anchoring waits: %s", error)
            self.stopping.wait(self._poll)
