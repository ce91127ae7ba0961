"""`/v1/sessions`: signing in as an account, to read what only that account may read."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from deedlog.api.http.context import Body, Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.schemas import MAXIMUM_STATEMENT
from deedlog.registry import strict_json, times
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, from_hex, to_checksum

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])


@router.post("/nonce", status_code=201)
def post_nonce(here: Here, body: Body, response: Response) -> dict[str, Any]:
    """What to sign in order to sign in as `account`: a message (EIP-4361) with a nonce that serves once."""
    sent = strict_json.members(strict_json.loads(body, MAXIMUM_STATEMENT), ("account",), "")
    account = account_from_any_case(sent["account"], "account")
    here.quota.take_address(here.network_address)
    message = here.sessions.offer(account, here.now())
    response.headers["Cache-Control"] = "no-store"
    return {
        "domain": message.domain,
        "uri": message.uri,
        "version": "1",
        "chain_id": message.chain_id,
        "nonce": message.nonce,
        "statement": message.statement,
        "issued_at": times.show(message.issued_at),
        "expiration_time": None if message.expiration_time is None else times.show(message.expiration_time),
        "message": message.text(),
    }


@router.post("", status_code=201)
def post_session(here: Here, body: Body, response: Response) -> dict[str, Any]:
    """Sign in with a signed message (`personal_sign`); the token goes into `Authorization: Bearer …` from then on."""
    sent = strict_json.members(strict_json.loads(body, MAXIMUM_STATEMENT), ("message", "signature"), "")
    if not isinstance(sent["message"], str):
        raise InvalidData("json.not_a_string", field="message")
    signature = from_hex(sent["signature"], None, "signature")
    here.quota.take_address(here.network_address)
    session = here.sessions.begin(sent["message"], signature, here.now())
    response.headers["Cache-Control"] = "no-store"  # RFC 6749 §5.1: what holds a token is kept by nobody else
    return {
        "token": session.token,
        "account": to_checksum(session.account),
        "expires_at": times.show(session.expires_at),
    }


@router.delete("", status_code=204, response_class=Response)
def delete_session(here: Here) -> None:
    """End the session of the token in `Authorization`."""
    here.sessions.end(here.authorization, here.now())
