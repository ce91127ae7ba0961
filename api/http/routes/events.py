"""`/v1/events`: everything that happened, in order, for programs that follow it."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import WithJsonSchema

from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import READER, SESSION, identified_by, refuses
from deedlog.api.http.schemas import answers, models
from deedlog.registry.errors import InvalidData
from deedlog.registry.store import drafts as draft_store
from deedlog.registry.store import events, partial_state

router = APIRouter(prefix="/v1", tags=["events"])

_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})", re.ASCII)


_After = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,18}\.[0-9]{1,18}$"}),
    Query(description="`next` of the answer before; without it: from the start"),
]


@router.get(
    "/events",
    summary="Follow what happens",
    openapi_extra=identified_by(SESSION),
    responses=refuses(*READER, "http.cursor"),
)
def list_events(here: Here, after: _After = None) -> models.EventPage:
    """At most 100 events after a cursor, in order. Send `next` as `after` to go on, also after the last event.

    Events about drafts are shown only to their parties: sign in to see them.
    """
    cursor = _read_cursor(after)
    account = here.account()
    with here.database.read() as connection:
        found = events.after(connection, cursor)
        own = () if account is None else partial_state.spoken_for(connection, account)
        shown = [
            answers.event(event)
            for event in found
            if event.name not in events.OF_DRAFTS or draft_store.was_party(connection, event.digest, own)
        ]
    last = found[-1].cursor if found else cursor
    return models.EventPage(events=shown, next=f"{last[0]}.{last[1]}")


def _read_cursor(after: str | None) -> events.Cursor:
    if after is None:
        return 0, 0
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise InvalidData("http.cursor", field="after")
    return int(found[1]), int(found[2])
