"""`/log`: C2SP tlog-tiles, for any tool that reads such logs, and for any site's pages.

Tiles never change. Clients must revalidate the checkpoint.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse, Response
from pydantic import WithJsonSchema
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog.tiles import TileError, parse_path
from deedlog.api.http.caching import IMMUTABLE, REVALIDATED
from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import answers, refuses

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

router = APIRouter(prefix="/log", tags=["log"])

_COMPRESSED = "/log/tile/entries/"
"""tlog-tiles asks for compressed entry bundles. The other tiles are hashes, which nothing makes shorter."""

_TilePath = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": r"^(entries|[0-9]{1,2})/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]{1,3})?$"}),
    Path(description="`<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`"),
]


@router.get("/checkpoint", summary="Read the newest checkpoint", response_class=PlainTextResponse)
def get_checkpoint(here: Here) -> Response:
    """The newest checkpoint (C2SP tlog-checkpoint)."""
    with here.database.read() as connection:
        note = log_store.newest_checkpoint(connection)
    return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": REVALIDATED})


@router.get(
    "/tile/{path:path}",
    summary="Read a tile of the log",
    response_class=Response,
    responses={
        200: answers("application/octet-stream", {"type": "string", "format": "binary"}),
        **refuses("tile.path"),
    },
)
def get_tile(path: _TilePath, here: Here) -> Response:
    """A tile of hashes, or an entry bundle. Neither ever changes."""
    wanted = parse_path(f"tile/{path}")
    with here.database.read() as connection:
        data = log_store.resource(connection, wanted)
    if data is None:
        raise TileError("tile.path")
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})


class ReadableByAnySite:
    """ASGI middleware that lets every site's pages read the log (CORS), and compresses entry bundles.

    The log is public and the same for everybody, so a page that verifies need not come from the registry. The rest of
    the API is not opened to other sites.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app
        opened = partial(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "HEAD"], max_age=86_400)
        self._log = opened(app)
        self._entries = opened(GZipMiddleware(app, compresslevel=6))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        path = scope["path"] if scope["type"] == "http" else ""
        app = self._entries if path.startswith(_COMPRESSED) else self._log if path.startswith("/log/") else self._app
        await app(scope, receive, send)
