"""`/v1`: register statements. FastAPI documents these two routes; requests reach them through `api.http.fast_path`."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from deedlog.anchor.bundle_builder import newest_proof
from deedlog.api.http import examples, problems
from deedlog.api.http.context import Context, body, check_read, surroundings
from deedlog.api.http.openapi import API_KEY, BODY, WRITER, Later, identified_by, refuses, takes
from deedlog.api.http.schemas import models, requests
from deedlog.registry import strict_json
from deedlog.registry.acceptance import accept
from deedlog.registry.acceptance.accept import Accepted, Answer
from deedlog.registry.acceptance.submission import MAXIMUM_REFERENCE, CheckedStatement, Submitter, check_submission
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOG = logging.getLogger(__name__)

WAIT_SECONDS = 30
"""How long `?wait=logged` waits for the sequencer."""

CHECKED_AT_ONCE = 16 * 1024
"""Largest request, in bytes, checked on the event loop: a few hundred microseconds, less than a thread costs."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 0.5

_WAIT = {
    "name": "wait",
    "in": "query",
    "required": False,
    "description": "`logged`: answer once it is in the log, with the proof",
    "schema": {"type": "string", "enum": ["logged"]},
}
_IDEMPOTENCY_KEY = {
    "name": "idempotency-key",
    "in": "header",
    "required": False,
    "description": "your name for this request: sent again under it, it has no second effect",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAXIMUM_REFERENCE,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}

router = APIRouter(prefix="/v1", tags=["statements"])


@router.post(
    "/statements",
    status_code=201,
    summary="Register a statement",
    response_model=models.Receipt,
    openapi_extra=takes(models.Submission, examples.submission)
    | identified_by(API_KEY)
    | {"parameters": [_WAIT, _IDEMPOTENCY_KEY]},
    responses={
        200: {"model": models.Receipt, "description": "It, or a repeat of it, was stored before"},
        **refuses(
            *(*WRITER, *BODY, "api_key.scope", "http.parameter", "http.header_twice", "reference.malformed"),
            *("signature.signer", "signature.missing", "typed_data.domain", "statement.in_the_future"),
            *("idempotency_key.other_content", "claim.taken", Later("statement.not_logged_yet")),
        ),
    },
)
async def register_statement(request: Request) -> Response:
    """Accept one signed statement. When this answers, the statement is stored durably and will be logged."""
    check_read(request, ["wait"])
    wait = request.query_params.get("wait") if request.scope["query_string"] else None
    if wait not in (None, "logged"):
        raise InvalidData("http.parameter", field="wait")
    here = surroundings(request)
    sent = await body(request, requests.MAXIMUM_STATEMENT)
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


@router.post(
    "/statements:batch",
    summary="Register up to 500 statements",
    response_model=models.BatchResults,
    openapi_extra=takes(models.Batch, examples.batch) | identified_by(API_KEY),
    responses=refuses(
        *(*WRITER, *BODY, "api_key.scope", "list.length", "http.header_twice"),
        Later("statement.checker_ended"),
    ),
)
async def register_batch(request: Request) -> Response:
    """Accept signed statements, each on its own; return one result for each, in order. Needs the scope `batch`."""
    check_read(request, [])
    here = surroundings(request)
    submitter = await here.let_in()
    if "batch" not in submitter.scopes:  # checked before reading a large body
        raise InvalidData("api_key.scope", scope="batch")
    sent = await body(request, requests.MAXIMUM_BATCH_BODY)
    checked = await here.checkers.check(sent, here.identity.address, submitter, here.now())
    kept = iter(await _keep(here, [item for item in checked if isinstance(item, CheckedStatement)], submitter))
    results = [item if isinstance(item, DeedlogError) else next(kept) for item in checked]
    shown = [
        {"problem": problems.problem(result, here.language)} if isinstance(result, DeedlogError) else _accepted(result)
        for result in results
    ]
    return _json({"results": shown}, 200)


def _json(value: object, status: int) -> Response:
    # One encoder, made once: JSONResponse uses `json.dumps`, which makes an encoder for each call.
    return Response(_ENCODER.encode(value).encode(), status, media_type="application/json")


def _read(here: Context, body: bytes, idempotency_key: str | None, submitter: Submitter) -> CheckedStatement:
    submission = requests.read_submission(strict_json.loads(body, requests.MAXIMUM_STATEMENT), idempotency_key)
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
    """Return the tlog-proof of a statement once it is logged. A waiting request holds no thread.

    Raises `Unavailable` (`statement.not_logged_yet`) after `WAIT_SECONDS`.
    """
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
