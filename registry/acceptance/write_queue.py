"""Accepting in groups: many requests wait, one thread keeps what is waiting together, then all are answered.

Statements share one transaction, and so do signatures of drafts. An fsync costs the same for one and for hundreds.
While a group is being written the next one gathers, so that groups grow with the load and nobody waits for company.
A request is answered only after its group's commit returned.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from deedlog.registry.acceptance.accept import WriteRequest, accept_checked
from deedlog.registry.acceptance.drafts import sign_all
from deedlog.registry.errors import DeedlogError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.registry.acceptance.accept import Answer
    from deedlog.registry.acceptance.drafts import Signed, Signing
    from deedlog.registry.store.database import Database

MAXIMUM_GROUP = 512
"""Statements of one transaction, or one request's if they are more: the last of a group waits for all of it."""

MAXIMUM_WAITING = 4_096
"""Statements that may wait: about a second's work. More would only wait longer, and fill the memory."""

Waiting = tuple["WriteRequest | Signing", asyncio.Future[Any]]


class WriteQueue:
    """The one writer of a web process. Its methods are called on one event loop, which is also what orders requests."""

    def __init__(self, database: Database) -> None:
        """Take the database to keep statements in; the thread starts with the first."""
        self._database = database
        self._thread = ThreadPoolExecutor(1, "acceptance")
        self._waiting: deque[Waiting] = deque()
        self._size = 0
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many statements wait or are being written."""
        return self._size

    def check_room(self) -> None:
        """Raise `Unavailable` (`statement.too_many_waiting`, `statement.stopping`) unless a request may be let in."""
        if self._closed:
            raise Unavailable("statement.stopping")
        if self._size >= MAXIMUM_WAITING:
            raise Unavailable("statement.too_many_waiting", waiting=self._size)

    async def accept(self, request: WriteRequest) -> list[Answer]:
        """Keep a request's statements; return their answers, in order, once those that are kept are durable."""
        if not request.items:
            return []
        answers: list[Answer] = await self._wait(request)
        return answers

    async def sign(self, signing: Signing) -> Signed:
        """Take signatures of a draft; return the answer once they are durable, or raise why they are not taken."""
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
        """Let nothing more in, and return when all that waited is answered."""
        self._closed = True
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._waiting:
            group = self._take()
            jobs = [job for job, _ in group]
            writing = asyncio.get_running_loop().run_in_executor(self._thread, _write_all, self._database, jobs)
            # Waits and raises nothing: whatever goes wrong in the thread is each waiting request's to hear.
            await asyncio.wait([writing])
            failure = writing.exception()
            for position, (job, answer) in enumerate(group):
                self._size -= _size(job)
                if answer.done():  # nobody waits any more
                    continue
                if failure is not None:
                    answer.set_exception(failure)
                else:
                    answer.set_result(writing.result()[position])
        self._writing = None

    def _take(self) -> list[Waiting]:
        """Return the next group: whole requests, in their order."""
        group = [self._waiting.popleft()]
        size = _size(group[0][0])
        while self._waiting and size + _size(self._waiting[0][0]) <= MAXIMUM_GROUP:
            group.append(self._waiting.popleft())
            size += _size(group[-1][0])
        return group


def _size(job: WriteRequest | Signing) -> int:
    """Return how many statements a request is."""
    return len(job.items) if isinstance(job, WriteRequest) else 1


def _write_all(database: Database, jobs: Sequence[WriteRequest | Signing]) -> list[Any]:
    """Keep the statements of a group, then take its signatures; return the answers, in the group's order."""
    requests = [job for job in jobs if isinstance(job, WriteRequest)]
    signings = [job for job in jobs if not isinstance(job, WriteRequest)]
    kept = iter(accept_checked(database, requests))
    signed = iter(sign_all(database, signings) if signings else [])
    return [next(kept) if isinstance(job, WriteRequest) else next(signed) for job in jobs]
