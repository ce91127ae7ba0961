"""`/v1/drafts`: statements that several must sign, until they have. Reading one needs proof of being a party."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api import shapes
from api.context import Body, Context, Here, SignaturesBody  # noqa: TC001 - FastAPI reads the annotations
from api.routes_statements import read_cursor
from registry import draft_store, drafts, store, strict_json
from registry.errors import InvalidData
from registry.hexadecimal import HASH_SIZE, from_hex, to_checksum, to_hex
from registry.statement import tag
from registry.submission import Sent, Submission, check_sent
from registry.typed_data import kind_named, typed_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from registry.signatures import Signature
    from registry.submission import Submitter

router = APIRouter(prefix="/v1/drafts", tags=["drafts"])


@router.post("", status_code=201)
def post_draft(here: Here, body: Body) -> JSONResponse:
    """Propose a statement with one signature or more, or sign one that is proposed. When all have, it is accepted."""
    submission = shapes.read_submission(strict_json.loads(body, shapes.MAXIMUM_STATEMENT))
    submitter = _let_in(here)
    return _sign(here, check_sent(submission, here.identity.address, submitter, here.now()), submitter)


@router.post("/{digest}/signatures", status_code=201)
def post_signatures(digest: str, here: Here, body: SignaturesBody) -> JSONResponse:
    """Sign a draft: what is signed is kept here already. Who signs needs not sign in, the signature says who it is."""
    data = strict_json.members(strict_json.loads(body, shapes.MAXIMUM_SIGNATURES_BODY), ("signatures",), "")
    signatures = shapes.read_signatures(data["signatures"])
    wanted = from_hex(digest, HASH_SIZE, "digest")
    submitter = _let_in(here)
    with here.database.read() as connection:
        complete = store.by_digest(connection, wanted)
        if complete is not None:  # somebody whose answer was lost asks again
            return _answer(drafts.Signed(wanted, complete.kind, "known", ()))
        sent = _as_sent(here, connection, wanted, signatures, submitter)
    return _sign(here, sent, submitter)


@router.post("/{digest}/decline")
def post_decline(digest: str, here: Here) -> dict[str, Any]:
    """Say that you will not sign: a notice to the other parties, which binds nobody. Needs a session."""
    account = here.signed_in()
    wanted = from_hex(digest, HASH_SIZE, "digest")
    here.database.redo(lambda connection: drafts.decline(connection, wanted, account, here.now()))
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
    subjects = () if work is None else (tag("work", from_hex(work, HASH_SIZE, "work")),)
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


def _let_in(here: Context) -> Submitter:
    submitter = here.submitter()
    if submitter.api_key_id is None:
        if here.settings.writers == "keys":
            raise InvalidData("api_key.missing")
        here.quota.take_address(here.network_address)
    return submitter


def _as_sent(
    here: Context, connection: Connection, digest: bytes, signatures: Sequence[Signature], submitter: Submitter
) -> Sent:
    """Return the statement of a draft, as if it were sent with these signatures."""
    draft = draft_store.by_digest(connection, digest)
    if draft is None:
        raise InvalidData("draft.unknown", digest=to_hex(digest))
    submission = Submission(typed_data(draft.statement, here.identity.address), tuple(signatures))
    return check_sent(submission, here.identity.address, submitter, here.now())


def _sign(here: Context, sent: Sent, submitter: Submitter) -> JSONResponse:
    admit = here.quota.take_accounts if submitter.api_key_id is None else None
    return _answer(here.database.redo(lambda connection: drafts.sign(connection, sent, submitter, here.now(), admit)))


def _answer(signed: drafts.Signed) -> JSONResponse:
    answer = {
        "digest": to_hex(signed.digest),
        "kind": signed.kind,
        "outcome": signed.outcome,
        "missing": [to_checksum(account) for account in signed.missing],
    }
    return JSONResponse(answer, 200 if signed.outcome in ("known", "repeat") else 201)


def _show(here: Context, connection: Connection, draft: draft_store.Draft) -> dict[str, Any]:
    state, reason = drafts.state_of(connection, draft, here.now())
    return shapes.show_draft(draft, here.identity.address, state, reason)
