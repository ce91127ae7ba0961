"""`/v1`: statements in. These two routes are called at upload speed, past FastAPI (`api.http.fast_path`)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi import Request  # noqa: TC002 - FastAPI reads annotations when it runs
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from deedlog.anchor.bundle_builder import newest_proof
from deedlog.api.http import problems, schemas
from deedlog.api.http.context import Context, body, check_read, surroundings
from deedlog.registry import strict_json
from deedlog.registry.acceptance import accept
from deedlog.registry.acceptance.accept import Accepted, Answer
from deedlog.registry.acceptance.submission import CheckedStatement, Submitter, check_submission
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from deedlog.api.http.fast_path import Endpoint

_LOG = logging.getLogger(__name__)

WAIT_SECONDS = 30
"""How long `?wait=logged` waits for the sequencer."""

CHECKED_AT_ONCE = 16 * 1024
"""Bytes of a request that is checked on the event loop: a few hundred microseconds, less than a thread would cost."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 0.5

_WAIT = {"name": "wait", "in": "query", "required": False, "description": "`logged`: answer with the tlog-proof"}
_IDEMPOTENCY_KEY = {
    "name": "idempotency-key",
    "in": "header",
    "required": False,
    "description": "makes a rerun of this request harmless",
}


async def post_statement(request: Request) -> Response:
    """Register one signed statement. 201: accepted and durable; 200: it, or a repeat of it, was kept before."""
    check_read(request, ["wait"])
    wait = request.query_params.get("wait") if request.scope["query_string"] else None
    if wait not in (None, "logged"):
        raise InvalidData("http.parameter", field="wait")
    here = surroundings(request)
    sent = await body(request, schemas.MAXIMUM_STATEMENT)
    submitter = await here.let_in()
    idempotency_key = request.headers.get("idempotency-key")
    if len(sent) <= CHECKED_AT_ONCE:
        checked = _read(here, sent, idempotency_key, submitter)
    else:
        checked = await run_in_threadpool(_read, here, sent, idempotency_key, submitter)
    [result] = await _keep(here, [checked], submitter)
    if isinstance(result, DeedlogError):
        raise result
    answer = _accepted(result)
    if wait is not None:
        answer["tlog_proof"] = await _wait_for_proof(here, result.digest)
    return _json(answer, 201 if result.outcome == "accepted" else 200)


async def post_batch(request: Request) -> Response:
    """Register up to 500 signed statements, each for itself: one result per item, in order. Needs the scope `batch`."""
    check_read(request, [])
    here = surroundings(request)
    submitter = await here.let_in()
    if "batch" not in submitter.scopes:  # before so much is read
        raise InvalidData("api_key.scope", scope="batch")
    sent = await body(request, schemas.MAXIMUM_BATCH_BODY)
    checked = await here.checkers.check(sent, here.identity.address, submitter, here.now())
    kept = iter(await _keep(here, [item for item in checked if isinstance(item, CheckedStatement)], submitter))
    results = [item if isinstance(item, DeedlogError) else next(kept) for item in checked]
    shown = [
        {"problem": problems.problem(result, here.language)} if isinstance(result, DeedlogError) else _accepted(result)
        for result in results
    ]
    return _json({"results": shown}, 200)


def _json(value: object, status: int) -> Response:
    # With an encoder that is made once: `json.dumps`, which a JSONResponse asks, makes one each time.
    return Response(_ENCODER.encode(value).encode(), status, media_type="application/json")


def _read(here: Context, body: bytes, idempotency_key: str | None, submitter: Submitter) -> CheckedStatement:
    submission = schemas.read_submission(strict_json.loads(body, schemas.MAXIMUM_STATEMENT), idempotency_key)
    here.count_request(submitter)
    return check_submission(submission, here.identity.address, submitter, here.now())


async def _keep(here: Context, items: Sequence[CheckedStatement], submitter: Submitter) -> list[Answer]:
    admit = here.quota.take_accounts if submitter.api_key_id is None else None
    answers = await here.acceptance.accept(accept.WriteRequest(items, submitter, here.now(), admit))
    taken = [answer for answer in answers if isinstance(answer, Accepted)]
    for answer in taken:
        _LOG.info(answer.outcome, extra={"kind": answer.kind, "digest": to_hex(answer.digest)})
    for (kind, outcome), count in Counter((answer.kind, answer.outcome) for answer in taken).items():
        here.metrics.statements(kind, outcome, count)
    return answers


def _accepted(result: Accepted) -> dict[str, Any]:
    digest = to_hex(result.digest)
    return {
        "digest": digest,
        "kind": result.kind,
        "outcome": result.outcome,
        "statement": f"/v1/statements/{digest}",
        "bundle": f"/v1/statements/{digest}/bundle",
    }


async def _wait_for_proof(here: Context, digest: bytes) -> str:
    """Return the tlog-proof of a statement once it is logged; a request that waits holds no thread."""
    until = time.monotonic() + WAIT_SECONDS
    pause = _POLL_SECONDS
    while time.monotonic() < until:
        proof = await run_in_threadpool(_proof, here, digest)
        if proof is not None:
            return proof.decode()
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_POLL_SECONDS)
    raise Unavailable("statement.not_logged_yet", digest=to_hex(digest))


def _proof(here: Context, digest: bytes) -> bytes | None:
    with here.database.read() as connection:
        stored = store.by_digest(connection, digest)
        if stored is None or stored.log_index is None:
            return None
        return newest_proof(connection, stored.log_index)


def add_routes(app: FastAPI) -> dict[str, Endpoint]:
    """Add the two routes; return their endpoints by path. For them no other route need be looked through."""
    app.router.add_api_route(
        "/v1/statements",
        post_statement,
        methods=["POST"],
        status_code=201,
        response_model=None,
        tags=["statements"],
        openapi_extra={"parameters": [_WAIT, _IDEMPOTENCY_KEY]},
    )
    app.router.add_api_route(
        "/v1/statements:batch",
        post_batch,
        methods=["POST"],
        response_model=dict[str, Any],
        tags=["statements"],
    )
    return {"/v1/statements": post_statement, "/v1/statements:batch": post_batch}
