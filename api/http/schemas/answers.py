"""Make answers from stored data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.api.http.problems import show_params
from deedlog.api.http.schemas import models
from deedlog.registry import times
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.typed_data import typed_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.anchor.anchoring.store import StoredAnchor
    from deedlog.registry.errors import DeedlogError
    from deedlog.registry.rules.state import Standing
    from deedlog.registry.statements.signatures import Signature
    from deedlog.registry.store.drafts import Draft
    from deedlog.registry.store.events import Event
    from deedlog.registry.store.statements import Stored


def statement(
    stored: Stored,
    registry: bytes,
    anchors: Sequence[StoredAnchor],
    rivals: Sequence[Stored],
    references: Sequence[str],
    standing: Standing,
    *,
    readable: bool,
    more_rivals: bool,
) -> models.Statement:
    """Return a statement as the API shows it; `typed_data` is null if the body is withheld or erased."""
    entry = stored.parsed_entry()
    body = None
    if stored.message is not None and readable:
        body = typed_data(KINDS[stored.kind].from_message(stored.message), registry)
    return models.Statement(
        digest=to_hex(stored.digest),
        kind=stored.kind,
        state=state_of(stored, anchors),
        standing=models.Standing(code=standing.code, counts=standing.counts, params=show_params(standing.params)),
        author=_author(stored, entry.signatures),
        typed_data=body,
        withheld=stored.message is not None and not readable,
        public_from=_time(stored.public_from),
        signatures=[
            models.StatementSignature(
                account=to_checksum(signature.account), scheme=signature.scheme, signature=to_hex(signature.signature)
            )
            for signature in entry.signatures
        ],
        subjects=list(entry.subjects),
        accepted_at=times.show(stored.accepted_at),
        log_index=stored.log_index,
        entry_time=_time(stored.logged_at),
        anchors=[anchor(each) for each in anchors],
        rivals=[_rival(rival) for rival in rivals],
        references=list(references),
        more_rivals=more_rivals,
    )


def draft(shown: Draft, registry: bytes, state: str, reason: DeedlogError | None) -> models.Draft:
    """Return a draft as its parties see it; `reason` says why it can no longer be completed."""
    return models.Draft(
        digest=to_hex(shown.digest),
        kind=shown.statement.kind,
        state=state,
        reason=None if reason is None else models.Reason(code=reason.code, params=show_params(reason.params)),
        typed_data=typed_data(shown.statement, registry),
        proposed_at=times.show(shown.proposed_at),
        public_from=_time(shown.public_from),
        cancelled_by=None if shown.cancelled_by is None else to_hex(shown.cancelled_by),
        parties=[
            models.DraftParty(
                account=to_checksum(party.account),
                signed_at=_time(party.signed_at),
                declined_at=_time(party.declined_at),
            )
            for party in shown.parties
        ],
    )


def event(shown: Event) -> models.Event:
    """Return an event as the feed shows it."""
    return models.Event(
        cursor=f"{shown.cursor[0]}.{shown.cursor[1]}",
        name=shown.name,
        at=times.show(shown.at),
        digest=to_hex(shown.digest),
        kind=shown.kind,
        account=None if shown.account is None else to_checksum(shown.account),
        chain_id=shown.chain_id,
    )


def anchor(shown: StoredAnchor) -> models.Anchor:
    """Return an anchor as the API shows it."""
    return models.Anchor(
        chain_id=shown.chain_id,
        size=shown.size,
        root=to_hex(shown.root),
        time=times.show(shown.time),
        block_number=shown.block_number,
        proof_block_number=shown.proof_number,
        proof_block_hash=to_hex(shown.block_hash),
        final=shown.final,
    )


def state_of(stored: Stored, anchors: Sequence[StoredAnchor]) -> models.StatementState:
    """Return a statement's state: accepted, logged, anchored or final."""
    if any(each.final for each in anchors):
        return "final"
    if anchors:
        return "anchored"
    return "accepted" if stored.log_index is None else "logged"


def _author(stored: Stored, signatures: Sequence[Signature]) -> models.Author:
    """Return whose word the authorship is, and the signers. An `Upload` is never shown as signed by a creator."""
    return models.Author(
        basis=KINDS[stored.kind].WORD, accounts=[to_checksum(signature.account) for signature in signatures]
    )


def _rival(rival: Stored) -> models.Rival:
    return models.Rival(
        digest=to_hex(rival.digest),
        kind=rival.kind,
        accounts=[to_checksum(signature.account) for signature in rival.parsed_entry().signatures],
        log_index=rival.log_index,
        entry_time=_time(rival.logged_at),
    )


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else times.show(seconds)
