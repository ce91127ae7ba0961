"""The web process: it holds no key, writes only accepted statements, and serves what the database has."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Depends
from fastapi_offline import FastAPIOffline

from api import (
    routes_agreements,
    routes_drafts,
    routes_events,
    routes_log,
    routes_pages,
    routes_sessions,
    routes_signs,
    routes_statements,
    routes_writing,
)
from api.checking import Checkers
from api.context import Context, nothing_unread
from api.direct import Direct
from api.faults import answer_faults
from api.keys import Keys
from api.metrics import CountRequests, Metrics
from api.openapi import DESCRIPTION, describe
from api.opening import open_registry, read_deployment
from api.quota import Quota
from api.sessions import Sessions
from registry.acceptance import Acceptance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from api.settings import Settings


def create_app(settings: Settings) -> ASGIApp:
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
    app.state.metrics = Metrics()
    app.state.context = partial(
        Context,
        database=database,
        identity=identity,
        deployment=read_deployment(settings, identity),
        settings=settings,
        quota=Quota(settings.quota_per_account, settings.quota_per_address),
        metrics=app.state.metrics,
        keys=Keys(database),
        sessions=Sessions(database, settings.site, settings.chosen_chain().chain_id),
        acceptance=acceptance,
        checkers=checkers,
    )
    endpoints = routes_writing.add_routes(app)
    app.include_router(routes_statements.router, dependencies=[Depends(nothing_unread)])
    app.include_router(routes_drafts.router, dependencies=[Depends(nothing_unread)])
    app.include_router(routes_agreements.router, dependencies=[Depends(nothing_unread)])
    app.include_router(routes_events.router, dependencies=[Depends(nothing_unread)])
    app.include_router(routes_sessions.router, dependencies=[Depends(nothing_unread)])
    app.include_router(routes_log.router)
    app.include_router(routes_pages.router)
    app.include_router(routes_signs.router)
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    answer_faults(app)
    app.add_middleware(HeadAsGet)
    describe(app, identity.address)
    return Direct(app, endpoints)


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
