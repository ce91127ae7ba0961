"""What one connection may cost: how large a head may be, how long head, body and answer may take.

uvicorn bounds none of it: its one setting for the size of a head is for its slower parser, and it has no timeouts but
that between requests. Without this, one client fills the memory with a header that never ends, and a thousand hold all
connections by sending a byte now and then. A reverse proxy can bound it too, but a registry must be safe without one.
Bodies are bounded where they are read (`api.http.context`).

`HttpToolsProtocol` is no public interface of uvicorn. So `pyproject.toml` admits only versions up to the newest that
was tried, and `tests/api/test_connections.py` fails with a clear message where a method or attribute has changed. To
admit a newer version: raise the bound, and run that file.
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
"""Bytes of request line and headers, after those of the first packet, with which a head is too large."""


class BoundedConnection(HttpToolsProtocol):
    """One client's connection."""

    HEAD_SECONDS = 30.0
    """From the first byte (of a new connection: from its start) to the end of the headers."""

    BODY_SECONDS = 120.0
    """From there to the end of the body: the largest batch at half a megabit a second."""

    WRITE_SECONDS = 120.0
    """How long a client may read nothing of what it is sent."""

    _timer: asyncio.TimerHandle | None = None
    _awaited: tuple[int, float] | None = None
    """Which request the timer is for, and how long it may take: what has arrived in one piece needs no timer."""

    _begun = 0
    """Requests that have begun."""

    _in_head = _in_body = _body_came = False
    _head = 0
    """Bytes of the head or, in a body, since its last byte: a chunk's size, or a trailer, which nobody reads."""

    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for a request, not for ever."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_for(None)
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has become too large."""
        began = (self._begun, self._in_head, self._in_body)
        self._body_came = False
        super().data_received(data)
        if self._body_came:
            self._head = 0
        # What arrives with a head's first bytes is not counted: the end of another request's body may be among it.
        elif (self._in_head or self._in_body) and began == (self._begun, self._in_head, self._in_body):
            self._head += len(data)
            if self._head > MAXIMUM_HEAD:
                self._refuse(InvalidData("http.head_too_large", maximum=MAXIMUM_HEAD))
        if not self.transport.is_closing():
            self._wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begun += 1
        self._in_head, self._head = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; nothing of a trailer, which could say what was already looked at (RFC 9110 §6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        super().on_headers_complete()
        self._in_head, self._in_body, self._head = False, True, 0

    def on_body(self, body: bytes) -> None:
        """More of its body."""
        super().on_body(body)
        self._body_came = True

    def on_message_complete(self) -> None:
        """It is whole."""
        super().on_message_complete()
        self._in_body = False

    def on_response_complete(self) -> None:
        """Its answer is given: what the client sends next is waited for from here on."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()
        elif self._in_head or self._in_body:
            self._wait()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        if self._stalled is not None and not self.transport.is_closing():
            self._stalled.cancel()
            self._stalled = None

    def timeout_keep_alive_handler(self) -> None:
        """No other request has come."""
        if not self.transport.is_closing():
            self._close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Refuse what is no HTTP."""
        self._refuse(InvalidData("http.malformed"))

    def _wait(self) -> None:
        """Wait for what has not arrived, unless this side does not read: it still answers an earlier request."""
        if self.pipeline or (self._in_head and self._answers()):
            self._wait_for(None)
        elif self._in_head:
            self._wait_for((self._begun, self.HEAD_SECONDS))
        elif self._in_body:
            self._wait_for((self._begun, self.BODY_SECONDS))
        elif not self._answers():
            # A new connection, or empty lines, which may stand before a request (RFC 9112 §2.2).
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
        """Answer, if nothing else was answered, and close. The language is unknown here: a header says it."""
        if self.transport.is_closing():
            return
        # Only where it cannot be taken for the answer to another request, or stand inside it.
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
        """Return whether an answer is still to be given, or to be ended, to the newest request whose head is whole."""
        return self.cycle is not None and not self.cycle.response_complete

    def _close(self) -> None:
        """Close once what was written is read, or after `WRITE_SECONDS`."""
        self.transport.close()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.WRITE_SECONDS, self.transport.abort)
