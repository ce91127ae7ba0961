"""Checking batches in processes of their own, one for each processor: one interpreter checks one statement at a time.

What a check says depends on nothing but its arguments, so it can be done anywhere; what comes back is small.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from deedlog.api.http.schemas import requests
from deedlog.registry.acceptance.submission import CheckedStatement, Submission, Submitter, check_all
from deedlog.registry.errors import InvalidData, Unavailable

if TYPE_CHECKING:
    from deedlog.registry.errors import DeedlogError

Found = list["CheckedStatement | DeedlogError"]

MAXIMUM_PROCESSES = 4
"""More would wait for the one that keeps what they have checked."""


def check_batch(sent: bytes, registry: bytes, submitter: Submitter, now: int) -> Found:
    """Return each statement of a batch as sent, checked, or what is wrong with it; raise `InvalidData` for the whole.

    Pure: `now` is the registry's clock.
    """
    submissions: list[Submission | DeedlogError] = []
    for item in requests.read_batch(sent):
        try:
            submissions.append(requests.read_submission(item))
        except InvalidData as error:
            submissions.append(error)
    return check_all(submissions, registry, submitter, now)


class Checkers:
    """Processes that check batches; they start with the first one. Its methods are called on one event loop."""

    def __init__(self, processes: int | None = None) -> None:
        """Take how many there may be (None: one for each processor); with one, this process checks."""
        self._processes = min(processes or _processors(), MAXIMUM_PROCESSES)
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False

    async def check(self, sent: bytes, registry: bytes, submitter: Submitter, now: int) -> Found:
        """Do `check_batch`; raise `Unavailable` (`statement.checker_ended`) if its process ended meanwhile."""
        if self._processes == 1:
            return await run_in_threadpool(check_batch, sent, registry, submitter, now)
        if self._closed:
            raise Unavailable("statement.stopping")
        if self._pool is None:
            # Not by fork: this process has threads, and a lock that one of them holds would stay locked in the copy.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _begin)
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, check_batch, sent, registry, submitter, now)
        except BrokenProcessPool as error:
            if self._pool is pool:  # the next batch starts others
                self._pool = None
            raise Unavailable("statement.checker_ended") from error

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        if self._pool is not None:
            # Not waited for, on the event loop: they end with this process at the latest.
            self._pool.shutdown(wait=False, cancel_futures=True)


def _processors() -> int:
    """Return how many processors this process may use; not every system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    """Leave signals to the process that started this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
