"""A small HTTP client of a registry, for creators. What it answers is checked before it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx

from anchor.identity import RegistryIdentity
from registry import strict_json
from registry.errors import InvalidData, Unavailable
from registry.hexadecimal import to_checksum, to_hex

if TYPE_CHECKING:
    from types import TracebackType

MAXIMUM_ANSWER = 8 * 1024 * 1024
_TIMEOUT = 60


class Client:
    """A registry behind a URL."""

    def __init__(self, url: str, language: str) -> None:
        """Name the registry's URL; nothing is sent yet."""
        self.url = url.rstrip("/")
        transport = httpx.HTTPTransport(retries=3)
        self._http = httpx.Client(timeout=_TIMEOUT, transport=transport, headers={"Accept-Language": language})

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def identity(self, pinned: bytes | None) -> RegistryIdentity:
        """Return the registry's identity; raise `InvalidData` (`registry.other`) if its address is not the pinned one.

        The address is recomputed: an answer cannot name one that its own parts do not make.
        """
        answer = self._json(self._send("GET", "/v1/registry"))
        identity = RegistryIdentity.from_json(answer.get("identity"))
        if pinned is not None and identity.address != pinned:
            raise InvalidData("registry.other", expected=to_checksum(pinned), actual=to_checksum(identity.address))
        return identity

    def register(self, body: dict[str, Any]) -> dict[str, Any]:
        """Post a signed statement; return the answer."""
        return self._json(self._send("POST", "/v1/statements", json=body))

    def statement(self, digest: bytes) -> dict[str, Any]:
        """Return a statement as the registry shows it."""
        return self._json(self._send("GET", f"/v1/statements/{to_hex(digest)}"))

    def bundle(self, digest: bytes) -> bytes:
        """Return a statement's bundle."""
        return self._send("GET", f"/v1/statements/{to_hex(digest)}/bundle").content

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, self.url + path, **options)
        except httpx.HTTPError as error:
            raise Unavailable("registry.unreachable", url=self.url, reason=type(error).__name__) from error
        if response.is_success:
            return response
        try:
            problem = strict_json.loads(response.content, MAXIMUM_ANSWER)
            code, params, field = problem["code"], problem["params"], problem["field"]
            known = {str(name): value for name, value in params.items() if isinstance(value, str | int)}
        except (InvalidData, KeyError, TypeError, AttributeError) as error:
            raise Unavailable("registry.answered", url=self.url, status=response.status_code) from error
        kind = Unavailable if response.status_code in (409, 429, 503) else InvalidData
        raise kind(str(code), field=field, **known)

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        value = strict_json.loads(response.content, MAXIMUM_ANSWER)
        if not isinstance(value, dict):
            raise Unavailable("registry.answered", url=self.url, status=response.status_code)
        return value
