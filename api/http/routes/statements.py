"""`/v1`: typed data, statements and their bundles, anchors, and this registry's identity. `writing` registers them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, get_args

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import WithJsonSchema

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.bundle_builder import make_bundle
from deedlog.anchor.verify.bundle import MEDIA_TYPE as BUNDLE_MEDIA_TYPE
from deedlog.api.http import examples
from deedlog.api.http import openapi as documented
from deedlog.api.http.context import Body, Context, Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import API_KEY, BODY, READER, SESSION, Later, identified_by, refuses, takes
from deedlog.api.http.parameters import (  # noqa: TC001 - FastAPI reads the annotations
    Cursor,
    Digest,
    Kind,
    KindInPath,
    Work,
)
from deedlog.api.http.schemas import answers, models
from deedlog.api.http.schemas.requests import MAXIMUM_STATEMENT
from deedlog.registry import strict_json
from deedlog.registry.acceptance import access
from deedlog.registry.acceptance.submission import idempotency_owner
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.rules import fold
from deedlog.registry.rules.standings import STANDINGS
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.subjects import CONTENT, TAGS, Value
from deedlog.registry.statements.typed_data import kind_named, typed_data
from deedlog.registry.store import partial_state
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from deedlog.registry.acceptance.access import Reader
    from deedlog.registry.rules.state import State
    from deedlog.registry.store.statements import Stored

router = APIRouter(prefix="/v1")

RIVALS_IN_LIST = 5
"""Rivals shown with each statement of a list; `?content_hash=` lists them all."""


_ContentHash = Annotated[str | None, WithJsonSchema(models.HASH), Query(description="SHA-256 of a file")]
_Account = Annotated[str | None, WithJsonSchema(models.ACCOUNT), Query(description="an account that signed")]
STATES: tuple[str, ...] = (*get_args(models.StatementState), *STANDINGS)
"""What the filter `state` takes: how far a statement has come, or the code of its standing."""

_State = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "enum": list(STATES)}),
    Query(description="how far it has come, or the code of its standing; a page may then hold fewer"),
]
_UNKNOWN_QUERY = "http.parameter_unknown"


@router.get("/registry", summary="Read what this registry is", tags=["registry"], responses=refuses(_UNKNOWN_QUERY))
def get_registry(here: Here) -> models.Registry:
    """The registry's address, and what the address commits to. Get the address for a verifier from a trusted source."""
    identity = here.identity
    deployment = here.deployment
    return models.Registry(
        address=to_checksum(identity.address),
        identity=models.Identity.model_validate(identity.to_json()),
        log_verifier_key=str(identity.verifier_key),
        chain=here.settings.chain,
        chain_id=here.settings.chosen_chain().chain_id,
        deployment=None if deployment is None else models.Deployment.model_validate(deployment.to_json()),
        writers=here.settings.writers,
    )


@router.post(
    "/typed-data/{kind}",
    summary="Make typed data to sign",
    tags=["statements"],
    openapi_extra=takes("Fields", examples.fields),
    responses=refuses(*BODY, "statement.unknown_kind", "text.empty", "integer.range", _UNKNOWN_QUERY),
)
def make_typed_data(kind: KindInPath, here: Here, body: Body) -> models.TypedDataToSign:
    """Typed data (EIP-712) of a statement with these fields. Missing salts are added.

    Compare its domain and message with what you meant, and derive the digest from it yourself: sign none that was sent.
    """
    declared = kind_named(kind, "kind")
    fields = strict_json.loads(body, MAXIMUM_STATEMENT)
    statement = declared.from_message(declared.STRUCT.salted(fields, lambda: to_hex(secrets.token_bytes(HASH_SIZE))))
    statement.STRUCT.accept(statement)
    return models.TypedDataToSign(
        typed_data=typed_data(statement, here.identity.address),
        digest=to_hex(statement.digest(domain_separator(here.identity.address))),
    )


@router.get(
    "/statements",
    summary="List statements",
    tags=["statements"],
    openapi_extra=identified_by(API_KEY, SESSION),
    responses=refuses(
        *READER,
        *("hex.length", "hex.malformed", "account.checksum", "statement.unknown_kind", "http.cursor"),
        *("statement.state", "http.parameter_twice"),
    ),
)
def list_statements(
    here: Here,
    content_hash: _ContentHash = None,
    account: _Account = None,
    work: Work = None,
    kind: Kind = None,
    state: _State = None,
    cursor: Cursor = None,
) -> models.StatementPage:
    """Statements that meet all conditions, in the order of acceptance, at most 100 a page."""
    wanted = store.Filter(
        content=None if content_hash is None else CONTENT.of(from_hex(content_hash, HASH_SIZE, "content_hash")),
        naming=() if work is None else _naming(from_hex(work, HASH_SIZE, "work")),
        account=None if account is None else account_from_any_case(account, "account"),
        kind=None if kind is None else kind_named(kind, "kind").__name__,
    )
    if state is not None and state not in STATES:
        raise InvalidData("statement.state", field="state", states=", ".join(STATES))
    reader = here.reader()
    with here.database.read() as connection:
        found = store.search(connection, wanted, read_cursor(cursor))
        rights = partial_state.state_of(connection, found)
        covering = anchor_store.Covering(connection)
        shown = [_show(here, connection, covering, stored, reader, rights, RIVALS_IN_LIST) for stored in found]
    if state is not None:
        shown = [statement for statement in shown if state in (statement.state, statement.standing.code)]
    return models.StatementPage(statements=shown, next=str(found[-1].id) if len(found) == store.PAGE else None)


@router.get(
    "/statements/{digest}",
    summary="Read a statement",
    tags=["statements"],
    openapi_extra=identified_by(API_KEY, SESSION),
    responses=refuses(*READER, "hex.length", "hex.malformed", "statement.unknown"),
)
def get_statement(digest: Digest, here: Here) -> models.Statement:
    """A statement, its state, and the rivals that claim the same content.

    The body is left out if it was erased, or if you may not read it.
    """
    reader = here.reader()
    with here.database.read() as connection:
        stored = store.by_digest(connection, from_hex(digest, HASH_SIZE, "digest"))
        if stored is None:
            raise InvalidData("statement.unknown", digest=digest)
        rights = partial_state.state_of(connection, [stored])
        covering = anchor_store.Covering(connection)
        return _show(here, connection, covering, stored, reader, rights, store.PAGE)


@router.get(
    "/statements/{digest}/bundle",
    summary="Fetch a statement's bundle",
    tags=["statements"],
    response_class=Response,
    openapi_extra=identified_by(API_KEY, SESSION),
    responses={
        200: documented.answers(BUNDLE_MEDIA_TYPE, models.Bundle),
        **refuses(
            *(*READER, "hex.length", "hex.malformed", "statement.unknown", "statement.withheld", "statement.erased"),
            *("statement.not_logged_yet", Later("database.unavailable")),
        ),
    },
)
def get_bundle(digest: Digest, here: Here) -> Response:
    """The file that proves a statement offline: `deedlog verify` checks it with the registry switched off."""
    reader = here.reader()
    with here.database.read() as connection:
        stored = store.by_digest(connection, from_hex(digest, HASH_SIZE, "digest"))
        if stored is not None:
            rights = partial_state.state_of(connection, [stored])
            if not access.may_read(connection, reader, stored, rights, here.now()):
                raise InvalidData("statement.withheld", digest=digest)
        bundle = make_bundle(connection, here.identity, from_hex(digest, HASH_SIZE, "digest"))
    return Response(
        bundle.format(),
        media_type=BUNDLE_MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{digest[2:18]}.deed"'},
    )


@router.get("/anchors", summary="List anchors", tags=["registry"], responses=refuses(_UNKNOWN_QUERY, "http.cursor"))
def list_anchors(here: Here, cursor: Cursor = None) -> models.AnchorPage:
    """The heads of the log that contracts hold, the newest first, at most 100 a page."""
    below = None if cursor is None else read_cursor(cursor)
    with here.database.read() as connection:
        found = anchor_store.anchors(connection, store.PAGE, below)
    return models.AnchorPage(
        anchors=[answers.anchor(anchor) for anchor in found],
        next=str(found[-1].size) if len(found) == store.PAGE else None,
    )


def _show(
    here: Context,
    connection: Connection,
    covering: anchor_store.Covering,
    stored: Stored,
    reader: Reader,
    rights: State,
    most_rivals: int,
) -> models.Statement:
    entry = stored.parsed_entry()
    accounts = [signature.account for signature in entry.signatures]
    rivals: list[Stored] = []
    for subject in entry.subjects:
        if subject.startswith(f"{CONTENT.name}:"):
            rivals += store.rivals(connection, subject, accounts, most_rivals + 1)
    names: list[str] = []
    if reader.api_key_id is not None:
        owner = idempotency_owner(reader.api_key_id, accounts)
        names = [
            name.removeprefix("reference:")
            for name in store.references(connection, stored.id, owner)
            if name.startswith("reference:")
        ]
    return answers.statement(
        stored,
        here.identity.address,
        [] if stored.log_index is None else covering.of(stored.log_index),
        rivals[:most_rivals],
        names,
        fold.standing(rights, stored.digest, here.now()),
        readable=access.may_read(connection, reader, stored, rights, here.now()),
        more_rivals=len(rivals) > most_rivals,
    )


def _naming(digest: bytes) -> tuple[str, ...]:
    """Return every subject, one for each tag, under which a statement can refer to the statement `digest`."""
    return tuple(tag.of(digest) for tag in TAGS.values() if tag.value is Value.STATEMENT)


def read_cursor(cursor: str | None) -> int:
    """Return the id after which a page begins; raise `InvalidData` (`http.cursor`)."""
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:  # noqa: PLR2004 - fits 64 bits
        raise InvalidData("http.cursor", field="cursor")
    return int(cursor)
