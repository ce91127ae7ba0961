"""The write queue of a web process: requests wait in it, and one thread writes them in groups.

The statements of a group share one transaction, and so do its signatures of drafts, because one fsync costs the same
for one and for hundreds. While a group is being written, the next one collects. So groups grow with the load, and no
request is held back to wait for others. A request is answered only after its group's commit has returned.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from deedlog.registry.acceptance.accept import WriteRequest, accept_checked
from deedlog.registry.acceptance.drafts import sign_all
from deedlog.registry.errors import DeedlogError, Unavailable
from deedlog.registry.store import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.registry.acceptance.accept import Answer
    from deedlog.registry.acceptance.drafts import Signed, Signing
    from deedlog.registry.store.clock import Clock
    from deedlog.registry.store.database import Database

MAXIMUM_GROUP = 512
"""The most statements in one transaction; a single request may exceed it. Each request waits for its whole group."""

MAXIMUM_WAITING = 4_096
"""The most statements that may wait: about a second's work. More would only wait longer and fill memory."""

Waiting = tuple["WriteRequest | Signing", asyncio.Future[Any]]


class WriteQueue:
    """The one writer of a web process. Call its methods on one event loop; requests are written in call order."""

    def __init__(self, database: Database, clock: Clock = clock.check) -> None:
        """Create the queue for a database; `clock` dates what it writes. Its thread starts with the first request."""
        self._database = database
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "acceptance")
        self._waiting: deque[Waiting] = deque()
        self._size = 0
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """The number of statements that are waiting or being written."""
        return self._size

    def check_room(self) -> None:
        """Raise `Unavailable` (`statement.too_many_waiting`, `statement.stopping`) if no request is accepted now."""
        if self._closed:
            raise Unavailable("statement.stopping")
        if self._size >= MAXIMUM_WAITING:
            raise Unavailable("statement.too_many_waiting", waiting=self._size)

    async def accept(self, request: WriteRequest) -> list[Answer]:
        """Store a request's statements; return their answers, in order, once the stored ones are durable.

        Raises `Unavailable` as `check_room` does, or `clock.…` if they cannot be dated.
        """
        if not request.items:
            return []
        answers: list[Answer] = await self._wait(request)
        return answers

    async def sign(self, signing: Signing) -> Signed:
        """Add signatures to a draft; return the answer once they are durable.

        Raises the `DeedlogError` that refused them, or `Unavailable` as `accept` does.
        """
        answer: Signed | DeedlogError = await self._wait(signing)
        if isinstance(answer, DeedlogError):
            raise answer
        return answer

    async def _wait(self, job: WriteRequest | Signing) -> Any:
        self.check_room()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, answer))
        self._size += _size(job)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def close(self) -> None:
        """Refuse new requests, and return once all waiting ones are answered."""
        self._closed = True
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._waiting:
            group = self._take()
            jobs = [job for job, _ in group]
            write = partial(_write_all, self._database, self._clock, jobs)
            writing = asyncio.get_running_loop().run_in_executor(self._thread, write)
            # `asyncio.wait` does not raise: an error in the thread goes to each waiting request instead.
            await asyncio.wait([writing])
            failure = writing.exception()
            for position, (job, answer) in enumerate(group):
                self._size -= _size(job)
                if answer.done():  # its request was cancelled
                    continue
                if failure is not None:
                    answer.set_exception(failure)
                else:
                    answer.set_result(writing.result()[position])
        self._writing = None

    def _take(self) -> list[Waiting]:
        """Remove and return the next group: whole requests, in order."""
        group = [self._waiting.popleft()]
        size = _size(group[0][0])
        while self._waiting and size + _size(self._waiting[0][0]) <= MAXIMUM_GROUP:
            group.append(self._waiting.popleft())
            size += _size(group[-1][0])
        return group


def _size(job: WriteRequest | Signing) -> int:
    """Return how many statements a request counts for; a signing counts as one."""
    return len(job.items) if isinstance(job, WriteRequest) else 1


def _write_all(database: Database, clock: Clock, jobs: Sequence[WriteRequest | Signing]) -> list[Any]:
    """Store the statements of a group, then its signatures; return the answers in the order of `jobs`."""
    requests = [job for job in jobs if isinstance(job, WriteRequest)]
    signings = [job for job in jobs if not isinstance(job, WriteRequest)]
    kept = iter(accept_checked(database, requests, clock))
    signed = iter(sign_all(database, signings, clock) if signings else [])
    return [next(kept) if isinstance(job, WriteRequest) else next(signed) for job in jobs]
