"""`/log`: C2SP tlog-tiles, for foreign tools. Tiles never change; the checkpoint is asked for afresh each time."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog.tiles import TileError, parse_path
from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations

router = APIRouter(prefix="/log", tags=["log"])

IMMUTABLE = "public, max-age=31536000, immutable"


@router.get("/checkpoint", response_class=PlainTextResponse)
def get_checkpoint(here: Here) -> Response:
    """The newest checkpoint (C2SP tlog-checkpoint)."""
    with here.database.read() as connection:
        note = log_store.newest_checkpoint(connection)
    return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/tile/{path:path}", response_class=Response)
def get_tile(path: str, here: Here) -> Response:
    """A tile of hashes, `tile/<L>/<N>[.p/<W>]`, or an entry bundle, `tile/entries/<N>[.p/<W>]`."""
    wanted = parse_path(f"tile/{path}")
    with here.database.read() as connection:
        data = log_store.resource(connection, wanted)
    if data is None:
        raise TileError("tile.path")
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})
