"""Exception handlers: each error becomes the problem (RFC 9457) that the client receives."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from deedlog.api.http import problems
from deedlog.api.http.caching import complete
from deedlog.api.http.context import language
from deedlog.api.http.quota import QuotaExceeded
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_log = logging.getLogger(__name__)

_OURS = (DataError, IntegrityError, ProgrammingError)
"""Database errors that are bugs of this program, unlike failures of the database itself."""

RETRY_SECONDS = 5
"""What a client is asked to wait where nobody knows how long a fault lasts."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def answer_faults(app: FastAPI) -> None:
    """Register these handlers with an application."""
    app.add_exception_handler(DeedlogError, deedlog_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(DBAPIError, database_error)
    app.add_exception_handler(Exception, unexpected)


def deedlog_error(request: Request, error: Exception) -> Response:
    """Return the problem for an error of this package."""
    if not isinstance(error, DeedlogError):
        raise error
    body = problems.problem(error, language(request))
    headers = {}
    if body["status"] == 401:  # noqa: PLR2004 - RFC 9110 §11.6.1
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, QuotaExceeded) and error.window is not None:
        headers |= error.window.headers()
    response = JSONResponse(body, body["status"], headers, problems.MEDIA_TYPE)
    complete(response.headers)  # also for those that no middleware sees
    return response


def http_error(request: Request, error: Exception) -> Response:
    """Return the problem for one of Starlette's own errors."""
    if not isinstance(error, HTTPException):
        raise error
    codes = {404: "http.not_found", 405: "http.method_not_allowed"}
    said = InvalidData(codes.get(error.status_code, "http.request"), path=request.url.path[:200])
    response = deedlog_error(request, said)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    if error.status_code == 405:  # noqa: PLR2004 - RFC 9110 §15.5.6
        response.headers["Allow"] = ", ".join(_allowed(request))
    return response


def _allowed(request: Request) -> list[str]:
    """Return the methods of all routes at the request's path. Starlette names only those of the first route."""
    allowed = [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
    return [*allowed, "HEAD"] if "GET" in allowed else allowed


def validation_error(request: Request, error: Exception) -> Response:
    """Return the problem for a parameter that FastAPI refused."""
    if not isinstance(error, RequestValidationError):
        raise error
    place = error.errors()[0]["loc"][1:]
    return deedlog_error(request, InvalidData("http.parameter", field=".".join(map(str, place))[:64]))


def database_error(request: Request, error: Exception) -> Response:
    """Return the problem for a database error: `http.internal` for a bug of ours, else `database.unavailable`."""
    if isinstance(error, _OURS):
        _log.error("a request failed", exc_info=error)
        return unexpected(request, error)
    # A full disk or a lost connection. A failed commit's outcome is unknown: if the client sends the statement again,
    # the answer is `known` or `accepted`.
    _log.error("alarm: the database failed: %s", error)
    return deedlog_error(request, Unavailable("database.unavailable"))


def unexpected(request: Request, _error: Exception) -> Response:
    """Return the problem for a bug of ours (`http.internal`)."""
    # Starlette logs the traceback after this. The client learns only that the fault is ours.
    return deedlog_error(request, Unavailable("http.internal"))
