"""`/v1/sessions`: sign in as an account, to read what only that account may read."""

from __future__ import annotations

from fastapi import APIRouter, Response

from deedlog.api.http import examples
from deedlog.api.http.context import Body, Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import BODY, SESSION, Later, identified_by, refuses, takes
from deedlog.api.http.schemas import models
from deedlog.api.http.schemas.requests import MAXIMUM_STATEMENT
from deedlog.registry import strict_json, times
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, from_hex, to_checksum

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])


@router.post(
    "/nonce",
    status_code=201,
    summary="Get a message to sign in with",
    openapi_extra=takes(models.NonceRequest, examples.nonce_request),
    responses=refuses(*BODY, "account.checksum", "hex.length", Later("quota.exceeded")),
)
def make_nonce(here: Here, body: Body) -> models.SignInOffer:
    """A message (EIP-4361) for `account` to sign in with. Its nonce works once, for five minutes."""
    sent = strict_json.members(strict_json.loads(body, MAXIMUM_STATEMENT), ("account",), "")
    account = account_from_any_case(sent["account"], "account")
    here.quota.take_address(here.network_address)
    message = here.sessions.offer(account, here.now())
    return models.SignInOffer(
        domain=message.domain,
        uri=message.uri,
        version="1",
        chain_id=message.chain_id,
        nonce=message.nonce,
        statement=message.statement,
        issued_at=times.show(message.issued_at),
        expiration_time=None if message.expiration_time is None else times.show(message.expiration_time),
        message=message.text(),
    )


@router.post(
    "",
    status_code=201,
    summary="Sign in",
    openapi_extra=takes(models.SessionRequest, examples.session_request),
    responses=refuses(
        *(
            *BODY,
            "sign_in.nonce",
            "sign_in.signer",
            "sign_in.domain",
            "sign_in.expired",
            "sign_in.not_offered",
            "signature.length",
        ),
        Later("quota.exceeded"),
    ),
)
def begin_session(here: Here, body: Body) -> models.Session:
    """Begin a session with a message that was signed with `personal_sign`. A session lasts fifteen minutes."""
    sent = strict_json.members(strict_json.loads(body, MAXIMUM_STATEMENT), ("message", "signature"), "")
    if not isinstance(sent["message"], str):
        raise InvalidData("json.not_a_string", field="message")
    signature = from_hex(sent["signature"], None, "signature")
    here.quota.take_address(here.network_address)
    session = here.sessions.begin(sent["message"], signature, here.now())
    return models.Session(
        token=session.token, account=to_checksum(session.account), expires_at=times.show(session.expires_at)
    )


@router.delete(
    "",
    status_code=204,
    summary="Sign out",
    response_class=Response,
    openapi_extra=identified_by(SESSION, required=True),
    responses=refuses("sign_in.session", "sign_in.missing", "http.parameter_unknown"),
)
def end_session(here: Here) -> None:
    """End the session whose token is in `Authorization`."""
    here.sessions.end(here.authorization, here.now())
