"""`/v1/events`: what happened, in order, for programs that keep up with it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query

from deedlog.api.http import schemas
from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.registry.errors import InvalidData
from deedlog.registry.store import drafts as draft_store
from deedlog.registry.store import events, partial_state

router = APIRouter(prefix="/v1", tags=["events"])

_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})", re.ASCII)


@router.get("/events")
def list_events(
    here: Here,
    after: Annotated[str | None, Query(description="`next` of the answer before; none: from the start")] = None,
) -> dict[str, Any]:
    """What happened after a cursor, at most 100 events, in order; `next` is where to go on, even after the last.

    What happens to drafts is told to their parties only: sign in to see it.
    """
    cursor = _read_cursor(after)
    account = here.account()
    with here.database.read() as connection:
        found = events.after(connection, cursor)
        own = () if account is None else partial_state.spoken_for(connection, account)
        shown = [
            schemas.show_event(event)
            for event in found
            if event.name not in events.OF_DRAFTS or draft_store.was_party(connection, event.digest, own)
        ]
    last = found[-1].cursor if found else cursor
    return {"events": shown, "next": f"{last[0]}.{last[1]}"}


def _read_cursor(after: str | None) -> events.Cursor:
    if after is None:
        return 0, 0
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise InvalidData("http.cursor", field="after")
    return int(found[1]), int(found[2])
