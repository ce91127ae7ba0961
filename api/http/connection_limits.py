"""Limits on one connection: the size of a request's head, and the time for head, body and answer.

uvicorn has none of them: its one setting for the head's size applies only to its slower parser, and its only timeout
is the one between requests. Without limits, one client can fill the memory with an endless header, and a thousand
clients can hold all connections by sending a byte now and then. A reverse proxy can set limits too, but a registry must
be safe without one. Bodies are bounded where they are read (`api.http.context`).

`HttpToolsProtocol` is not a public interface of uvicorn. So `pyproject.toml` allows versions only up to the newest one
tested, and `tests/api/running/test_connections.py` fails with a clear message if a method or attribute has changed. To
allow a newer version, raise the bound and run that file.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deedlog.api.http import problems
from deedlog.registry.errors import InvalidData

if TYPE_CHECKING:
    import asyncio

MAXIMUM_HEAD = 64 * 1024
"""Maximum bytes of request line and headers, not counting those in the head's first packet."""


class BoundedConnection(HttpToolsProtocol):
    """One client's connection."""

    HEAD_SECONDS = 30.0
    """Time from the head's first byte (on a new connection: from its start) to the end of the headers."""

    BODY_SECONDS = 120.0
    """Time from there to the end of the body: enough for the largest batch at half a megabit a second."""

    WRITE_SECONDS = 120.0
    """How long a client may leave its answer unread."""

    _timer: asyncio.TimerHandle | None = None
    _awaited: tuple[int, float] | None = None
    """The request that the timer is for, and its seconds. A request that arrives in one piece needs no timer."""

    _begun = 0
    """Number of requests begun."""

    _in_head = _in_body = _body_came = False
    _head = 0
    """Bytes of the head so far. In a body, bytes since its last byte: a chunk's size or a trailer (never used)."""

    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Start the timer for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._wait_for(None)
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data; refuse the request if its head has become too large."""
        began = (self._begun, self._in_head, self._in_body)
        self._body_came = False
        super().data_received(data)
        if self._body_came:
            self._head = 0
        # The packet with a head's first bytes is not counted: it may also contain the end of another request's body.
        elif (self._in_head or self._in_body) and began == (self._begun, self._in_head, self._in_body):
            self._head += len(data)
            if self._head > MAXIMUM_HEAD:
                self._refuse(InvalidData("http.head_too_large", maximum=MAXIMUM_HEAD))
        if not self.transport.is_closing():
            self._wait()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        super().on_message_begin()
        self._begun += 1
        self._in_head, self._head = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Accept a header, but no trailer: it could contradict a header already checked (RFC 9110 §6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Note that the head is complete."""
        super().on_headers_complete()
        self._in_head, self._in_body, self._head = False, True, 0

    def on_body(self, body: bytes) -> None:
        """Note that a part of the body has arrived."""
        super().on_body(body)
        self._body_came = True

    def on_message_complete(self) -> None:
        """Note that the request is complete."""
        super().on_message_complete()
        self._in_body = False

    def on_response_complete(self) -> None:
        """Note that the answer is complete, and start the timer for a next request that has already begun."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()
        elif self._in_head or self._in_body:
            self._wait()

    def pause_writing(self) -> None:
        """Start the write timer: the client reads too slowly, and the buffer is full."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Cancel the write timer: the client has read."""
        super().resume_writing()
        if self._stalled is not None and not self.transport.is_closing():
            self._stalled.cancel()
            self._stalled = None

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection: no other request has come."""
        if not self.transport.is_closing():
            self._close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Refuse a request that is not valid HTTP."""
        self._refuse(InvalidData("http.malformed"))

    def _wait(self) -> None:
        """Set the timer for whatever has not arrived yet. No timer runs while an earlier request blocks reading."""
        if self.pipeline or (self._in_head and self._answers()):
            self._wait_for(None)
        elif self._in_head:
            self._wait_for((self._begun, self.HEAD_SECONDS))
        elif self._in_body:
            self._wait_for((self._begun, self.BODY_SECONDS))
        elif not self._answers():
            # A new connection, or empty lines, which may precede a request (RFC 9112 §2.2).
            self._wait_for((self._begun + 1, self.HEAD_SECONDS))
        else:
            self._wait_for(None)

    def _wait_for(self, awaited: tuple[int, float] | None) -> None:
        if awaited == self._awaited:
            return
        self._awaited = awaited
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if awaited is not None:
            self._timer = self.loop.call_later(awaited[1], self._too_slow)

    def _too_slow(self) -> None:
        self._refuse(InvalidData("http.too_slow"))

    def _refuse(self, error: InvalidData) -> None:
        """Answer with an error, in English since no header may have named a language yet, and close."""
        if self.transport.is_closing():
            return
        # Answer only if the client cannot take it for the answer to another request or for a part of one.
        unanswered = self._in_body and not self.pipeline and not self.cycle.response_started
        if unanswered or not self._answers():
            body = json.dumps(problems.problem(error, "en")).encode()
            status = HTTPStatus(problems.status_of(error))
            head = (
                f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {problems.MEDIA_TYPE}\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self._close()

    def _answers(self) -> bool:
        """Return whether the newest request with a complete head still awaits its answer or the rest of it."""
        return self.cycle is not None and not self.cycle.response_complete

    def _close(self) -> None:
        """Close once the client has read what was written, or after `WRITE_SECONDS`."""
        self.transport.close()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.WRITE_SECONDS, self.transport.abort)
