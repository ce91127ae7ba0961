"""Signs of life: whether the process answers, whether the registry does what it promises, and its figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError

from deedlog.api.http import health, metrics
from deedlog.api.http.context import Context, Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.texts import text
from deedlog.registry.errors import Unavailable

router = APIRouter(tags=["registry"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether this process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(here: Here) -> Response:
    """Whether what is accepted now will be logged: 200, or 503. Late anchors and low balances are alarms."""
    state = _read(here)
    if state is None:
        return JSONResponse({"status": "down", "checks": {"database": False}}, 503)
    checks = {"database": True, **state.checks()}
    status = "down" if not state.ready else "ok" if all(checks.values()) and not state.alarms else "alarm"
    shown: dict[str, Any] = {
        "status": status,
        "checks": checks,
        "log_size": state.log_size,
        "checkpoint_age": state.checkpoint_age,
        "unlogged_age": state.unlogged_age,
        "anchored_size": state.anchored_size,
        "unanchored_age": state.unanchored_age,
        "anchor_deadline": state.anchor_deadline,
        "operator_balance": None if state.balance is None else str(state.balance),
        "alarms": [
            {"code": alarm.code, "since": alarm.since, "detail": text(here.language, alarm.code, alarm.params)}
            for alarm in state.alarms
        ],
    }
    return JSONResponse(shown, 200 if state.ready else 503)


@router.get("/metrics", response_class=Response)
def get_metrics(here: Here) -> Response:
    """The registry's state and this process's requests, for Prometheus."""
    return Response(here.metrics.show(_read(here)), media_type=metrics.CONTENT_TYPE)


def _read(here: Context) -> health.Health | None:
    try:
        with here.database.read() as connection:
            return health.read(connection, here.settings.chosen_chain(), here.settings.anchor_interval, here.now())
    except (DBAPIError, Unavailable):
        return None
