"""The worker: the only process that opens keys. A fault ends it; a role lost to another worker is none.

One thread sequences and one anchors, each while this process holds the role; one renews both roles, or waits for them.
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
from deedlog.api.bootstrap import open_registry, read_deployment
from deedlog.api.texts import error_text, text
from deedlog.registry import keystore, times
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable
from deedlog.registry.failpoints import failpoint
from deedlog.registry.store import alarms
from deedlog.registry.store import statements as store
from deedlog.registry.store.lease import ANCHORER, SEQUENCER, Fenced, Roles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deedlog.api.settings import Settings
    from deedlog.registry.store.database import Transactions
    from deedlog.registry.store.lease import Lease

_log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05
"""How long the sequencer sleeps when nothing waits."""

BEAT_SECONDS = 1
"""How often roles are renewed or asked for: five times within the life of a lease."""

RETRY_SECONDS = 2
"""How long a role that was given up for want of a node is left to others: they ask twice meanwhile."""

PATIENCE_SECONDS = 30
"""How long the anchorer keeps its role while no tick succeeds."""


class Worker:
    """Sequences and anchors until told to stop, as far as no other worker does."""

    def __init__(self, settings: Settings, stopping: threading.Event, language: str) -> None:
        """Open the database and the keys, and check that they belong together; alarms are said in `language`."""
        self._language = language
        self._database, self._identity = open_registry(settings)
        self._last_signed = last_signed.path_beside(settings.log_key)
        self._log_key = log_key.read(settings.log_key, settings.log_passphrase())
        log.check_key(self._identity, self._log_key)
        operator_key = keystore.read(settings.operator_key, settings.operator_passphrase())
        last_signed.check(self._last_signed, self._database)
        chain = settings.chosen_chain()
        if read_deployment(settings, self._identity) is None:
            _log.warning("no record of a deployment on %s: the contract is looked for all the same", chain.name)
        self._config = AnchoringConfig(chain, self._identity, operator_key, settings.anchor_interval)
        self._chain = EvmChain(settings.chosen_rpc_url())
        self._roles = Roles(self._database, (SEQUENCER, ANCHORER))
        self.stopping = stopping
        self._stopped = threading.Event()
        self._fault: Exception | None = None

    def run(self) -> None:
        """Work until `stopping` is set; raise what ended a thread."""
        _log.info("worker holder=%s pid=%d", self._roles.holder, os.getpid())
        # Said at once, and not on the day on which this worker is to replace another.
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
        # Until here: a tick that waits for a slow node keeps its role.
        self._stopped.set()
        heart.join()
        self._database.close()
        if self._fault is not None:
            raise self._fault

    def _guarded(self, loop: Callable[..., None], *arguments: object) -> None:
        try:
            loop(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again by `run`
            self._fault = error
        finally:
            self.stopping.set()

    def _beat(self) -> None:
        while not self._stopped.is_set():
            try:
                self._roles.beat()
                if self._roles.held(SEQUENCER) is None and not self.stopping.is_set():
                    self._remember()  # what others sign with the same key, for the day on which this one goes on
            except (Unavailable, DatabaseError) as error:
                _log.warning("alarm: this round of the roles failed: %s", error)
            self._stopped.wait(BEAT_SECONDS)

    def _while_held(self, role: str, work: Callable[[Lease], None]) -> None:
        """Call `work` with each lease of the role; it returns when that is no longer held, or raises `lease.lost`."""
        try:
            while not self.stopping.is_set():
                lease = self._roles.held(role)
                if lease is None:
                    self.stopping.wait(IDLE_SECONDS)
                    continue
                # Another worker may have brought the tables to a form that this one does not know.
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
            # Before the role is dropped: what a commit of unknown outcome left is for the next process to read.
            self.stopping.set()
            raise
        finally:
            # After a fault the role is not given up: what became of the last write is unknown. Its lease runs out.
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
        wrong = self._wrong_with_chain(database)
        self._raise_alarms(database, {} if wrong is None else {wrong.code: wrong.params})
        if wrong is not None:
            # Another worker may have a node that answers.
            self._give_up(lease.role, RETRY_SECONDS)
            return
        # What a worker that crashed has committed and not remembered is remembered before anything is added to it.
        self._remember()
        while self._holds(lease):
            count, size = self._sequence_batch(database)
            if count:
                self._remember()
                failpoint("sequence.remembered")
                _log.info("logged entries=%d size=%d term=%d", count, size, lease.term)
            else:
                self.stopping.wait(IDLE_SECONDS)

    def _check_chain(self) -> None:
        """Raise `InvalidData` if the chain says that this registry cannot go on, or that this key may not anchor."""
        anchorer = self._new_anchorer(self._database)
        try:
            anchorer.check_operator(anchorer.check())
        except Unavailable as error:
            _log.warning("the chain is not ready: %s", error_text(self._language, error), extra={"alarm": error.code})

    def _wrong_with_chain(self, database: Transactions) -> Unavailable | None:
        """Return why the chain has not answered that its head is one of ours; raise `InvalidData` if it is not.

        Asked before the first signature under each lease: an old backup must not sign a second history.
        """
        try:
            self._new_anchorer(database).check()
        except Unavailable as error:
            if error.code == "lease.lost":
                raise
            return error
        return None

    def _say(self, anchorer: Anchorer, database: Fenced, error: DeedlogError) -> None:
        """Raise the alarm that a round failed; what the rounds before had found is not over by that."""
        try:
            with database.read() as connection:
                found = [alarm for alarm in alarms.alarms(connection) if alarm.role == database.lease.role]
            lasting = {alarm.code: alarm.params for alarm in found if alarm.code.startswith(("alarm.", "worker."))}
            lasting.pop("alarm.anchor_late", None)
            self._raise_alarms(database, lasting | anchorer.late(times.now()) | {error.code: error.params})
        except OperationalError as another:
            _log.warning("alarm: %s; it could not be kept: %s", error, another)

    def _raise_alarms(self, database: Fenced, current: Mapping[str, Mapping[str, str | int]]) -> None:
        """Keep what is wrong as the holder of a role sees it, and say in the log what is new and what is over."""
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
        # Before each batch: a database that fails over to an old copy does so under our feet.
        last_signed.check(self._last_signed, database)
        # An error of a commit leaves its outcome unknown: it ends the process, and the next one reads first.
        return log.sequence_batch(database, self._identity, self._log_key, times.now())

    def _remember(self) -> None:
        """Note the committed head in the last-signed file."""
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
