"""`/v1/drafts`: statements that several must sign, until they have. Reading one needs proof of being a party."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from deedlog.api.http import schemas
from deedlog.api.http.context import Body, Context, Here, SignaturesBody  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.routes.statements import read_cursor
from deedlog.registry import strict_json
from deedlog.registry.acceptance import drafts
from deedlog.registry.acceptance.accept import Admission
from deedlog.registry.acceptance.submission import Submission, check_sent
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_checksum, to_hex
from deedlog.registry.statements.subjects import WORK
from deedlog.registry.statements.typed_data import kind_named, typed_data
from deedlog.registry.store import drafts as draft_store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from deedlog.registry.acceptance.submission import SignedStatement, Submitter
    from deedlog.registry.statements.signatures import Signature

_LOG = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/drafts", tags=["drafts"])


@router.post("", status_code=201)
async def post_draft(here: Here, body: Body) -> JSONResponse:
    """Propose a statement with one signature or more, or sign one that is proposed. When all have, it is accepted."""
    submitter = await here.let_in()
    here.count_request(submitter)
    submission = schemas.read_submission(strict_json.loads(body, schemas.MAXIMUM_STATEMENT))
    if submission.reference is not None:  # it would be the last signer's burden if it stood for something else already
        raise InvalidData("draft.reference", field="reference")
    # With 64 parties this takes some milliseconds: not on the event loop.
    sent = await run_in_threadpool(check_sent, submission, here.identity.address, submitter, here.now())
    return await _sign(here, sent, submitter)


@router.post("/{digest}/signatures", status_code=201)
async def post_signatures(digest: str, here: Here, body: SignaturesBody) -> JSONResponse:
    """Sign a draft: what is signed is kept here already. Who signs needs not sign in, the signature says who it is."""
    submitter = await here.let_in()
    here.count_request(submitter)
    data = strict_json.members(strict_json.loads(body, schemas.MAXIMUM_SIGNATURES_BODY), ("signatures",), "")
    signatures = schemas.read_signatures(data["signatures"])
    found = await run_in_threadpool(_find, here, from_hex(digest, HASH_SIZE, "digest"), signatures, submitter)
    if isinstance(found, drafts.Signed):
        return _answer(here, found)
    return await _sign(here, found, submitter)


@router.post("/{digest}/decline")
def post_decline(digest: str, here: Here) -> dict[str, Any]:
    """Say that you will not sign: a notice to the other parties, which binds nobody. Needs a session."""
    account = here.signed_in()
    wanted = from_hex(digest, HASH_SIZE, "digest")
    here.database.retry_write(lambda connection: drafts.decline(connection, wanted, account, here.now()))
    return get_draft(digest, here)


@router.get("")
def list_drafts(
    here: Here,
    work: Annotated[str | None, Query(description="digest of a work: drafts about it")] = None,
    kind: Annotated[str | None, Query(description="a kind of statement")] = None,
    state: Annotated[str | None, Query(description="proposed, declined, cancelled, expired or stale")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> dict[str, Any]:
    """The drafts that you are a party of, in their order, at most 100 a page. Needs a session."""
    account = here.signed_in()
    subjects = () if work is None else (WORK.of(from_hex(work, HASH_SIZE, "work")),)
    name = None if kind is None else kind_named(kind, "kind").__name__
    if state is not None and state not in drafts.STATES:
        raise InvalidData("draft.state", field="state", states=", ".join(drafts.STATES))
    with here.database.read() as connection:
        found = draft_store.search(connection, account, read_cursor(cursor), subjects, name)
        shown = [_show(here, connection, draft) for draft in found]
    if state is not None:
        shown = [draft for draft in shown if draft["state"] == state]
    return {"drafts": shown, "next": str(found[-1].id) if len(found) == draft_store.PAGE else None}


@router.get("/{digest}")
def get_draft(digest: str, here: Here) -> dict[str, Any]:
    """A draft and who has signed it. Needs a session of a party; to others it is not there."""
    account = here.signed_in()
    with here.database.read() as connection:
        return _show(here, connection, drafts.readable(connection, from_hex(digest, HASH_SIZE, "digest"), account))


def _find(
    here: Context, digest: bytes, signatures: tuple[Signature, ...], submitter: Submitter
) -> SignedStatement | drafts.Signed:
    """Return the statement of a draft, as if it were sent with these signatures; or the answer if it is complete."""
    with here.database.read() as connection:
        draft = draft_store.by_digest(connection, digest)
        if draft is None:
            return drafts.sign_kept(connection, digest, signatures)
    submission = Submission(typed_data(draft.statement, here.identity.address), signatures)
    return check_sent(submission, here.identity.address, submitter, here.now())


async def _sign(here: Context, sent: SignedStatement, submitter: Submitter) -> JSONResponse:
    admission = Admission(here.quota.take_accounts if submitter.api_key_id is None else None)
    return _answer(here, await here.acceptance.sign(drafts.Signing(sent, submitter, here.now(), admission)))


def _answer(here: Context, signed: drafts.Signed) -> JSONResponse:
    _LOG.info(signed.outcome, extra={"kind": signed.kind, "digest": to_hex(signed.digest)})
    here.metrics.statements(signed.kind, signed.outcome, 1)
    answer = {
        "digest": to_hex(signed.digest),
        "kind": signed.kind,
        "outcome": signed.outcome,
        "missing": [to_checksum(account) for account in signed.missing],
    }
    return JSONResponse(answer, 200 if signed.outcome in ("known", "repeat") else 201)


def _show(here: Context, connection: Connection, draft: draft_store.Draft) -> dict[str, Any]:
    state, reason = drafts.state_of(connection, draft, here.now())
    return schemas.show_draft(draft, here.identity.address, state, reason)
