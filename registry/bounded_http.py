"""Bounded HTTP: one server, a total time, a maximum size, no redirects, and retries after temporary errors.

All our HTTP requests to other machines go through `BoundedHttp`: those of the registry client, of `audit`, and to
nodes. A server may be down, slow, send without end, or not be what its URL says. In any case a request ends within its
total time, with an answer or a `FetchError`.

- **Time.** A usual time limit applies to each read, so a server that sends a byte now and then can hold a client
  forever. Here each wait for a socket is limited to the rest of the request's total time: while connecting, in the TLS
  handshake, while sending, between two bytes of a header. Retries and their pauses count too. Only the system's look-up
  of a host name is not bounded here; `resolv.conf` bounds it.
- **Bytes.** Each request sets the maximum size of its answer, after decompression.
- **One server.** Redirects are not followed, so credentials and requests go to the named server only. The error shows
  where the server wanted to send us.
- **Retries.** Only after temporary errors, and only for requests that can be repeated without harm.

httpx parses URLs and finds the certificate authorities. httpcore, the layer below it, speaks HTTP over the sockets
created here, because its network backends are the place where a deadline can be enforced.
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
"""Total time of a request in seconds, from the call to the end of the answer, including retries and pauses."""

PAUSES = (0.5, 1.0, 2.0)
"""Pauses in seconds before the second, third and fourth try of a request that may be repeated."""

CONNECT_SECONDS = 10.0
"""The most seconds that connecting to one address of a host may take, so that there is time to try the next one."""

MAXIMUM_PROBLEM = 64 * 1024
"""Bytes allowed for an error answer even if the request allows fewer: a proxy's page may come instead of a tile."""

_MAY_PASS = (408, 425, 429)
"""Statuses below 500 after which the same request may succeed."""

_SUCCESS, _REDIRECTION, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_LONGEST_SHOWN = 200
_DIGITS = 9
_ROUNDING = 0.1
"""Seconds by which a wait may end early. A connect timeout this close to the deadline counts as `fetch.too_slow`."""
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_SLACK = 64 * 1024
"""Bytes by which a compressed answer may be longer than its decompressed content."""

_HOST = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?")
"""A host name, an IPv4 address, or an IPv6 address with an optional zone. httpx would accept more."""

_PORTS = range(1, 65_536)
"""The ports that there are. Beyond them, the versions of Python fail in different ways."""

_HEADER = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
"""What a header's value may be (RFC 9110 §5.5, without its obsolete bytes): printable ASCII, no space at either end."""

_UNTIL: ContextVar[float] = ContextVar("until")
"""The deadline of this thread's current request (`time.monotonic`)."""


class FetchError(Unavailable):
    """A request got no answer within its bounds. The parameter `url` is the URL as it may be shown.

    Codes: `fetch.unreachable` (no connection, or it broke), `fetch.cut_off` (the answer is incomplete or not HTTP),
    `fetch.too_slow`, `fetch.too_long`, `fetch.encoding`, `fetch.redirected`, `fetch.url`, `fetch.proxy`.
    """


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer with any status. `retry_after`: the seconds that the server asks to wait, else 0."""

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
    """Return whether the same request may succeed later after this status. With 5xx the server did not decide on it."""
    return status in _MAY_PASS or status >= _SERVER_ERROR


class BoundedHttp:
    """A client for one server: all requests go to paths below one URL. Connections stay open; use it in a `with`."""

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
        """Set the server, without connecting.

        `seconds` is the total time of each request (default: `SECONDS`), `pauses` are the pauses between tries. If the
        URL is secret, errors show `shown` instead. `headers` are sent with each request, see `set_header`. `on_pause`
        is called with the seconds of each pause before it.
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

        Raises `InvalidData` (`http.header_value`) for a value that HTTP cannot carry. It would fail in the middle of a
        request, and one with a line break would be read as more headers.
        """
        if value is None:
            self._headers.pop(name, None)
        elif _HEADER.fullmatch(value) is None:
            raise InvalidData("http.header_value", field=name)
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
        """Send a request and return the answer. Raises `FetchError`.

        The content of a success has at most `maximum` bytes; that of an error answer may have up to `MAXIMUM_PROBLEM`
        and is empty if it is longer.

        `body` is sent as JSON. `repeat` says whether the request may be sent more than once; by default only a GET may.
        It is then retried after a failed connection and after a temporary status, with growing pauses or after the time
        that the server asks for, as long as the total time allows.
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
        """Sleep before another try; return False at once if the pause would exceed the deadline."""
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
            if _HOST.fullmatch(url.raw_host) is None or (url.port is not None and url.port not in _PORTS):
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
        """Return the connection pool. It is created at the first request, so a bad URL is an error of that request."""
        if self._pool is None:
            self._pool = httpcore.ConnectionPool(
                ssl_context=httpx.create_ssl_context() if url.scheme == "https" else None,  # slow: reads all CAs
                proxy=self._proxy(url),
                network_backend=_Sockets(),
            )
        return self._pool

    def _proxy(self, url: httpx.URL) -> httpcore.Proxy | None:
        """Return the proxy that the environment names for this server, or None.

        Raises `FetchError` (`fetch.proxy`) unless the proxy's own URL is http (HTTPS is tunnelled through it). TLS
        inside TLS would wait where no deadline applies, and SOCKS needs a package that is not installed.
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
            return answer  # an error with a long body: the status is enough
        return replace(answer, content=content)

    def _content(self, got: httpcore.Response, headers: httpx.Headers, maximum: int) -> bytes | None:
        """Return the decompressed body, or None as soon as it exceeds `maximum` bytes."""
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
    """Decompresses gzip (RFC 1952) chunk by chunk. `whole`: the last member is complete."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    @property
    def whole(self) -> bool:
        return self._member.eof

    def open(self, data: bytes, most: int) -> bytes:
        """Decompress the next chunk; return at most `most` bytes and discard the rest. Raises `zlib.error`."""
        opened = bytearray()
        while data and len(opened) < most:
            if self._member.eof:  # RFC 1952 §2.2: a gzip file is a series of members
                self._member = zlib.decompressobj(_GZIP)
            opened += self._member.decompress(data, most - len(opened))
            data = self._member.unused_data
        return bytes(opened)


class _Sockets(httpcore.NetworkBackend):
    """Opens connections on which every wait ends at the request's deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the request's deadline applies instead
        local_address: str | None = None,  # noqa: ARG002 - never given
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - never given
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers."""
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
    """A connection. The parameter `timeout`, which is per wait, is ignored; the request's deadline applies."""

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
                self._socket.settimeout(_left())  # Python applies it to the whole handshake, not to each read
                named = None if server_hostname is None else _unbracketed(server_hostname)
                return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=named))
            except OSError:
                self._socket.close()
                raise

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # if an idle connection is readable, the server has closed it
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        return None


def _left() -> float:
    """Return the seconds until the deadline of this thread's request. Raises `TimeoutError` if it has passed."""
    left = _UNTIL.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@contextmanager
def _translated(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Translate socket errors into those that httpcore expects."""
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
    """Return the seconds of a Retry-After header, or 0. Its other form, a date (RFC 9110 §10.2.3), is ignored."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < _DIGITS else 0


def _reason(error: Exception) -> str:
    """Return the system's message for the error, which never contains the URL, or else the error's class name."""
    return str(error) or type(error).__name__
