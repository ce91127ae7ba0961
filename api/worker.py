"""The worker: the only process that opens keys. A fault ends it; losing a role to another worker is not a fault.

One thread sequences and one anchors, each while this process holds that role. A third thread renews both leases, or
tries to take them.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError, OperationalError

from deedlog.anchor.anchoring.anchorer import Anchorer
from deedlog.anchor.anchoring.chain_view import StopAnchoringError
from deedlog.anchor.anchoring.config import AnchoringConfig
from deedlog.anchor.log import key as log_key
from deedlog.anchor.log import last_signed
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.api.bootstrap import check_chain, check_deployed, open_registry, read_deployment
from deedlog.api.texts import error_text, text
from deedlog.registry import keystore, times
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable
from deedlog.registry.failpoints import failpoint
from deedlog.registry.store import alarms, clock
from deedlog.registry.store import statements as store
from deedlog.registry.store.lease import ANCHORER, SEQUENCER, Fenced, Roles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deedlog.api.settings import Settings
    from deedlog.registry.store.database import Transactions
    from deedlog.registry.store.lease import Lease

_log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05
"""How long the sequencer sleeps when no statement waits."""

BEAT_SECONDS = 1
"""Seconds between attempts to renew or take a role: five times within the life of a lease."""

RETRY_SECONDS = 2
"""How long this worker leaves a role to others after giving it up because its node fails. They try twice meanwhile."""

PATIENCE_SECONDS = 30
"""How long the anchorer keeps its role while no tick succeeds."""


_LASTING = ("alarm.", "worker.", "clock.")
"""The alarms that a failed tick leaves raised; the others are of the tick before, and over with it."""


class Worker:
    """Sequences and anchors until told to stop, while it holds those roles."""

    def __init__(self, settings: Settings, stopping: threading.Event, language: str) -> None:
        """Open the database and the keys, and check that they belong together. Alarms are logged in `language`."""
        self._language = language
        self._settings = settings
        self._database, self._identity = open_registry(settings)
        check_chain(settings, self._identity)
        self._last_signed = last_signed.path_beside(settings.log_key)
        self._log_key = log_key.read(settings.log_key, settings.log_passphrase())
        log.check_key(self._identity, self._log_key)
        operator_key = keystore.read(settings.operator_key, settings.operator_passphrase())
        last_signed.check(self._last_signed, self._database)
        chain = settings.chosen_chain()
        if read_deployment(settings, self._identity, chain.chain_id) is None:
            _log.warning("no record of a deployment on %s: the contract is looked for all the same", chain.name)
        self._config = AnchoringConfig(chain, self._identity, operator_key, settings.anchor_interval)
        self._chain = EvmChain(settings.chosen_rpc_url())
        self._roles = Roles(self._database, (SEQUENCER, ANCHORER))
        self.stopping = stopping
        self._stopped = threading.Event()
        self._fault: Exception | None = None

    def run(self) -> None:
        """Work until `stopping` is set; raise the error that ended a thread, if any."""
        _log.info("worker holder=%s pid=%d", self._roles.holder, os.getpid())
        # Checked at the start, so a wrong setting shows now and not on the day this worker must replace another.
        self._check_chain()
        loops = [
            threading.Thread(target=self._guarded, args=(self._while_held, role, work), name=role)
            for role, work in ((SEQUENCER, self._sequence), (ANCHORER, self._anchor))
        ]
        heart = threading.Thread(target=self._guarded, args=(self._beat,), name="roles")
        for thread in (*loops, heart):
            thread.start()
        for thread in loops:
            thread.join()
        # Renew the leases until the loops have ended: a tick that waits for a slow node keeps its role.
        self._stopped.set()
        heart.join()
        self._database.close()
        if self._fault is not None:
            raise self._fault

    def _guarded(self, loop: Callable[..., None], *arguments: object) -> None:
        try:
            loop(*arguments)
        except Exception as error:  # noqa: BLE001 - `run` raises it again
            self._fault = error
        finally:
            self.stopping.set()

    def _beat(self) -> None:
        while not self._stopped.is_set():
            try:
                self._roles.beat()
                if self._roles.held(SEQUENCER) is None and not self.stopping.is_set():
                    self._remember()  # heads that another worker signed with the same key, in case this one takes over
            except (Unavailable, DatabaseError) as error:
                _log.warning("alarm: this round of the roles failed: %s", error)
            self._stopped.wait(BEAT_SECONDS)

    def _while_held(self, role: str, work: Callable[[Lease], None]) -> None:
        """Call `work` with each lease of the role. When the role is lost, `work` returns or raises `lease.lost`."""
        try:
            while not self.stopping.is_set():
                lease = self._roles.held(role)
                if lease is None:
                    self.stopping.wait(IDLE_SECONDS)
                    continue
                # A newer worker may have migrated the tables to a schema version that this one does not know.
                self._database.check_version()
                try:
                    work(lease)
                except Unavailable as error:
                    if error.code != "lease.lost":
                        raise
                    _log.warning("lost role=%s term=%d: this worker stands by", role, lease.term)
                    self._roles.drop(role)
            self._give_up(role, math.inf)
        except BaseException:
            # Stop before the role is dropped: if the outcome of a commit is unknown, the next process must read it.
            self.stopping.set()
            raise
        finally:
            # After a fault, let the lease expire instead of releasing it: the outcome of the last write is unknown.
            self._roles.drop(role, math.inf)

    def _holds(self, lease: Lease) -> bool:
        return self._roles.held(lease.role) == lease and not self.stopping.is_set()

    def _give_up(self, role: str, rest: float) -> None:
        try:
            self._roles.release(role, rest)
        except (Unavailable, DatabaseError) as error:
            _log.warning("the role %s was not given up, its lease runs out: %s", role, error)

    def _sequence(self, lease: Lease) -> None:
        database = Fenced(self._database, lease)
        wrong = self._wrong_with_chain(database) or self._wrong_with_clock(database)
        self._raise_alarms(database, {} if wrong is None else {wrong.code: wrong.params})
        if wrong is not None:
            # Another worker may have a node that answers, or a right clock.
            self._give_up(lease.role, RETRY_SECONDS)
            return
        # A worker that crashed may have committed a head without remembering it. Remember it before adding entries.
        self._remember()
        while self._holds(lease):
            try:
                count, size = self._sequence_batch(database)
            except Unavailable as error:
                if not error.code.startswith("clock."):
                    raise
                # Nothing was written. This work begins again from the start, and says what is wrong.
                self._raise_alarms(database, {error.code: error.params})
                self._give_up(lease.role, RETRY_SECONDS)
                return
            if count:
                self._remember()
                failpoint("sequence.remembered")
                _log.info("logged entries=%d size=%d term=%d", count, size, lease.term)
            else:
                self.stopping.wait(IDLE_SECONDS)

    def _check_chain(self) -> None:
        """Raise `InvalidData` if the chain shows that this registry cannot go on, or that this key may not anchor.

        If the chain does not answer (`Unavailable`), only log a warning.
        """
        anchorer = self._new_anchorer(self._database)
        try:
            check_deployed(self._settings, self._identity)
            anchorer.check_operator(anchorer.check())
        except Unavailable as error:
            _log.warning("the chain is not ready: %s", error_text(self._language, error), extra={"alarm": error.code})

    def _wrong_with_chain(self, database: Transactions) -> Unavailable | None:
        """Return the error if the chain has not confirmed its head as one of ours; raise `InvalidData` if it denies it.

        Also return the error if the contract is missing on one of several chains: a registry opens on all at once. The
        sequencer asks before the first signature under each lease, so an old backup cannot sign a second history.
        """
        try:
            check_deployed(self._settings, self._identity)
            self._new_anchorer(database).check()
        except Unavailable as error:
            if error.code == "lease.lost":
                raise
            return error
        return None

    def _wrong_with_clock(self, database: Transactions) -> Unavailable | None:
        """Return the error if this worker's clock, or that of what waits, is wrong: an entry's time stays for ever."""
        try:
            with database.read() as connection:
                log.check_next(connection, clock.read)
        except Unavailable as error:
            if not error.code.startswith("clock."):
                raise
            return error
        return None

    def _say(self, anchorer: Anchorer, database: Fenced, error: DeedlogError) -> None:
        """Raise the alarm that a tick failed. Alarms of earlier ticks stay raised."""
        try:
            with database.read() as connection:
                found = [alarm for alarm in alarms.alarms(connection) if alarm.role == database.lease.role]
            # Also a contradicted clock: until a tick has seen the chain again, nothing may be dated by it.
            lasting = {alarm.code: alarm.params for alarm in found if alarm.code.startswith(_LASTING)}
            lasting.pop("alarm.anchor_late", None)
            self._raise_alarms(database, lasting | anchorer.late(times.now()) | {error.code: error.params})
        except OperationalError as another:
            _log.warning("alarm: %s; it could not be kept: %s", error, another)

    def _raise_alarms(self, database: Fenced, current: Mapping[str, Mapping[str, str | int]]) -> None:
        """Store the current alarms of a role, and log which are new and which are over."""
        role = database.lease.role
        with database.read() as connection:
            before = {alarm.code: alarm.params for alarm in alarms.alarms(connection) if alarm.role == role}
        if before == current:
            return
        with database.write() as connection:
            alarms.put(connection, role, current, times.now())
        for code in current.keys() - before.keys():
            said = text(self._language, code, current[code])
            _log.warning("alarm: %s", said, extra={"alarm": code, "role": role, "params": dict(current[code])})
        for code in before.keys() - current.keys():
            _log.info("over: %s", code, extra={"alarm": code, "role": role})

    def _sequence_batch(self, database: Transactions) -> tuple[int, int]:
        with database.read() as connection:
            if not store.unlogged(connection, 1):
                return 0, 0
        # Check before each batch: the database may fail over to an old copy while we run.
        last_signed.check(self._last_signed, database)
        # A failed commit has an unknown outcome. The error ends this process, and the next one reads first.
        return log.sequence_batch(database, self._identity, self._log_key, clock.read)

    def _remember(self) -> None:
        """Write the committed head to the last-signed file."""
        with self._database.read() as connection:
            state = log_store.state(connection)
        last_signed.remember(self._last_signed, state.size, state.root)

    def _new_anchorer(self, database: Transactions) -> Anchorer:
        return Anchorer(database, self._chain, self._config)

    def _anchor(self, lease: Lease) -> None:
        database = Fenced(self._database, lease)
        anchorer = self._new_anchorer(database)
        well = time.monotonic()
        while self._holds(lease):
            try:
                self._raise_alarms(database, anchorer.tick(times.now()))
                well = time.monotonic()
            except (Unavailable, InvalidData, OperationalError) as error:
                if isinstance(error, Unavailable) and error.code == "lease.lost":
                    raise
                if isinstance(error, DeedlogError):
                    self._say(anchorer, database, error)
                if isinstance(error, StopAnchoringError):
                    raise
                _log.debug("anchoring waits: %s", error)
                if time.monotonic() - well > PATIENCE_SECONDS:
                    # Another worker may have a node that answers.
                    self._give_up(lease.role, RETRY_SECONDS)
                    return
            self.stopping.wait(self._config.chain.poll)
