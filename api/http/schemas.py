"""HTTP's shapes: what requests look like and how statements and anchors are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedlog.api.http.problems import show_params
from deedlog.registry import strict_json, times
from deedlog.registry.acceptance.submission import MAXIMUM_BATCH, Submission
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.signatures import SECP256K1, Signature
from deedlog.registry.statements.typed_data import typed_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.anchor.anchoring.store import StoredAnchor
    from deedlog.registry.errors import DeedlogError
    from deedlog.registry.rules.state import Standing
    from deedlog.registry.store.drafts import Draft
    from deedlog.registry.store.events import Event
    from deedlog.registry.store.statements import Stored

MAXIMUM_STATEMENT = 256 * 1024
"""Bytes of a request that is no batch: with one statement, or a message to sign in."""

MAXIMUM_SIGNATURES_BODY = 64 * 1024
"""Bytes of a request with signatures alone: as many as there may be, with room for spaces."""

MAXIMUM_BATCH_BODY = 8 * 1024 * 1024
MAXIMUM_SIGNATURES = 128
MAXIMUM_SIGNATURE = 1024

HASH_SCHEMA = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}


def read_submission(value: object, idempotency_key: str | None = None) -> Submission:
    """Return the statement of a request's object; raise `InvalidData` naming the member at fault."""
    data = strict_json.members(value, ("typed_data", "signatures"), "", optional=("reference", "public_from"))
    reference = data.get("reference")
    if reference is not None and not isinstance(reference, str):
        raise InvalidData("json.not_a_string", field="reference")
    return Submission(
        typed_data=data["typed_data"],
        signatures=read_signatures(data["signatures"]),
        reference=reference,
        idempotency_key=idempotency_key,
        public_from=None if "public_from" not in data else times.read_utc(data["public_from"], "public_from"),
    )


def read_signatures(value: object) -> tuple[Signature, ...]:
    """Return the signatures of a request's list."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAXIMUM_SIGNATURES:
        raise InvalidData("list.length", field="signatures", minimum=1, maximum=MAXIMUM_SIGNATURES)
    return tuple(_signature(item, f"signatures[{at}]") for at, item in enumerate(value))


def read_batch(data: bytes) -> list[object]:
    """Return the items of a batch's body, unread."""
    body = strict_json.members(strict_json.loads(data, MAXIMUM_BATCH_BODY), ("statements",), "")
    items = body["statements"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAXIMUM_BATCH:
        raise InvalidData("list.length", field="statements", minimum=1, maximum=MAXIMUM_BATCH)
    return items


def _signature(value: object, field: str) -> Signature:
    data = strict_json.members(value, ("account", "signature"), field, optional=("scheme",))
    scheme = data.get("scheme", SECP256K1)
    if scheme != SECP256K1:
        raise InvalidData("signature.scheme", field=f"{field}.scheme", scheme=str(scheme)[:32], expected=SECP256K1)
    signature = from_hex(data["signature"], None, f"{field}.signature")
    if len(signature) > MAXIMUM_SIGNATURE:
        raise InvalidData("hex.length", field=f"{field}.signature", expected=65, actual=len(signature))
    return Signature(account=account_from_any_case(data["account"], f"{field}.account"), signature=signature)


def show_statement(
    stored: Stored,
    registry: bytes,
    anchors: Sequence[StoredAnchor],
    rivals: Sequence[Stored],
    references: Sequence[str],
    standing: Standing,
    *,
    readable: bool,
) -> dict[str, Any]:
    """Return a statement as the API shows it; `typed_data` is null where it is withheld or erased."""
    entry = stored.parsed_entry()
    body = None
    if stored.message is not None and readable:
        body = typed_data(KINDS[stored.kind].from_message(stored.message), registry)
    return {
        "digest": to_hex(stored.digest),
        "kind": stored.kind,
        "state": state_of(stored, anchors),
        "standing": {"code": standing.code, "counts": standing.counts, "params": show_params(standing.params)},
        "author": show_author(stored, entry.signatures),
        "typed_data": body,
        "withheld": stored.message is not None and not readable,
        "public_from": None if stored.public_from is None else times.show(stored.public_from),
        "signatures": [
            {
                "account": to_checksum(signature.account),
                "scheme": signature.scheme,
                "signature": to_hex(signature.signature),
            }
            for signature in entry.signatures
        ],
        "subjects": list(entry.subjects),
        "accepted_at": times.show(stored.accepted_at),
        "log_index": stored.log_index,
        "entry_time": None if stored.logged_at is None else times.show(stored.logged_at),
        "anchors": [show_anchor(anchor) for anchor in anchors],
        "rivals": [
            {
                "digest": to_hex(rival.digest),
                "kind": rival.kind,
                "accounts": [to_checksum(signature.account) for signature in rival.parsed_entry().signatures],
                "log_index": rival.log_index,
                "entry_time": None if rival.logged_at is None else times.show(rival.logged_at),
            }
            for rival in rivals
        ],
        "references": list(references),
    }


def show_draft(draft: Draft, registry: bytes, state: str, reason: DeedlogError | None) -> dict[str, Any]:
    """Return a draft as its parties see it; `reason`: why it can come to nothing any more."""
    return {
        "digest": to_hex(draft.digest),
        "kind": draft.statement.kind,
        "state": state,
        "reason": None if reason is None else {"code": reason.code, "params": show_params(reason.params)},
        "typed_data": typed_data(draft.statement, registry),
        "proposed_at": times.show(draft.proposed_at),
        "public_from": None if draft.public_from is None else times.show(draft.public_from),
        "cancelled_by": None if draft.cancelled_by is None else to_hex(draft.cancelled_by),
        "parties": [
            {
                "account": to_checksum(party.account),
                "signed_at": None if party.signed_at is None else times.show(party.signed_at),
                "declined_at": None if party.declined_at is None else times.show(party.declined_at),
            }
            for party in draft.parties
        ],
    }


def show_event(event: Event) -> dict[str, Any]:
    """Return an event of the feed; `cursor` is where a reader is after it."""
    return {
        "cursor": f"{event.cursor[0]}.{event.cursor[1]}",
        "name": event.name,
        "at": times.show(event.at),
        "digest": to_hex(event.digest),
        "kind": event.kind,
        "account": None if event.account is None else to_checksum(event.account),
        "chain_id": event.chain_id,
    }


def state_of(stored: Stored, anchors: Sequence[StoredAnchor]) -> str:
    """Return how far a statement has come: accepted, logged, anchored or final."""
    if any(anchor.final for anchor in anchors):
        return "final"
    if anchors:
        return "anchored"
    return "accepted" if stored.log_index is None else "logged"


def show_author(stored: Stored, signatures: Sequence[Signature]) -> dict[str, Any]:
    """Return whose word a statement is: an `Upload` is never shown as signed by a creator."""
    return {"basis": KINDS[stored.kind].WORD, "accounts": [to_checksum(signature.account) for signature in signatures]}


def show_anchor(anchor: StoredAnchor) -> dict[str, Any]:
    """Return an anchor as the API shows it."""
    return {
        "chain_id": anchor.chain_id,
        "size": anchor.size,
        "root": to_hex(anchor.root),
        "time": times.show(anchor.time),
        "block_number": anchor.block_number,
        "proof_block_number": anchor.proof_number,
        "proof_block_hash": to_hex(anchor.block_hash),
        "final": anchor.final,
    }
