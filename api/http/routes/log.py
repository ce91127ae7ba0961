"""`/log`: C2SP tlog-tiles, for any tool that reads such logs.

Tiles never change. Clients must revalidate the checkpoint.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse, Response
from pydantic import WithJsonSchema

from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog.tiles import TileError, parse_path
from deedlog.api.http.caching import IMMUTABLE, REVALIDATED
from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import answers, refuses

router = APIRouter(prefix="/log", tags=["log"])

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
