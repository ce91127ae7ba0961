"""The web process: it holds no key, writes only accepted statements, and serves what the database has."""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api import problems, routes_log, routes_pages, routes_signs, routes_statements, routes_writing
from api.checking import Checkers
from api.context import language, nothing_unread
from api.keys import Keys
from api.metrics import CountRequests, Metrics
from api.openapi import DESCRIPTION, describe
from api.opening import open_registry, read_deployment
from api.quota import Quota
from registry.acceptance import Acceptance
from registry.errors import DeedlogError, InvalidData, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI, Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from api.settings import Settings

_log = logging.getLogger(__name__)

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def create_app(settings: Settings) -> FastAPI:
    """Return the web application of the registry that the settings name."""
    database, identity = open_registry(settings)
    acceptance = Acceptance(database)
    checkers = Checkers()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await acceptance.close()
        checkers.close()
        database.close()

    app = FastAPIOffline(
        title="Deedlog",
        version="1",
        description=DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        lifespan=lifespan,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # asked at each request otherwise; see api.metrics
        redirect_slashes=False,  # a redirect would lead where the `Host` header says
    )
    app.state.settings = settings
    app.state.database = database
    app.state.identity = identity
    app.state.keys = Keys(database)
    app.state.acceptance = acceptance
    app.state.checkers = checkers
    app.state.deployment = read_deployment(settings, identity)
    app.state.quota = Quota(settings.quota_per_account, settings.quota_per_address)
    routes_writing.add_routes(app)
    app.include_router(routes_statements.router, dependencies=[Depends(nothing_unread)])
    app.include_router(routes_log.router)
    app.include_router(routes_pages.router)
    app.include_router(routes_signs.router)
    app.state.metrics = Metrics()
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    app.add_exception_handler(DeedlogError, _deedlog_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(OperationalError, _database_error)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(HeadAsGet)
    describe(app, identity.address)
    return app


def _deedlog_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, DeedlogError):
        raise error
    body = problems.problem(error, language(request))
    headers = {}
    if body["status"] == 401:  # noqa: PLR2004 - RFC 9110 §11.6.1
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "5"
    if request.url.path.startswith("/log/"):
        headers["Cache-Control"] = "no-store"
    return JSONResponse(body, body["status"], headers, problems.MEDIA_TYPE)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    codes = {404: "http.not_found", 405: "http.method_not_allowed"}
    said = InvalidData(codes.get(error.status_code, "http.request"), path=request.url.path[:200])
    response = _deedlog_error(request, said)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    if error.status_code == 405:  # noqa: PLR2004 - RFC 9110 §15.5.6
        response.headers["Allow"] = ", ".join(_allowed(request))
    return response


def _allowed(request: Request) -> list[str]:
    """Return the methods of all routes at the request's path: Starlette names those of the first one only."""
    allowed = [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
    return [*allowed, "HEAD"] if "GET" in allowed else allowed


def _validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    place = error.errors()[0]["loc"][1:]
    return _deedlog_error(request, InvalidData("http.parameter", field=".".join(map(str, place))[:64]))


def _database_error(request: Request, error: Exception) -> Response:
    # A full disk, a connection that was cut. Of a commit the outcome is unknown; sent again it is known or accepted.
    _log.error("alarm: the database failed: %s", error)
    return _deedlog_error(request, Unavailable("database.unavailable"))


def _unexpected(request: Request, _error: Exception) -> Response:
    # Starlette logs the traceback after this; the client learns that the fault is ours, and no more.
    return _deedlog_error(request, Unavailable("http.internal"))


class HeadAsGet:
    """Answers HEAD as GET (RFC 9110 §9.3.2); the server leaves the content out."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def openapi_json(app: FastAPI) -> str:
    """Return the OpenAPI document, as text."""
    schema: dict[str, Any] = app.openapi()
    return json.dumps(schema, ensure_ascii=False, indent=2)
