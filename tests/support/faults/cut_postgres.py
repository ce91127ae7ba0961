"""A proxy before PostgreSQL that cuts a connection at a COMMIT, in two ways.

Before it is forwarded: it did not happen. After PostgreSQL has answered it: it happened, and only the answer is lost.

It reads the client's side of the protocol (PostgreSQL, "Frontend/Backend Protocol", message formats): a simple query
`Q` holds its text, a `P` gives text to a name, a `B` executes what a name stands for.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading

COMMIT = b"COMMIT"
READY_FOR_QUERY = b"Z\x00\x00\x00\x05"


class CutPostgres:
    """Forwards all; cuts the connection whose transaction executed a statement that holds the text of `cut_at`."""

    def __init__(self, folder: str) -> None:
        """Take the folder of the server's socket."""
        self._server = f"{folder}/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._order: tuple[bytes, bytes, bool] | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def cut_at(self, statement: str, unless: str, *, happened: bool) -> None:
        """Cut the next commit of a transaction that executed `statement` and not `unless`; after it, or before."""
        self._order = (statement.encode(), unless.encode(), happened)

    @property
    def done(self) -> bool:
        """Whether the connection has been cut."""
        return self._order is None

    def close(self) -> None:
        self._listener.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        session = _Session()
        with client, server, contextlib.suppress(ConnectionError):
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    if ready is server:
                        client.sendall(data)
                        continue
                    happened = self._cuts(session) if session.commits(data) else None
                    if happened is not None:
                        if happened:
                            server.sendall(data)
                            _await_answer(server)
                        return
                    server.sendall(data)

    def _cuts(self, session: _Session) -> bool | None:
        with self._lock:
            if self._order is None:
                return None
            statement, unless, happened = self._order
            executed = b"\n".join(session.committing)
            if statement not in executed or unless in executed:
                return None
            self._order = None
            return happened


def _await_answer(server: socket.socket) -> None:
    answer = b""
    while READY_FOR_QUERY not in answer:
        answer += server.recv(65_536)


class _Session:
    """What a client has said on one connection."""

    def __init__(self) -> None:
        self._unread = b""
        self._started = False
        self._texts: dict[bytes, bytes] = {}
        self._executed: list[bytes] = []
        self.committing: list[bytes] = []

    def commits(self, data: bytes) -> bool:
        """Take what the client said next; return whether it ends with a COMMIT, of `committing`."""
        self._unread += data
        committed = False
        while (message := self._next()) is not None:
            committed = False
            kind, body = message
            if kind == b"Q":
                text = body.rstrip(b"\0")
                if text.upper() == COMMIT:
                    committed, self.committing, self._executed = True, self._executed, []
                elif text.upper().startswith((b"BEGIN", b"ROLLBACK")):
                    self._executed = []
                else:
                    self._executed.append(text)
            elif kind == b"P":
                name, text = body.split(b"\0", 2)[:2]
                self._texts[name] = text
            elif kind == b"B":
                self._executed.append(self._texts.get(body.split(b"\0", 2)[1], b""))
        return committed

    def _next(self) -> tuple[bytes, bytes] | None:
        head = 1 if self._started else 0
        if len(self._unread) < head + 4:
            return None
        (length,) = struct.unpack(">I", self._unread[head : head + 4])
        if len(self._unread) < head + length:
            return None
        kind, body = self._unread[:head], self._unread[head + 4 : head + length]
        self._unread = self._unread[head + length :]
        # The first message has no kind; requests for encryption (code 1234,…) come before it.
        self._started = self._started or not body.startswith(b"\x04\xd2")
        return kind, body
