"""The two routes before FastAPI: whatever their endpoint does, the client is told something and the request counted."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, OperationalError

from deedlog.api.http.fast_path import Direct
from deedlog.api.http.metrics import Metrics
from deedlog.registry.errors import Unavailable

FAULTS = {
    "ours": (KeyError("a secret"), 500, "http.internal"),
    "the database's": (OperationalError("SELECT", {}, Exception("disk full")), 503, "database.unavailable"),
    "the database's file": (DatabaseError("SELECT", {}, Exception("malformed")), 503, "database.unavailable"),
    "the driver's": (
        InterfaceError("SELECT", {}, Exception("The operator finds the cause in the log")),
        503,
        "database.unavailable",
    ),
    "what it refuses": (IntegrityError("INSERT", {}, Exception("a secret")), 500, "http.internal"),
    "a refusal": (Unavailable("statement.stopping"), 503, "statement.stopping"),
}


def post(endpoint):
    app = FastAPI()
    app.state.metrics = Metrics()

    async def ask():
        transport = httpx.ASGITransport(Direct(app, {"/here": endpoint}))
        async with httpx.AsyncClient(transport=transport, base_url="http://a.example") as client:
            return await client.post("/here"), await client.get("/here"), await client.post("/elsewhere")

    return *asyncio.run(ask()), app.state.metrics.show(None).decode()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_problem_and_is_counted(name, caplog):
    error, status, code = FAULTS[name]

    async def endpoint(_request):
        raise error

    with caplog.at_level(logging.INFO):
        answer, got, elsewhere, metrics = post(endpoint)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert ("a secret" in caplog.text) == (code == "http.internal")  # with its traceback, for the operator
    assert f'method="POST",route="/here",status="{status}"' in metrics
    assert (got.status_code, elsewhere.status_code) == (404, 404)  # everything else is FastAPI's
