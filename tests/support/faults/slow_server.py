"""A server that answers as slowly, as endlessly or as wrongly as a test wants, over a real socket."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import socketserver
import threading

PAUSE = 0.05
"""Seconds between two bytes of a server that drips: a time limit per read never ends with it."""


@contextlib.contextmanager
def speaking(script, host="127.0.0.1"):
    """Run a server at an address of this machine, of IPv4 or IPv6.

    `script(request)` gives what it does with a request: bytes are sent, numbers are seconds to wait.
    The connection ends with the script. A request is read up to the end of its head.
    """
    over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            for act in script(head):
                if over.is_set():
                    return
                if isinstance(act, bytes):
                    self.wfile.write(act)
                else:
                    over.wait(act)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, *_arguments):
            pass  # the client hung up

    with Server((host, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()


def answer(body=b"", status=200, **headers):
    """Return a whole answer; `Content_Length` and the like replace or add a header."""
    shown = {"Content-Length": len(body), "Connection": "close"}
    shown |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in shown.items() if value is not None)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def dripping(data, pause=PAUSE):
    """Send bytes one by one."""
    for value in data:
        yield bytes([value])
        yield pause


HEAD = b"HTTP/1.1 200 OK\r\n"


def _forever(piece, pause=PAUSE):
    return itertools.cycle([piece, pause])


SLOW = {
    "never answers": lambda _: iter([3600]),
    "a byte of the status line now and then": lambda _: dripping(b"HTTP/1.1 " + b"2" * 10**6),
    "a byte of a header now and then": lambda _: itertools.chain([HEAD], dripping(b"X-A: " + b"a" * 10**6)),
    "headers without end": lambda _: itertools.chain([HEAD], _forever(b"X-A: a\r\n")),
    "informational answers without end": lambda _: _forever(b"HTTP/1.1 103 Early\r\n\r\n"),
    "a body of known length that drips": lambda _: itertools.chain(
        [HEAD + b"Content-Length: 4000\r\n\r\n"], _forever(b" ")
    ),
    "a body in chunks that drips": lambda _: itertools.chain(
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], _forever(b"1\r\n \r\n")
    ),
    "a body until the end that drips": lambda _: itertools.chain([HEAD + b"\r\n"], _forever(b" ")),
    "a body that stops in the middle": lambda _: iter([HEAD + b"Content-Length: 4000\r\n\r\n{", 3600]),
    "members of gzip without content": lambda _: itertools.chain(
        [HEAD + b"Content-Encoding: gzip\r\n\r\n"], _forever(gzip.compress(b""))
    ),
}
"""Servers that go on for hours, by what they do."""

ENDLESS = {
    "a body without end": lambda _: itertools.chain([HEAD + b"\r\n"], itertools.repeat(b" " * 65536)),
    "chunks without end": lambda _: itertools.chain(
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], itertools.repeat(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
    ),
    "gzip that opens to a thousandfold": lambda _: iter(
        [answer(gzip.compress(bytes(40_000_000)), Content_Encoding="gzip")]
    ),
}
"""Servers that send more than anybody asked for."""

WRONG = {
    "nothing": lambda _: iter([]),
    "half a head": lambda _: iter([b"HTTP/1.1 200 O"]),
    "no HTTP": lambda _: iter([b"SSH-2.0-OpenSSH_9.2\r\n"]),
    "less than the length says": lambda _: iter([answer(b"{", Content_Length=40)]),
    "chunks that end early": lambda _: iter([HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\n{"]),
    "a length that is no number": lambda _: iter([answer(b"{}", Content_Length="two")]),
    "two lengths": lambda _: iter([HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"]),
    "a head without end": lambda _: itertools.chain([HEAD], itertools.repeat(b"X-A: " + b"a" * 4096 + b"\r\n")),
    "half a gzip": lambda _: iter([answer(gzip.compress(bytes(range(256)))[:40], Content_Encoding="gzip")]),
    "no gzip": lambda _: iter([answer(b"{}", Content_Encoding="gzip")]),
}
"""Servers whose answer is not whole, or is no answer."""
