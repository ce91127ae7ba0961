"""The way to two routes that are called at upload speed, past FastAPI.

FastAPI makes these routes' part of the OpenAPI document, and they work as any other. But its middleware, dependencies
and stacks of contexts cost more than checking a statement does (docs/benchmarks.md): a request for one of them goes
straight to its endpoint, which takes the request and returns a response.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError

from deedlog.api.http import exception_handlers
from deedlog.registry.errors import DeedlogError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from deedlog.api.http.metrics import Metrics

Endpoint = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)


class Direct:
    """An ASGI application before FastAPI's: it answers POST to some paths, and passes everything else on."""

    def __init__(self, app: FastAPI, endpoints: Mapping[str, Endpoint]) -> None:
        """Take the application, and the endpoints by path."""
        self._app = app
        self._endpoints = endpoints
        self._metrics: Metrics = app.state.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        scope["app"] = self._app
        status = 500
        try:
            response = await _answer(endpoint, Request(scope, receive))
            status = response.status_code
            await response(scope, receive, send)
        finally:
            self._metrics.request("POST", scope["path"], status, time.perf_counter() - began)


async def _answer(endpoint: Endpoint, request: Request) -> Response:
    try:
        return await endpoint(request)
    except DeedlogError as error:
        return exception_handlers.deedlog_error(request, error)
    except DBAPIError as error:
        return exception_handlers.database_error(request, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client is told something
        _log.exception("a request failed")
        return exception_handlers.unexpected(request, error)
