"""Accepting in groups: many requests wait, one thread keeps what is waiting in one transaction, then all are answered.

An fsync costs the same for one statement and for hundreds. While a group is being written the next one gathers, so that
groups grow with the load and nobody waits for company. A request is answered only after its group's commit returned.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from registry.errors import Unavailable
from registry.service import Answer, Request, keep

if TYPE_CHECKING:
    from registry.database import Database

MAXIMUM_GROUP = 512
"""Statements of one transaction, or one request's if they are more: the last of a group waits for all of it."""

MAXIMUM_WAITING = 4_096
"""Statements that may wait: about a second's work. More would only wait longer, and fill the memory."""

Waiting = tuple[Request, asyncio.Future[list[Answer]]]


class Acceptance:
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

    async def keep(self, request: Request) -> list[Answer]:
        """Keep a request's statements; return their answers, in order, once those that are kept are durable."""
        if not request.items:
            return []
        self.check_room()
        answers: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answers))
        self._size += len(request.items)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await answers

    async def close(self) -> None:
        """Let nothing more in, and return when all that waited is answered."""
        self._closed = True
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._waiting:
            group = self._take()
            requests = [request for request, _ in group]
            writing = asyncio.get_running_loop().run_in_executor(self._thread, keep, self._database, requests)
            # Waits and raises nothing: whatever goes wrong in the thread is each waiting request's to hear.
            await asyncio.wait([writing])
            failure = writing.exception()
            for position, (request, answers) in enumerate(group):
                self._size -= len(request.items)
                if answers.done():  # nobody waits any more
                    continue
                if failure is not None:
                    answers.set_exception(failure)
                else:
                    answers.set_result(writing.result()[position])
        self._writing = None

    def _take(self) -> list[Waiting]:
        """Return the next group: whole requests, in their order."""
        group = [self._waiting.popleft()]
        size = len(group[0][0].items)
        while self._waiting and size + len(self._waiting[0][0].items) <= MAXIMUM_GROUP:
            group.append(self._waiting.popleft())
            size += len(group[-1][0].items)
        return group
