"""Says for every answer how it may be cached: privately and not at all, unless its route says otherwise.

What an answer holds can depend on who asks, so a shared cache (a proxy, a CDN) must not keep it and give it to somebody
else (RFC 9111 §5.2.2). A route whose answer is the same for everybody says so with one of the values here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PRIVATE = "private, no-store"
"""The default."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For what never changes: the tiles of the log."""

REVALIDATED = "no-cache"
"""For what is public and grows: a cache asks before it gives it out again. The log's checkpoint."""

PAGE = "public, max-age=60"
"""For pages and documents that are the same for everybody, apart from the language."""

_DEPENDS_ON = ("Authorization", "Accept-Language")
_SUCCESS = (200, 304)


def complete(headers: MutableHeaders) -> None:
    """Add what a route has not said: that the answer is private, and on which headers of the request it depends."""
    if "cache-control" not in headers:
        headers["Cache-Control"] = PRIVATE
    for name in _DEPENDS_ON if headers["cache-control"] == PRIVATE else _DEPENDS_ON[1:]:
        headers.add_vary_header(name)


class SayCaching:
    """ASGI middleware that completes the headers of every answer.

    `pages` are the paths of the libraries' own routes, which cannot say anything themselves; one that ends with a slash
    names a folder.
    """

    def __init__(self, app: ASGIApp, pages: Collection[str] = ()) -> None:
        """Wrap an application."""
        self._app = app
        self._pages = frozenset(pages)
        self._folders = tuple(path for path in pages if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                path: str = scope["path"]
                if message["status"] in _SUCCESS and (path in self._pages or path.startswith(self._folders)):
                    headers.setdefault("Cache-Control", PAGE)
                complete(headers)
            await send(message)

        await self._app(scope, receive, say)
