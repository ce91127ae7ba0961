"""`/v1/agreements`: each party's payouts from the reported revenue, for callers who may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.openapi import API_KEY, READER, SESSION, identified_by, refuses
from deedlog.api.http.parameters import Cursor, Digest  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.http.routes.statements import read_cursor
from deedlog.api.http.schemas import models
from deedlog.registry.acceptance import access
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_checksum, to_hex
from deedlog.registry.rules import payouts
from deedlog.registry.statements import Share
from deedlog.registry.store import partial_state
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(prefix="/v1/agreements", tags=["agreements"])


@router.get(
    "/{digest}/payouts",
    summary="Compute what an agreement pays",
    openapi_extra=identified_by(API_KEY, SESSION),
    responses=refuses(
        *READER,
        *("hex.length", "hex.malformed", "http.cursor", "agreement.unknown"),
        *("statement.unknown", "statement.withheld", "agreement.stale"),
    ),
)
def get_payouts(digest: Digest, here: Here, cursor: Cursor = None) -> models.Payouts:
    """What each report pays each party, in minor units, and what is carried to the next.

    Only the parties, the payer, their successors, and the API key that sent the agreement and all its reports may ask.
    A page has at most 100 reports.
    """
    start = read_cursor(cursor)
    wanted = from_hex(digest, HASH_SIZE, "digest")
    reader = here.reader()
    with here.database.read() as connection:
        stored = store.by_digest(connection, wanted)
        if stored is None:
            raise InvalidData("statement.unknown", digest=digest)
        if stored.kind != "Agreement":
            raise InvalidData("agreement.unknown", agreement=digest)
        rights = partial_state.state_of(connection, [stored])
        found = rights.agreements.get(wanted)
        if not access.may_read(connection, reader, stored, rights, here.now()) or (
            found is not None and not access.may_read_payouts(connection, reader, stored, found)
        ):
            raise InvalidData("statement.withheld", digest=digest)
    if found is None:
        standing = rights.standings[wanted]
        refusal = InvalidData(standing.code)
        refusal.params.update(standing.params)
        raise refusal
    shares = {share.party: share.ppm for share in found.agreement.shares if isinstance(share, Share)}
    changes = payouts.changes([(report, rights.reports[report].report) for report in found.reports])
    rows = payouts.payouts(shares, changes)
    return models.Payouts(
        agreement=digest,
        status=found.status(here.now()),
        currency=found.currency,
        reports=[
            models.Payout(
                digest=to_hex(row.change.report),
                amount=str(row.change.amount),
                paid=_shown(row.paid),
                carried=str(row.carried),
            )
            for row in rows[start : start + store.PAGE]
        ],
        next=str(start + store.PAGE) if start + store.PAGE < len(rows) else None,
        carried=str(rows[-1].carried if rows else 0),
        closing=_shown(payouts.closing(shares, changes)),
    )


def _shown(amounts: Mapping[bytes, int]) -> dict[str, str]:
    return {to_checksum(account): str(amount) for account, amount in amounts.items()}
