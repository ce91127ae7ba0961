"""HTTP within bounds: one server, a total time, a number of bytes, no redirects, and retries of what may pass.

Everything here that asks another machine over HTTP asks through `BoundedHttp`: the client of a registry, `audit`, the
callers of nodes. A server may be away, slow, endless, or not what its URL says. Whatever it does, a request ends within
its total time, in an answer or in a `FetchError`.

- **Time.** A usual time limit is per read, so a server that sends a byte now and then is waited for without end. Here
  each wait for a socket is at most what is left of the request's total: while connecting, in the TLS handshake, while
  sending, between two bytes of a header. Retries and their pauses count too. Only the system's own look-up of a host
  name is not bounded here; `resolv.conf` bounds it.
- **Bytes.** Each request names the most that an answer to it may have, after decompression.
- **One server.** No redirect is followed, so credentials and questions go to the named server alone. The error says
  where the server wanted to send us.
- **Retries.** Only for what may pass by itself, and only for requests that may be repeated without harm.

httpx reads URLs and finds the certificate authorities. httpcore, the layer below it, speaks HTTP over the sockets made
here: its network backends are where a deadline can be held.
"""

from __future__ import annotations

import base64
import json
import re
import select
import socket
import ssl
import time
import urllib.request
import zlib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import httpcore
import httpx

from deedlog.registry.errors import InvalidData, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

SECONDS = 60.0
"""Total time of a request, from the call to the end of the answer, retries and pauses included."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before the second, third and fourth try of a request that may be repeated."""

CONNECT_SECONDS = 10.0
"""Of the total time, the most that one address of a host may take to connect: the next address may be reachable."""

MAXIMUM_PROBLEM = 64 * 1024
"""Bytes of an answer that is no success, whatever the request allows: a proxy's page may come instead of a tile."""

_MAY_PASS = (408, 425, 429)
"""Statuses below 500 after which the same request may succeed."""

_SUCCESS, _REDIRECTION, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_LONGEST_SHOWN = 200
_DIGITS = 9
_ROUNDING = 0.1
"""Seconds by which a wait may end early: an address that took all that was left has used up the total."""
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_SLACK = 64 * 1024
"""Bytes by which a compressed answer may be longer than what it holds."""

_HOST = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?")
"""A name, an IPv4 address, an IPv6 address with its zone: httpx lets more through."""

_HEADER = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
"""What a header's value may be (RFC 9110 §5.5, without its obsolete bytes): printable ASCII, no space at either end."""

_UNTIL: ContextVar[float] = ContextVar("until")
"""When the request that this thread makes must have ended (`time.monotonic`)."""


class FetchError(Unavailable):
    """A request got no answer within its bounds; `fetch.…`, always with the parameter `url`, as it may be shown.

    `fetch.unreachable` (no connection, or it broke), `.cut_off` (less came than was announced, or what is not HTTP),
    `.too_slow`, `.too_long`, `.encoding`, `.redirected`, `.url`, `.proxy`.
    """


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever its status; `retry_after`: seconds that it asks to wait, 0 if it does not."""

    status: int
    content: bytes
    retry_after: float = 0

    @property
    def ok(self) -> bool:
        """Whether the status is a success (2xx)."""
        return _SUCCESS <= self.status < _REDIRECTION

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return may_pass(self.status)


def may_pass(status: int) -> bool:
    """Return whether a request with that status may succeed later. A server that fails (5xx) has judged nothing."""
    return status in _MAY_PASS or status >= _SERVER_ERROR


class BoundedHttp:
    """One server, behind the URL below which all requests go. Connections are kept open; use it in a `with`."""

    def __init__(
        self,
        url: str,
        *,
        seconds: float | None = None,
        pauses: Sequence[float] = PAUSES,
        shown: str | None = None,
        headers: Mapping[str, str] | None = None,
        on_pause: Callable[[float], None] | None = None,
    ) -> None:
        """Name the server; nothing is sent yet.

        `seconds` is the total time of each request (default: `SECONDS`), `pauses` those between tries. `shown` is the
        URL as errors show it where the URL itself is a secret. `headers` go with each request: see `set_header`.
        `on_pause` is called before each pause between two tries, with its seconds.
        """
        self._headers: dict[str, str] = {}
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        self._on_pause = on_pause
        self._url = url
        self._name = url if shown is None else shown
        self._secret = shown is not None
        self._seconds = SECONDS if seconds is None else seconds
        self._pauses = tuple(pauses)
        self._pool: httpcore.ConnectionPool | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.close()

    def set_header(self, name: str, value: str | None) -> None:
        """Send a header with each request from now on; None: send it no more.

        Raises `InvalidData` (`header.malformed`) for a value that HTTP cannot carry. It would fail in the middle of a
        request, and one with a line break would be read as more headers.
        """
        if value is None:
            self._headers.pop(name, None)
        elif _HEADER.fullmatch(value) is None:
            raise InvalidData("header.malformed", field=name)
        else:
            self._headers[name] = value

    def request(
        self,
        method: str,
        path: str = "",
        *,
        maximum: int,
        body: object = None,
        query: Mapping[str, str] | None = None,
        repeat: bool | None = None,
    ) -> Answer:
        """Return the answer, whose content has at most `maximum` bytes; raise `FetchError`.

        `body` is sent as JSON. `repeat`: whether the request may be sent more than once; by default, whether it is a
        GET. It is then sent again after a connection that failed and after a status that may pass, with growing
        pauses, or as late as the server asks for, as long as the total time allows.
        """
        until = time.monotonic() + self._seconds
        content = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        for pause in self._pauses if repeat or (repeat is None and method == "GET") else ():
            try:
                answer = self._once(method, path, content, query, maximum, until)
            except FetchError as error:
                if error.code not in ("fetch.unreachable", "fetch.cut_off") or not self._paused(pause, until):
                    raise
            else:
                if not answer.may_pass or not self._paused(max(pause, answer.retry_after), until):
                    return answer
        return self._once(method, path, content, query, maximum, until)

    def _paused(self, seconds: float, until: float) -> bool:
        """Wait before another try; return False at once if there would be no time for it."""
        if time.monotonic() + seconds >= until:
            return False
        if self._on_pause is not None:
            self._on_pause(seconds)
        time.sleep(seconds)
        return True

    def _once(
        self, method: str, path: str, content: bytes | None, query: Mapping[str, str] | None, maximum: int, until: float
    ) -> Answer:
        token = _UNTIL.set(until)
        try:
            url = httpx.URL(self._url + path, params=query) if query else httpx.URL(self._url + path)
            if _HOST.fullmatch(url.raw_host) is None:
                raise FetchError("fetch.url", url=self._name)
            headers = self._all_headers(url, content)
            with self._open(url).stream(method, _raw(url), headers=headers, content=content) as got:
                return self._answer(got, maximum)
        except (httpx.InvalidURL, httpcore.UnsupportedProtocol, UnicodeError, OverflowError) as error:
            raise FetchError("fetch.url", url=self._name) from error
        except (httpcore.TimeoutException, TimeoutError) as error:
            if isinstance(error, httpcore.ConnectTimeout) and time.monotonic() + _ROUNDING < until:
                raise FetchError("fetch.unreachable", url=self._name, reason=_reason(error)) from error
            raise FetchError("fetch.too_slow", url=self._name, seconds=f"{self._seconds:g}") from error
        except (httpcore.ProtocolError, zlib.error) as error:
            raise FetchError("fetch.cut_off", url=self._name) from error
        except (httpcore.NetworkError, httpcore.ProxyError) as error:
            raise FetchError("fetch.unreachable", url=self._name, reason=_reason(error)) from error
        finally:
            _UNTIL.reset(token)

    def _open(self, url: httpx.URL) -> httpcore.ConnectionPool:
        """Return the connections, made at the first request: an odd URL is an error of the request."""
        if self._pool is None:
            self._pool = httpcore.ConnectionPool(
                ssl_context=httpx.create_ssl_context() if url.scheme == "https" else None,  # reads all authorities
                proxy=self._proxy(url),
                network_backend=_Sockets(),
            )
        return self._pool

    def _proxy(self, url: httpx.URL) -> httpcore.Proxy | None:
        """Return the proxy that the environment names for this server.

        Raises `FetchError` (`fetch.proxy`) unless the proxy itself is spoken to in plain HTTP (HTTPS goes through it
        sealed): TLS inside TLS waits in a place that has no deadline, and SOCKS needs a package that is not installed.
        """
        proxies = urllib.request.getproxies()
        named = proxies.get(url.scheme) or proxies.get("all")
        # NO_PROXY may name an IPv6 address with brackets or without, as for curl.
        if not named or any(urllib.request.proxy_bypass(name) for name in (url.netloc.decode("ascii"), url.host)):
            return None
        proxy = httpx.URL(named if "://" in named else f"http://{named}")
        if proxy.scheme != "http":
            raise FetchError("fetch.proxy", url=self._name, scheme=proxy.scheme)
        return httpcore.Proxy(_raw(proxy), (proxy.username, proxy.password) if proxy.userinfo else None)

    def _all_headers(self, url: httpx.URL, content: bytes | None) -> list[tuple[str, str]]:
        headers = {"Accept-Encoding": "gzip", "User-Agent": "deedlog", **self._headers}
        host = _bracketed(url.raw_host)
        if b"%" in host:  # RFC 6874 §4: the zone of an IPv6 address means something on this machine alone
            port = b"" if url.port is None else b":%d" % url.port
            headers["Host"] = (host.partition(b"%")[0] + b"]" + port).decode("ascii")
        if content is not None:
            headers["Content-Type"] = "application/json"
        if url.userinfo:  # as in https://name:password@node.example
            named = f"{url.username}:{url.password}".encode()
            headers.setdefault("Authorization", f"Basic {base64.b64encode(named).decode()}")
        return list(headers.items())

    def _answer(self, got: httpcore.Response, maximum: int) -> Answer:
        headers = httpx.Headers(got.headers)
        if "Location" in headers and _REDIRECTION <= got.status < _CLIENT_ERROR:
            location = "…" if self._secret else headers["Location"][:_LONGEST_SHOWN]
            raise FetchError("fetch.redirected", url=self._name, location=location)
        answer = Answer(got.status, b"", _retry_after(headers.get("Retry-After", "")))
        content = self._content(got, headers, maximum if answer.ok else max(maximum, MAXIMUM_PROBLEM))
        if content is None:
            if answer.ok:
                raise FetchError("fetch.too_long", url=self._name, maximum=maximum)
            return answer  # the status says enough
        return replace(answer, content=content)

    def _content(self, got: httpcore.Response, headers: httpx.Headers, maximum: int) -> bytes | None:
        """Return the body, decompressed; None as soon as it has more than `maximum` bytes."""
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise FetchError("fetch.encoding", url=self._name, encoding=encoding[:40])
        gzip = _Gzip() if encoding.endswith("gzip") else None
        content = bytearray()
        received = 0
        for chunk in got.iter_stream():
            received += len(chunk)
            content += chunk if gzip is None else gzip.open(chunk, maximum + 1 - len(content))
            if len(content) > maximum or received > maximum + _GZIP_SLACK:
                return None
        if gzip is not None and received and not gzip.whole:
            raise FetchError("fetch.cut_off", url=self._name)
        return bytes(content)


class _Gzip:
    """Opens gzip (RFC 1952) piece by piece; `whole`: all that came was complete."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    @property
    def whole(self) -> bool:
        return self._member.eof

    def open(self, data: bytes, most: int) -> bytes:
        """Return what the next bytes hold, at most `most` bytes of it: the rest is lost. Raises `zlib.error`."""
        opened = bytearray()
        while data and len(opened) < most:
            if self._member.eof:  # RFC 1952 §2.2: a file is a series of members
                self._member = zlib.decompressobj(_GZIP)
            opened += self._member.decompress(data, most - len(opened))
            data = self._member.unused_data
        return bytes(opened)


class _Sockets(httpcore.NetworkBackend):
    """Makes connections whose every wait ends when the request must have ended."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the request's total counts
        local_address: str | None = None,  # noqa: ARG002 - never given
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - never given
    ) -> httpcore.NetworkStream:
        """Return a connection to the first address of a host that answers."""
        with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
            failure = OSError()
            found = socket.getaddrinfo(_unbracketed(host), port, type=socket.SOCK_STREAM)
            for family, kind, protocol, _, address in found:
                connection = socket.socket(family, kind, protocol)
                try:
                    connection.settimeout(min(_left(), CONNECT_SECONDS))
                    connection.connect(address)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                except OSError as error:
                    connection.close()
                    failure = error
                else:
                    return _Stream(connection)
            raise failure


class _Stream(httpcore.NetworkStream):
    """A connection. `timeout`, which is per wait, is not used: what is left of the total is."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        with _translated(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(_left())
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        rest = memoryview(buffer)
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            while rest:
                self._socket.settimeout(_left())
                rest = rest[self._socket.send(rest) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                self._socket.settimeout(_left())  # of a handshake Python makes it the total, not that of each read
                named = None if server_hostname is None else _unbracketed(server_hostname)
                return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=named))
            except OSError:
                self._socket.close()
                raise

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # an idle connection that is readable was closed by the server
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        return None


def _left() -> float:
    """Return the seconds that are left of this thread's request; raise `TimeoutError` when none are."""
    left = _UNTIL.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@contextmanager
def _translated(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Raise the errors of sockets as httpcore knows them."""
    try:
        yield
    except TimeoutError as error:
        raise late from error
    except OSError as error:
        raise broken(error.strerror or type(error).__name__) from error


def _raw(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=_bracketed(url.raw_host), port=url.port, target=url.raw_path)


def _bracketed(host: bytes) -> bytes:
    """Return a host as URLs write it (RFC 3986 §3.2.2).

    httpcore writes it so into the header Host and into what it asks of a proxy; the sockets made here take it without
    the brackets (`_unbracketed`).
    """
    return b"[" + host + b"]" if b":" in host else host


def _unbracketed(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")


def _retry_after(value: str) -> int:
    """Return the seconds of a Retry-After; a date, its other form (RFC 9110 §10.2.3), is passed over."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < _DIGITS else 0


def _reason(error: Exception) -> str:
    """Return the system's words for what failed, which never hold the URL; else the kind of error."""
    return str(error) or type(error).__name__
