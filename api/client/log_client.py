"""A log as its registry serves it over HTTP (C2SP tlog-tiles), for `deedlog audit`. This module verifies nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from deedlog.anchor.merkle import HASH_SIZE
from deedlog.anchor.tlog.note import MAXIMUM_NOTE
from deedlog.anchor.tlog.tiles import MAXIMUM_ENTRY
from deedlog.registry.bounded_http import PAUSES, BoundedHttp, FetchError
from deedlog.registry.errors import Unavailable, VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from deedlog.anchor.tlog.tiles import TilePath

_GONE = (404, 410)


class ServedLog:
    """The log below `URL/log`. Both reads raise the errors of `anchor.audit.tree.Source`, and `FetchError`."""

    def __init__(
        self,
        url: str,
        *,
        seconds: float | None = None,
        pauses: Sequence[float] = PAUSES,
        on_pause: Callable[[float], None] | None = None,
    ) -> None:
        """Set the registry's URL; nothing is sent yet.

        `seconds` and `pauses` limit each read; `on_pause` is called with the seconds of each pause before it.
        """
        self.served: bytes | None = None
        """The checkpoint as it was last served."""
        self._url = url.rstrip("/")
        self._http = BoundedHttp(f"{self._url}/log/", seconds=seconds, pauses=pauses, on_pause=on_pause)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def checkpoint(self) -> bytes:
        """Return the newest checkpoint."""
        self.served = self._get("checkpoint", MAXIMUM_NOTE)
        return self.served

    def read(self, path: TilePath) -> bytes:
        """Return a tile or an entry bundle."""
        most = path.width * (HASH_SIZE if path.level is not None else 2 + MAXIMUM_ENTRY)
        return self._get(str(path), most)

    def _get(self, path: str, maximum: int) -> bytes:
        """Return at most `maximum` bytes.

        Raises `VerificationError` (`audit.not_there`, `audit.too_long`), `FetchError`, `Unavailable`
        (`registry.answered`).
        """
        try:
            answer = self._http.request("GET", path, maximum=maximum)
        except FetchError as error:
            if error.code == "fetch.too_long":
                raise VerificationError("audit.too_long", path=path, maximum=maximum) from error
            raise
        if answer.ok:
            return answer.content
        if answer.status in _GONE:
            raise VerificationError("audit.not_there", path=path, status=answer.status)
        raise Unavailable("registry.answered", url=f"{self._url}/log/{path}", status=answer.status)
