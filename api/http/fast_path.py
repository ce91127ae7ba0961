"""The fast path: two plain Starlette routes in front of FastAPI, for uploads.

FastAPI also documents these routes, and they work there like any other. But its middleware, dependencies and nested
context managers cost more than checking a statement (docs/benchmarks.md), so requests for them go straight to the
endpoint. `tests/api/writing/test_fast_path.py` compares the two paths.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError
from starlette.routing import Match, Route

from deedlog.api.http import exception_handlers
from deedlog.api.http.caching import complete
from deedlog.api.http.routes import writing
from deedlog.registry.errors import DeedlogError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from deedlog.api.http.metrics import Metrics

Endpoint = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)


def routes(documented: FastAPI) -> list[Route]:
    """Return the routes that skip FastAPI."""
    return [
        route("/v1/statements", writing.register_statement, documented),
        route("/v1/statements:batch", writing.register_batch, documented),
    ]


def route(path: str, endpoint: Endpoint, documented: FastAPI) -> Route:
    """Return a route for POST that gives the same answers as this endpoint does in the documented application."""
    return Route(path, _Answer(path, endpoint, documented), methods=["POST"])


class FastPath:
    """An ASGI application that handles the fast routes itself and passes all other requests to the documented one."""

    def __init__(self, documented: FastAPI, fast: Sequence[Route]) -> None:
        """Combine the application that handles everything with the routes that can skip it."""
        self.documented = documented
        self._fast = fast

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            for fast in self._fast:
                match, _ = fast.matches(scope)
                if match is Match.FULL:
                    await fast.handle(scope, receive, send)
                    return
        await self.documented(scope, receive, send)


class _Answer:
    """An ASGI application with one endpoint. Whatever fails in it, the client gets an answer, which is counted."""

    def __init__(self, path: str, endpoint: Endpoint, documented: FastAPI) -> None:
        self._path = path
        self._endpoint = endpoint
        self._documented = documented
        self._metrics: Metrics = documented.state.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        scope["app"] = self._documented
        status = 500
        try:
            response = await self._answer(Request(scope, receive))
            complete(response.headers)
            status = response.status_code
            await response(scope, receive, send)
        finally:
            self._metrics.request("POST", self._path, status, time.perf_counter() - began)

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._endpoint(request)
        except DeedlogError as error:
            return exception_handlers.deedlog_error(request, error)
        except DBAPIError as error:
            return exception_handlers.database_error(request, error)
        except Exception as error:  # noqa: BLE001 - the client gets an answer in any case
            _log.exception("a request failed")
            return exception_handlers.unexpected(request, error)
