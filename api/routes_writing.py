"""`/v1`: statements in. These two routes are the ones that are called at upload speed.

They are plain routes of Starlette, tried before all others, and stand in the document by hand (`api.openapi`): the way
through FastAPI's routers and dependencies would cost more than checking a statement does.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from anchor.bundling import newest_proof
from api import problems, shapes
from api.context import Context, body, surroundings
from registry import store, strict_json
from registry.errors import DeedlogError, InvalidData, Unavailable
from registry.hexadecimal import to_hex
from registry.service import Accepted, Answer
from registry.service import Request as Sent
from registry.submission import Checked, Submission, Submitter, check_all, check_submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

WAIT_SECONDS = 30
"""How long `?wait=logged` waits for the sequencer."""

CHECKED_AT_ONCE = 16 * 1024
"""Bytes of a request that is checked on the event loop: some 100 µs, no more than going to a thread would cost."""

_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 0.5


async def post_statement(request: Request) -> Response:
    """Register one signed statement. 201: accepted and durable; 200: it, or a repeat of it, was kept before."""
    here = surroundings(request)
    wait = request.query_params.get("wait")
    if wait not in (None, "logged"):
        raise InvalidData("http.parameter", field="wait")
    submitter = await _let_in(here)
    sent = await body(request)
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
    return JSONResponse(answer, 201 if result.outcome == "accepted" else 200)


async def post_batch(request: Request) -> Response:
    """Register up to 500 signed statements, each for itself: one result per item, in order. Needs the scope `batch`."""
    here = surroundings(request)
    submitter = await _let_in(here)
    if "batch" not in submitter.scopes:
        raise InvalidData("api_key.scope", scope="batch")
    checked = await run_in_threadpool(_read_batch, here, await body(request), submitter)
    kept = iter(await _keep(here, [item for item in checked if isinstance(item, Checked)], submitter))
    results = [item if isinstance(item, DeedlogError) else next(kept) for item in checked]
    shown = [
        {"problem": problems.problem(result, here.language)} if isinstance(result, DeedlogError) else _accepted(result)
        for result in results
    ]
    return JSONResponse({"results": shown})


async def _let_in(here: Context) -> Submitter:
    """Return who wants to write; raise if too many do, or `InvalidData` (`api_key.…`)."""
    here.acceptance.check_room()
    known = here.keys.known(here.authorization)
    return await run_in_threadpool(here.submitter) if known is None else known


def _read(here: Context, body: bytes, idempotency_key: str | None, submitter: Submitter) -> Checked:
    submission = shapes.read_submission(strict_json.loads(body, shapes.MAXIMUM_STATEMENT), idempotency_key)
    if submitter.api_key_id is None:
        if here.settings.writers == "keys":
            raise InvalidData("api_key.missing")
        here.quota.take_address(here.network_address)
    return check_submission(submission, here.identity.address, submitter, here.now())


def _read_batch(here: Context, body: bytes, submitter: Submitter) -> list[Checked | DeedlogError]:
    submissions: list[Submission | DeedlogError] = []
    for item in shapes.read_batch(body):
        try:
            submissions.append(shapes.read_submission(item))
        except InvalidData as error:
            submissions.append(error)
    return check_all(submissions, here.identity.address, submitter, here.now())


async def _keep(here: Context, items: Sequence[Checked], submitter: Submitter) -> list[Answer]:
    admit = here.quota.take_accounts if submitter.api_key_id is None else None
    return await here.acceptance.keep(Sent(items, submitter, here.now(), admit))


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


ROUTES = [
    Route(path, endpoint, methods=["POST"], include_in_schema=False)
    for path, endpoint in (("/v1/statements", post_statement), ("/v1/statements:batch", post_batch))
]
