"""Check batches in separate processes, one per processor, because one interpreter checks one statement at a time.

A check depends only on its arguments, so it can run in any process, and its result is small.
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
"""More processes would only wait for the one process that stores the checked statements."""


def check_batch(sent: bytes, registry: bytes, submitter: Submitter, now: int) -> Found:
    """Check each statement of a batch; return, in order, the checked statement or its error.

    Raises `InvalidData` if the batch as a whole is refused. Pure: `now` is the registry's clock in Unix seconds.
    """
    submissions: list[Submission | DeedlogError] = []
    for item in requests.read_batch(sent):
        try:
            submissions.append(requests.read_submission(item))
        except InvalidData as error:
            submissions.append(error)
    return check_all(submissions, registry, submitter, now)


class Checkers:
    """A pool of processes that check batches. It starts with the first batch. Call its methods on one event loop."""

    def __init__(self, processes: int | None = None) -> None:
        """Set the number of processes (None: one per processor). With one, this process checks batches in a thread."""
        self._processes = min(processes or _processors(), MAXIMUM_PROCESSES)
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False

    async def check(self, sent: bytes, registry: bytes, submitter: Submitter, now: int) -> Found:
        """Run `check_batch`; raise `Unavailable` (`statement.checker_ended`) if its process ended meanwhile.

        Raises `Unavailable` (`statement.stopping`) after `close`.
        """
        if self._processes == 1:
            return await run_in_threadpool(check_batch, sent, registry, submitter, now)
        if self._closed:
            raise Unavailable("statement.stopping")
        if self._pool is None:
            # Do not fork: this process has threads, and a lock held by one of them would stay locked in the child.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _begin)
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, check_batch, sent, registry, submitter, now)
        except BrokenProcessPool as error:
            if self._pool is pool:  # the next batch starts a new pool
                self._pool = None
            raise Unavailable("statement.checker_ended") from error

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        if self._pool is not None:
            # Waiting would block the event loop. The processes end with this one at the latest.
            self._pool.shutdown(wait=False, cancel_futures=True)


def _processors() -> int:
    """Return how many processors this process may use. Not every system reports the affinity."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    """Leave signals to the parent process, and end with the parent, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
