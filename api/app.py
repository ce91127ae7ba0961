"""The web process: it holds no key, writes only accepted statements, and serves what the database has."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from anchor import log
from anchor.deployment import Deployment
from anchor.identity import RegistryIdentity
from api import problems, routes_log, routes_pages, routes_statements, routes_writing
from api.keys import Keys
from api.openapi import DESCRIPTION, describe
from api.quota import Quota
from api.texts import choose_language
from registry import strict_json
from registry.acceptance import Acceptance
from registry.database import Database
from registry.errors import DeedlogError, InvalidData, Unavailable
from registry.hexadecimal import to_checksum
from registry.keystore import read_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI, Request

    from api.settings import Settings

MAXIMUM_IDENTITY = 64 * 1024


def read_identity(path: Path) -> RegistryIdentity:
    """Return the registry's identity from its file; raise `Unavailable` or `InvalidData`."""
    return RegistryIdentity.from_json(strict_json.loads(read_file(path, MAXIMUM_IDENTITY), MAXIMUM_IDENTITY))


def open_registry(settings: Settings) -> tuple[Database, RegistryIdentity]:
    """Open the database and check that it is this registry's; raise `Unavailable` or `InvalidData` if it is not."""
    identity = read_identity(settings.identity_file)
    database = Database(settings.database)
    database.check_version()
    if log.identity_of(database) != identity:
        raise InvalidData("database.other_registry", path=str(settings.identity_file))
    return database, identity


def read_deployment(settings: Settings, identity: RegistryIdentity) -> Deployment | None:
    """Return the record of the contract on the chosen chain, as `ape run deploy` wrote it; None if there is none.

    Raises `InvalidData` (`deployment.other_registry`) if it is another registry's.
    """
    path = settings.deployment_file(settings.chosen_chain().chain_id)
    if not path.exists():
        return None
    deployment = Deployment.from_json(strict_json.loads(read_file(path, MAXIMUM_IDENTITY), MAXIMUM_IDENTITY))
    if deployment.address != identity.address:
        raise InvalidData(
            "deployment.other_registry",
            path=str(path),
            expected=to_checksum(identity.address),
            actual=to_checksum(deployment.address),
        )
    return deployment


def create_app(settings: Settings) -> FastAPI:
    """Return the web application of the registry that the settings name."""
    database, identity = open_registry(settings)
    acceptance = Acceptance(database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await acceptance.close()
        database.close()

    app = FastAPIOffline(
        title="Deedlog",
        version="1",
        description=DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        lifespan=lifespan,
        routes=routes_writing.ROUTES,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.identity = identity
    app.state.keys = Keys(database)
    app.state.acceptance = acceptance
    app.state.deployment = read_deployment(settings, identity)
    app.state.quota = Quota(settings.quota_per_account, settings.quota_per_address)
    app.include_router(routes_statements.router, prefix="/v1")
    app.include_router(routes_log.router)
    app.include_router(routes_pages.router)
    app.add_exception_handler(DeedlogError, _deedlog_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _unexpected)
    describe(app, identity.address)
    return app


def _deedlog_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, DeedlogError):
        raise error
    body = problems.problem(error, choose_language(request.headers.get("accept-language")))
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
    return response


def _validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    place = error.errors()[0]["loc"][1:]
    return _deedlog_error(request, InvalidData("http.parameter", field=".".join(map(str, place))[:64]))


def _unexpected(request: Request, _error: Exception) -> Response:
    # Starlette logs the traceback after this; the client learns that the fault is ours, and no more.
    return _deedlog_error(request, Unavailable("http.internal"))


def openapi_json(app: FastAPI) -> str:
    """Return the OpenAPI document, as text."""
    schema: dict[str, Any] = app.openapi()
    return json.dumps(schema, ensure_ascii=False, indent=2)
