"""The web process: it holds no key, writes only accepted statements, drafts and sessions, and serves the database."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Depends
from fastapi_offline import FastAPIOffline

from deedlog import __version__
from deedlog.api.bootstrap import check_chain, open_registry, read_deployment
from deedlog.api.http.api_keys import Keys
from deedlog.api.http.batch_checker import Checkers
from deedlog.api.http.caching import SayCaching
from deedlog.api.http.context import Context, nothing_unread
from deedlog.api.http.exception_handlers import answer_faults
from deedlog.api.http.fast_path import FastPath
from deedlog.api.http.fast_path import routes as fast_routes
from deedlog.api.http.metrics import CountRequests, Metrics
from deedlog.api.http.openapi import DESCRIPTION, EVERY_ROUTE, TAGS, describe, refuses
from deedlog.api.http.quota import Quota
from deedlog.api.http.routes import agreements, drafts, events, health, log, sessions, statements, writing
from deedlog.api.http.sessions import Sessions
from deedlog.api.web import pages
from deedlog.registry.acceptance.write_queue import WriteQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from deedlog.api.settings import Settings


def create_app(settings: Settings) -> FastPath:
    """Return the web application for the registry in the settings."""
    database, identity = open_registry(settings)
    check_chain(settings, identity)
    chain_id = settings.chosen_chain().chain_id
    acceptance = WriteQueue(database)
    checkers = Checkers()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await acceptance.close()
        checkers.close()
        database.close()

    app = FastAPIOffline(
        title="Deedlog",
        version=__version__,
        description=DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        openapi_tags=TAGS,
        responses=refuses(*EVERY_ROUTE),
        generate_unique_id_function=lambda route: route.name,
        separate_input_output_schemas=False,
        lifespan=lifespan,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # otherwise looked up at each request; deedlog.api.http.metrics counts requests
        redirect_slashes=False,  # a redirect would go to the address in the client's `Host` header
    )
    app.state.metrics = Metrics()
    app.state.context = partial(
        Context,
        database=database,
        identity=identity,
        deployment=read_deployment(settings, identity, chain_id),
        settings=settings,
        quota=Quota(settings.quota_per_account, settings.quota_per_address),
        metrics=app.state.metrics,
        keys=Keys(database),
        sessions=Sessions(database, settings.site, chain_id),
        acceptance=acceptance,
        checkers=checkers,
    )
    app.include_router(writing.router)
    app.include_router(statements.router, dependencies=[Depends(nothing_unread)])
    app.include_router(drafts.router, dependencies=[Depends(nothing_unread)])
    app.include_router(agreements.router, dependencies=[Depends(nothing_unread)])
    app.include_router(events.router, dependencies=[Depends(nothing_unread)])
    app.include_router(sessions.router, dependencies=[Depends(nothing_unread)])
    app.include_router(log.router)
    app.include_router(pages.router)
    app.include_router(health.router)
    app.add_middleware(log.ReadableByAnySite)
    app.add_middleware(SayCaching, pages=("/docs", "/openapi.json", "/static-offline-docs/"))
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    answer_faults(app)
    app.add_middleware(HeadAsGet)
    describe(app, identity.address)
    return FastPath(app, fast_routes(app))


class HeadAsGet:
    """ASGI middleware that answers HEAD like GET (RFC 9110 §9.3.2); the server omits the content."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with HEAD replaced by GET."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
