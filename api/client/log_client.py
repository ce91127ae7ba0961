"""A log as its registry serves it over HTTP (C2SP tlog-tiles), for `audit`. Bounded reads; nothing is believed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

import httpx

from deedlog.anchor.merkle import HASH_SIZE
from deedlog.anchor.tlog.note import MAXIMUM_NOTE
from deedlog.anchor.tlog.tiles import MAXIMUM_ENTRY
from deedlog.registry.errors import Unavailable, VerificationError

if TYPE_CHECKING:
    from types import TracebackType

    from deedlog.anchor.tlog.tiles import TilePath

TRIES = 4
"""A read is tried again after a fault that may pass, …"""

PAUSE = 0.5
"""… after this many seconds, and twice as many each time."""

_TIMEOUT = 30
_OK, _TOO_MANY, _SERVER = 200, 429, 500
_GONE = (404, 410)


class ServedLog:
    """The log below `URL/log`, over one connection that is kept."""

    def __init__(self, url: str) -> None:
        """Name the registry's URL; nothing is asked yet."""
        self._url = url.rstrip("/")
        # A compressed answer could grow beyond any bound while it is opened.
        self._http = httpx.Client(timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"})

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._http.close()

    def checkpoint(self) -> bytes:
        """Return the newest checkpoint."""
        return self._get("checkpoint", MAXIMUM_NOTE)

    def read(self, path: TilePath) -> bytes:
        """Return a tile or an entry bundle."""
        most = path.width * (HASH_SIZE if path.level is not None else 2 + MAXIMUM_ENTRY)
        return self._get(str(path), most)

    def _get(self, path: str, maximum: int) -> bytes:
        """Return at most `maximum` bytes.

        Raises `VerificationError` (`audit.not_there`, `audit.too_long`), `Unavailable` (`registry.…`).
        """
        pause = PAUSE
        for tried in range(1, TRIES + 1):
            try:
                status, content = self._read(path, maximum)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if tried == TRIES or not isinstance(error, httpx.TransportError):
                    raise Unavailable("registry.unreachable", url=self._url, reason=type(error).__name__) from error
            else:
                if status == _OK:
                    return content
                if status in _GONE:
                    raise VerificationError("audit.not_there", path=path, status=status)
                if tried == TRIES or (status < _SERVER and status != _TOO_MANY):
                    raise Unavailable("registry.answered", url=f"{self._url}/log/{path}", status=status)
            time.sleep(pause)
            pause *= 2
        raise AssertionError(path)

    def _read(self, path: str, maximum: int) -> tuple[int, bytes]:
        content = bytearray()
        with self._http.stream("GET", f"{self._url}/log/{path}") as response:
            if response.status_code == _OK:
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > maximum:
                        raise VerificationError("audit.too_long", path=path, maximum=maximum)
        return response.status_code, bytes(content)
