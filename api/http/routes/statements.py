"""`/v1`: typed data, statements and their bundles, anchors, and what this registry is. Writing: `routes_writing`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.bundle_builder import make_bundle
from deedlog.anchor.verify.bundle import MEDIA_TYPE as BUNDLE_MEDIA_TYPE
from deedlog.api.http import schemas
from deedlog.api.http.context import Body, Context, Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.registry import strict_json
from deedlog.registry.acceptance import access
from deedlog.registry.acceptance.submission import idempotency_owner
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.rules import fold
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
"""Rivals shown of each statement of a list; `?content_hash=` lists them all."""


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
    """Typed data to sign (EIP-712) for the fields of a statement; salts are added where none are given."""
    declared = kind_named(kind, "kind")
    fields = strict_json.loads(body, schemas.MAXIMUM_STATEMENT)
    statement = declared.from_message(declared.STRUCT.salted(fields, lambda: to_hex(secrets.token_bytes(HASH_SIZE))))
    statement.STRUCT.accept(statement)
    return {
        "typed_data": typed_data(statement, here.identity.address),
        "digest": to_hex(statement.digest(domain_separator(here.identity.address))),
    }


@router.get("/statements", tags=["statements"])
def list_statements(
    here: Here,
    content_hash: Annotated[str | None, Query(description="SHA-256 of a file, 0x…")] = None,
    account: Annotated[str | None, Query(description="an account that signed")] = None,
    work: Annotated[str | None, Query(description="digest of a statement: what names it")] = None,
    kind: Annotated[str | None, Query(description="a kind of statement")] = None,
    state: Annotated[str | None, Query(description="how far it has come, or the code of its standing")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> dict[str, Any]:
    """Statements in the order of acceptance, at most 100 a page; all conditions hold.

    With `state` a page may hold fewer and still have a `next`.
    """
    wanted = store.Filter(
        content=None if content_hash is None else CONTENT.of(from_hex(content_hash, HASH_SIZE, "content_hash")),
        naming=() if work is None else _naming(from_hex(work, HASH_SIZE, "work")),
        account=None if account is None else account_from_any_case(account, "account"),
        kind=None if kind is None else kind_named(kind, "kind").__name__,
    )
    reader = here.reader()
    with here.database.read() as connection:
        found = store.search(connection, wanted, read_cursor(cursor))
        rights = partial_state.state_of(connection, found)
        covering = anchor_store.Covering(connection)
        shown = [_show(here, connection, covering, stored, reader, rights, RIVALS_IN_LIST) for stored in found]
    if state is not None:
        shown = [statement for statement in shown if state in (statement["state"], statement["standing"]["code"])]
    return {"statements": shown, "next": str(found[-1].id) if len(found) == store.PAGE else None}


@router.get("/statements/{digest}", tags=["statements"])
def get_statement(digest: str, here: Here) -> dict[str, Any]:
    """One statement: its state and times, its body unless erased, and who else claims the same content."""
    reader = here.reader()
    with here.database.read() as connection:
        stored = store.by_digest(connection, from_hex(digest, HASH_SIZE, "digest"))
        if stored is None:
            raise InvalidData("statement.unknown", digest=digest)
        rights = partial_state.state_of(connection, [stored])
        covering = anchor_store.Covering(connection)
        return _show(here, connection, covering, stored, reader, rights, store.PAGE)


@router.get("/statements/{digest}/bundle", tags=["statements"], response_class=Response)
def get_bundle(digest: str, here: Here) -> Response:
    """The statement's bundle: one file that proves it, offline. What is private is for those whom it concerns."""
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
        headers={"Content-Disposition": f'attachment; filename="{digest[2:18]}.deed"', "Cache-Control": "no-cache"},
    )


@router.get("/anchors", tags=["registry"])
def list_anchors(here: Here, cursor: str | None = None) -> dict[str, Any]:
    """The heads that contracts hold, the newest first, at most 100 a page."""
    below = None if cursor is None else read_cursor(cursor)
    with here.database.read() as connection:
        found = anchor_store.anchors(connection, store.PAGE, below)
    return {
        "anchors": [schemas.show_anchor(anchor) for anchor in found],
        "next": str(found[-1].size) if len(found) == store.PAGE else None,
    }


def _show(
    here: Context,
    connection: Connection,
    covering: anchor_store.Covering,
    stored: Stored,
    reader: Reader,
    rights: State,
    most_rivals: int,
) -> dict[str, Any]:
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
    shown = schemas.show_statement(
        stored,
        here.identity.address,
        [] if stored.log_index is None else covering.of(stored.log_index),
        rivals[:most_rivals],
        names,
        fold.standing(rights, stored.digest, here.now()),
        readable=access.may_read(connection, reader, stored, rights, here.now()),
    )
    return {**shown, "more_rivals": len(rivals) > most_rivals}


def _naming(digest: bytes) -> tuple[str, ...]:
    """Return the subjects with which a statement names another, under any tag."""
    return tuple(tag.of(digest) for tag in TAGS.values() if tag.value is Value.STATEMENT)


def read_cursor(cursor: str | None) -> int:
    """Return the id behind which a page begins; raise `InvalidData` (`http.cursor`)."""
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:  # noqa: PLR2004 - fits 64 bits
        raise InvalidData("http.cursor", field="cursor")
    return int(cursor)
