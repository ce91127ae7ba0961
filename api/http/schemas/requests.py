"""Parse requests within bounds. Each refusal names the member at fault."""

from __future__ import annotations

from deedlog.registry import strict_json, times
from deedlog.registry.acceptance.submission import MAXIMUM_BATCH, Submission
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, from_hex
from deedlog.registry.statements.signatures import SECP256K1, Signature

MAXIMUM_STATEMENT = 256 * 1024
"""Maximum bytes of a request other than a batch: one statement, or a message to sign in."""

MAXIMUM_SIGNATURES_BODY = 64 * 1024
"""Maximum bytes of a request with signatures alone: the maximum number of signatures, with room for white space."""

MAXIMUM_BATCH_BODY = 8 * 1024 * 1024
MAXIMUM_SIGNATURES = 128
MAXIMUM_SIGNATURE = 1024


def read_submission(value: object, idempotency_key: str | None = None) -> Submission:
    """Parse a request's object into a submission; raise `InvalidData` naming the member at fault."""
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
    """Parse a request's list of signatures; raise `InvalidData` naming the member at fault."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAXIMUM_SIGNATURES:
        raise InvalidData("list.length", field="signatures", minimum=1, maximum=MAXIMUM_SIGNATURES)
    return tuple(_signature(item, f"signatures[{at}]") for at, item in enumerate(value))


def read_batch(data: bytes) -> list[object]:
    """Return the items of a batch's body, not parsed yet; raise `InvalidData` for a malformed or oversized batch."""
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
