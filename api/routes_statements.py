"""`/v1`: statements in and out, their bundles, anchors, and what this registry is."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from anchor import anchor_store
from anchor.bundle import MEDIA_TYPE as BUNDLE_MEDIA_TYPE
from anchor.bundling import make_bundle, newest_proof
from api import problems, shapes
from api.context import Body, Context, Here  # noqa: TC001 - FastAPI reads the annotations
from registry import store, strict_json
from registry.eip712 import domain_separator
from registry.errors import DeedlogError, InvalidData, Unavailable
from registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from registry.service import Accepted, Answer, Request
from registry.statements import content, kind_named, source, typed_data
from registry.submission import Checked, Submission, Submitter, check_all, check_submission, rerun_owner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from registry.store import Stored

router = APIRouter(prefix="/v1")

_LOG = logging.getLogger(__name__)

WAIT_SECONDS = 30
"""How long `?wait=logged` waits for the sequencer."""

RIVALS_IN_LIST = 5
"""Rivals shown of each statement of a list; `?content_hash=` lists them all."""

CHECKED_AT_ONCE = 16 * 1024
"""Bytes of a request that is checked on the event loop: a few hundred microseconds, less than a thread would cost."""

_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 0.5


@router.get("/registry", tags=["registry"])
def get_registry(here: Here) -> dict[str, Any]:
    """What this registry is: its address, and what the address commits to."""
    identity = here.identity
    return {
        "address": to_checksum(identity.address),
        "identity": identity.to_json(),
        "log_verifier_key": str(identity.verifier_key),
        "chain": here.settings.chain,
        "chain_id": here.settings.chosen_chain().chain_id,
        "deployment": None if here.deployment is None else here.deployment.to_json(),
        "writers": here.settings.writers,
    }


@router.post("/typed-data/{kind}", tags=["statements"])
def post_typed_data(kind: str, here: Here, body: Body) -> dict[str, Any]:
    """Typed data to sign (EIP-712) for the fields of a statement; a salt is added where none is given."""
    declared = kind_named(kind, "kind")
    fields = strict_json.loads(body, shapes.MAXIMUM_STATEMENT)
    if isinstance(fields, dict):
        fields.setdefault("salt", to_hex(secrets.token_bytes(HASH_SIZE)))
    statement = declared.from_message(fields)
    statement.STRUCT.accept(statement)
    return {
        "typed_data": typed_data(statement, here.identity.address),
        "digest": to_hex(statement.digest(domain_separator(here.identity.address))),
    }


@router.post("/statements", status_code=201, tags=["statements"])
async def post_statement(
    here: Here,
    body: Body,
    wait: Annotated[str | None, Query(pattern="^logged$", description="`logged`: answer with the tlog-proof")] = None,
    idempotency_key: Annotated[str | None, Header(description="makes a rerun of this request harmless")] = None,
) -> Response:
    """Register one signed statement. 201: accepted and durable; 200: it, or a repeat of it, was kept before."""
    submitter = await _let_in(here)
    if len(body) <= CHECKED_AT_ONCE:
        checked = _read(here, body, idempotency_key, submitter)
    else:
        checked = await run_in_threadpool(_read, here, body, idempotency_key, submitter)
    [result] = await _keep(here, [checked], submitter)
    if isinstance(result, DeedlogError):
        raise result
    answer = _accepted(result)
    if wait is not None:
        answer["tlog_proof"] = await _wait_for_proof(here, result.digest)
    return JSONResponse(answer, 201 if result.outcome == "accepted" else 200)


@router.post("/statements:batch", tags=["statements"])
async def post_batch(here: Here, body: Body) -> dict[str, Any]:
    """Register up to 500 signed statements, each for itself: one result per item, in order. Needs the scope `batch`."""
    submitter = await _let_in(here)
    if "batch" not in submitter.scopes:
        raise InvalidData("api_key.scope", scope="batch")
    checked = await run_in_threadpool(_read_batch, here, body, submitter)
    kept = iter(await _keep(here, [item for item in checked if isinstance(item, Checked)], submitter))
    results = [item if isinstance(item, DeedlogError) else next(kept) for item in checked]
    return {
        "results": [
            {"problem": problems.problem(result, here.language)}
            if isinstance(result, DeedlogError)
            else _accepted(result)
            for result in results
        ]
    }


@router.get("/statements", tags=["statements"])
def list_statements(
    here: Here,
    content_hash: Annotated[str | None, Query(description="SHA-256 of a file, 0x…")] = None,
    account: Annotated[str | None, Query(description="an account that signed")] = None,
    work: Annotated[str | None, Query(description="digest of a statement: what names it as its source")] = None,
    kind: Annotated[str | None, Query(description="Work, Upload, Rendition")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> dict[str, Any]:
    """Statements in the order of acceptance, at most 100 a page; all conditions hold."""
    subjects = []
    if content_hash is not None:
        subjects.append(content(from_hex(content_hash, HASH_SIZE, "content_hash")))
    if work is not None:
        subjects.append(source(from_hex(work, HASH_SIZE, "work")))
    wanted = store.Filter(
        subjects=tuple(subjects),
        account=None if account is None else account_from_any_case(account, "account"),
        kind=None if kind is None else kind_named(kind, "kind").__name__,
    )
    submitter = here.submitter()
    with here.database.read() as connection:
        found = store.search(connection, wanted, _read_cursor(cursor))
        shown = [_show(here, connection, stored, submitter, RIVALS_IN_LIST) for stored in found]
    return {"statements": shown, "next": str(found[-1].id) if len(found) == store.PAGE else None}


@router.get("/statements/{digest}", tags=["statements"])
def get_statement(digest: str, here: Here) -> dict[str, Any]:
    """One statement: its state and times, its body unless erased, and who else claims the same content."""
    submitter = here.submitter()
    with here.database.read() as connection:
        stored = store.by_digest(connection, from_hex(digest, HASH_SIZE, "digest"))
        if stored is None:
            raise InvalidData("statement.unknown", digest=digest)
        return _show(here, connection, stored, submitter, store.PAGE)


@router.get("/statements/{digest}/bundle", tags=["statements"], response_class=Response)
def get_bundle(digest: str, here: Here) -> Response:
    """The statement's bundle: one file that proves it, offline."""
    with here.database.read() as connection:
        bundle = make_bundle(connection, here.identity, from_hex(digest, HASH_SIZE, "digest"))
    return Response(
        bundle.format(),
        media_type=BUNDLE_MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{digest[2:18]}.deed"', "Cache-Control": "no-cache"},
    )


@router.get("/anchors", tags=["registry"])
def list_anchors(here: Here, cursor: str | None = None) -> dict[str, Any]:
    """The heads that contracts hold, the newest first, at most 100 a page."""
    below = None if cursor is None else _read_cursor(cursor)
    with here.database.read() as connection:
        found = anchor_store.anchors(connection, store.PAGE, below)
    return {
        "anchors": [shapes.show_anchor(anchor) for anchor in found],
        "next": str(found[-1].size) if len(found) == store.PAGE else None,
    }


async def _let_in(here: Context) -> Submitter:
    """Return who wants to write; raise if too many do, or `InvalidData` (`api_key.…`)."""
    here.acceptance.check_room()
    known = here.keys.known(here.authorization)
    return known if known is not None else await run_in_threadpool(here.submitter)


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
    answers = await here.acceptance.keep(Request(items, submitter, here.now(), admit))
    for answer in answers:
        if isinstance(answer, Accepted):
            here.metrics.statement(answer.kind, answer.outcome)
            _LOG.info(answer.outcome, extra={"kind": answer.kind, "digest": to_hex(answer.digest)})
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


def _show(
    here: Context, connection: Connection, stored: Stored, submitter: Submitter, most_rivals: int
) -> dict[str, Any]:
    entry = stored.opened()
    accounts = [signature.account for signature in entry.signatures]
    covering = [] if stored.log_index is None else anchor_store.anchors_covering(connection, stored.log_index)
    rivals: list[Stored] = []
    for subject in entry.subjects:
        if subject.startswith("content:"):
            rivals += store.rivals(connection, subject, accounts, most_rivals + 1)
    names: list[str] = []
    if submitter.api_key_id is not None:
        owner = rerun_owner(submitter.api_key_id, accounts)
        names = [
            name.removeprefix("reference:")
            for name in store.references(connection, stored.id, owner)
            if name.startswith("reference:")
        ]
    shown = shapes.show_statement(stored, here.identity.address, covering, rivals[:most_rivals], names)
    return {**shown, "more_rivals": len(rivals) > most_rivals}


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:  # noqa: PLR2004 - fits 64 bits
        raise InvalidData("http.cursor", field="cursor")
    return int(cursor)
