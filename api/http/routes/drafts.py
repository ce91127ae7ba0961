"""`/v1/drafts`: statements that several accounts must sign, until all have. Only a party can read a draft."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import WithJsonSchema
from starlette.concurrency import run_in_threadpool

from deedlog.api.http import examples
from deedlog.api.http.context import Body, Context, Here, SignaturesBody  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import API_KEY, BODY, READER, SESSION, WRITER, identified_by, refuses, takes
from deedlog.api.http.parameters import Cursor, Digest, Kind, Work  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.routes.statements import read_cursor
from deedlog.api.http.schemas import answers, models, requests
from deedlog.registry import strict_json
from deedlog.registry.acceptance import drafts
from deedlog.registry.acceptance.accept import Admission
from deedlog.registry.acceptance.submission import Submission, check_sent
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_checksum, to_hex
from deedlog.registry.statements.subjects import WORK
from deedlog.registry.statements.typed_data import kind_named, typed_data
from deedlog.registry.store import clock
from deedlog.registry.store import drafts as draft_store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from deedlog.registry.acceptance.submission import SignedStatement, Submitter
    from deedlog.registry.statements.signatures import Signature

_LOG = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/drafts", tags=["drafts"])

_State = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "enum": list(drafts.STATES)}),
    Query(description="only drafts in this state; a page may then hold fewer and still have a `next`"),
]
_SIGNED_BEFORE = {
    "model": models.DraftReceipt,
    "description": "It, or a repeat of it, was stored before",
}
_PARTY = (*READER, "sign_in.missing")
_SIGNATURES = (*("list.length", "signature.signer", "signature.not_a_signer", "draft.signed_already", "api_key.scope"),)


@router.post(
    "",
    status_code=201,
    summary="Propose a draft, or sign one",
    response_model=models.DraftReceipt,
    openapi_extra=takes(models.Proposal, examples.proposal) | identified_by(API_KEY),
    responses={200: _SIGNED_BEFORE, **refuses(*WRITER, *BODY, *_SIGNATURES, "draft.reference", "agreement.stale")},
)
async def propose_draft(here: Here, body: Body) -> JSONResponse:
    """Propose a statement with at least one signature, or sign a proposed one. It is accepted once all have signed."""
    submitter = await here.let_in()
    here.count_request(submitter)
    submission = requests.read_submission(strict_json.loads(body, requests.MAXIMUM_STATEMENT))
    if submission.reference is not None:  # if the reference were taken, only the last signer would be refused for it
        raise InvalidData("draft.reference", field="reference")
    # With 64 parties this takes some milliseconds, so it does not run on the event loop.
    sent = await run_in_threadpool(check_sent, submission, here.identity.address, submitter, here.now())
    return await _sign(here, sent, submitter)


@router.post(
    "/{digest}/signatures",
    status_code=201,
    summary="Sign a draft",
    response_model=models.DraftReceipt,
    openapi_extra=takes(models.Signatures, examples.signatures) | identified_by(API_KEY),
    responses={
        200: {"model": models.DraftReceipt, "description": "These signatures were stored before"},
        **refuses(*WRITER, *BODY, *_SIGNATURES, "draft.unknown", "hex.length", "hex.malformed", "agreement.stale"),
    },
)
async def sign_draft(
    digest: Annotated[Digest, Path(openapi_examples={"example": {"value": examples.made_by(examples.draft_digest)}})],
    here: Here,
    body: SignaturesBody,
) -> JSONResponse:
    """Send signatures of a draft, named by its digest. No session is needed: each signature identifies its signer."""
    submitter = await here.let_in()
    here.count_request(submitter)
    data = strict_json.members(strict_json.loads(body, requests.MAXIMUM_SIGNATURES_BODY), ("signatures",), "")
    signatures = requests.read_signatures(data["signatures"])
    found = await run_in_threadpool(_find, here, from_hex(digest, HASH_SIZE, "digest"), signatures, submitter)
    if isinstance(found, drafts.Signed):
        return _answer(here, found)
    return await _sign(here, found, submitter)


@router.post(
    "/{digest}/decline",
    summary="Decline to sign a draft",
    openapi_extra=identified_by(SESSION, required=True),
    responses=refuses(*_PARTY, "draft.unknown", "hex.length", "hex.malformed"),
)
def decline_draft(digest: Digest, here: Here) -> models.Draft:
    """Tell the other parties that you will not sign. It binds nobody. Needs a session of a party."""
    account = here.signed_in()
    wanted = from_hex(digest, HASH_SIZE, "digest")
    here.database.retry_write(lambda connection: drafts.decline(connection, wanted, account, clock.check(connection)))
    return get_draft(digest, here)


@router.get(
    "",
    summary="List your drafts",
    openapi_extra=identified_by(SESSION, required=True),
    responses=refuses(
        *(*_PARTY, "hex.length", "hex.malformed", "statement.unknown_kind", "draft.state", "http.cursor")
    ),
)
def list_drafts(
    here: Here, work: Work = None, kind: Kind = None, state: _State = None, cursor: Cursor = None
) -> models.DraftPage:
    """The drafts that you are a party of, in the order they were proposed, at most 100 a page. Needs a session."""
    account = here.signed_in()
    subjects = () if work is None else (WORK.of(from_hex(work, HASH_SIZE, "work")),)
    name = None if kind is None else kind_named(kind, "kind").__name__
    if state is not None and state not in drafts.STATES:
        raise InvalidData("draft.state", field="state", states=", ".join(drafts.STATES))
    with here.database.read() as connection:
        found = draft_store.search(connection, account, read_cursor(cursor), subjects, name)
        shown = [_show(here, connection, draft) for draft in found]
    if state is not None:
        shown = [draft for draft in shown if draft.state == state]
    return models.DraftPage(drafts=shown, next=str(found[-1].id) if len(found) == draft_store.PAGE else None)


@router.get(
    "/{digest}",
    summary="Read a draft",
    openapi_extra=identified_by(SESSION, required=True),
    responses=refuses(*_PARTY, "draft.unknown", "hex.length", "hex.malformed"),
)
def get_draft(digest: Digest, here: Here) -> models.Draft:
    """A draft, and who has signed it. Needs a session of a party; for anybody else the draft does not exist."""
    account = here.signed_in()
    with here.database.read() as connection:
        return _show(here, connection, drafts.readable(connection, from_hex(digest, HASH_SIZE, "digest"), account))


def _find(
    here: Context, digest: bytes, signatures: tuple[Signature, ...], submitter: Submitter
) -> SignedStatement | drafts.Signed:
    """Return the stored draft as a statement signed with these signatures; or the answer, if the draft is complete."""
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


def _show(here: Context, connection: Connection, draft: draft_store.Draft) -> models.Draft:
    state, reason = drafts.state_of(connection, draft, here.now())
    return answers.draft(draft, here.identity.address, state, reason)
