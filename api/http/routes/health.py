"""`/healthz`, `/readyz` and `/metrics`: whether the process answers, whether the registry works, and its metrics."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError

from deedlog.api.http import health, metrics
from deedlog.api.http.context import Context, Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import Later, answers, refuses
from deedlog.api.http.schemas import models
from deedlog.api.texts import text
from deedlog.registry.errors import Unavailable

router = APIRouter(tags=["registry"])


@router.get("/healthz", summary="Ask whether this process answers")
def get_liveness() -> models.Liveness:
    """Shows only that this process answers."""
    return models.Liveness(status="ok")


@router.get(
    "/readyz",
    summary="Ask whether the registry works",
    response_model=models.Health,
    responses={
        503: {
            **refuses(Later("database.unavailable"))[503],
            "description": "What is accepted now will not be logged",
            "model": models.Health | models.Down,
        }
    },
)
def get_health(here: Here) -> JSONResponse:
    """200 if a statement accepted now will be logged, 503 otherwise. A late anchor or a low balance is an alarm."""
    state = _read(here)
    if state is None:
        return _json(models.Down(status="down", checks={"database": False}), 503)
    checks = {"database": True, **state.checks()}
    shown = models.Health(
        status="down" if not state.ready else "ok" if all(checks.values()) and not state.alarms else "alarm",
        checks=checks,
        log_size=state.log_size,
        checkpoint_age=state.checkpoint_age,
        unlogged_age=state.unlogged_age,
        anchored_size=state.anchored_size,
        unanchored_age=state.unanchored_age,
        anchor_deadline=state.anchor_deadline,
        operator_balance=None if state.balance is None else str(state.balance),
        alarms=[
            models.Alarm(code=alarm.code, since=alarm.since, detail=text(here.language, alarm.code, alarm.params))
            for alarm in state.alarms
        ],
    )
    return _json(shown, 200 if state.ready else 503)


def _json(shown: models.Health | models.Down, status: int) -> JSONResponse:
    return JSONResponse(shown.model_dump(), status)


@router.get(
    "/metrics",
    summary="Read the figures for Prometheus",
    response_class=Response,
    responses={200: answers("text/plain", {"type": "string"})},
)
def get_metrics(here: Here) -> Response:
    """The registry's state and this process's requests, in Prometheus' text format."""
    return Response(here.metrics.show(_read(here)), media_type=metrics.CONTENT_TYPE)


def _read(here: Context) -> health.Health | None:
    try:
        with here.database.read() as connection:
            return health.read(connection, here.settings.chosen_chain(), here.settings.anchor_interval, here.now())
    except (DBAPIError, Unavailable):
        return None
