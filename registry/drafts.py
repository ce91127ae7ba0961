"""Drafts: statements that not everybody has signed yet. Once everybody has, they are accepted in the same transaction.

A signature once given stays good until the draft completes, expires or is cancelled; in what order signatures come
makes no difference. Functions take a connection inside a write and never commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry import draft_store, events, insertion, related, rules, service, store
from registry.errors import DeedlogError, InvalidData
from registry.hexadecimal import to_hex
from registry.rights import Fact
from registry.signatures import Signature
from registry.statement import repeat_key
from registry.statements import Termination
from registry.submission import body_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from registry.draft_store import Draft
    from registry.rights import State
    from registry.statement import Statement
    from registry.submission import Checked, Sent, Submitter


STATES = ("proposed", "declined", "cancelled", "expired", "stale")
"""What `state_of` returns."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The answer to signatures: `proposed`, `signed`, `known`, or, when it is complete, what acceptance answers."""

    digest: bytes
    kind: str
    outcome: str
    missing: tuple[bytes, ...]


def sign(
    connection: Connection, sent: Sent, submitter: Submitter, now: int, admit: Callable[[Checked], None] | None = None
) -> Signed:
    """Take signatures of a statement, the first of which propose it; or raise `InvalidData` and change nothing.

    Whatever would be refused when it completes is refused now: nobody signs what cannot come to anything.
    """
    insertion.lock_statements(connection)
    statement, digest = sent.statement, sent.digest
    if store.by_digest(connection, digest) is not None:
        return Signed(digest, statement.kind, "known", ())
    draft = draft_store.by_digest(connection, digest)
    if draft is not None and draft.cancelled_by is not None:
        raise InvalidData("agreement.cancelled", other=to_hex(draft.cancelled_by))
    state = _state(connection, statement, digest, now)
    signers = _signers(state, statement, now)
    for signature in sent.signatures:
        if signature.account not in signers:
            raise InvalidData("signature.not_a_signer", account=to_hex(signature.account))
    rules.check(state, Fact(digest, statement.kind, signers, now, statement))
    key = repeat_key(statement.kind, digest, statement.subjects(), signers)
    for first in insertion.find_repeats(connection, [key]).values():
        return Signed(first, statement.kind, "repeat", ())
    given, new = _given(draft, sent, signers)
    whole = sent._replace(signatures=tuple(Signature(account, given[account]) for account in sorted(given)))
    if admit is not None and new:
        admit(whole.checked())
    if len(given) == len(signers):
        return _complete(connection, whole, submitter, now)
    if draft is None:
        draft_store.add(connection, statement, digest, body_of(statement), signers, submitter.api_key_id, now)
    else:  # whoever succeeded a party since signs in its place
        parties = {party.account for party in draft.parties}
        draft_store.add_parties(connection, draft.id, [account for account in signers if account not in parties])
    for position, signature in enumerate(new):
        draft_store.take_signature(connection, digest, signature, now)
        name = "proposed" if draft is None and not position else "accepted"
        events.tell(connection, name, now, digest, signature.account)
    outcome = "proposed" if draft is None else "signed" if new else "known"
    return Signed(digest, statement.kind, outcome, tuple(account for account in signers if account not in given))


def decline(connection: Connection, digest: bytes, account: bytes, now: int) -> Draft:
    """Note that a party says it will not sign: a notice to the others, which binds nobody."""
    insertion.lock_statements(connection)
    draft = readable(connection, digest, account)
    draft_store.note_declined(connection, digest, related.spoken_for(connection, account), now)
    events.tell(connection, "declined", now, digest, account)
    return draft


def readable(connection: Connection, digest: bytes, account: bytes) -> Draft:
    """Return a draft for one of its parties; raise `InvalidData` (`draft.unknown`): to others it is not there."""
    draft = draft_store.by_digest(connection, digest)
    if draft is not None:
        speaks_for = related.spoken_for(connection, account)
        if any(party.account in speaks_for for party in draft.parties):
            return draft
    raise InvalidData("draft.unknown", digest=to_hex(digest))


def state_of(connection: Connection, draft: Draft, now: int) -> tuple[str, DeedlogError | None]:
    """Return what a draft can still come to, one of `STATES`, and why not."""
    if draft.cancelled_by is not None:
        return "cancelled", None
    state = _state(connection, draft.statement, draft.digest, now)
    try:
        signers = _signers(state, draft.statement, now)
        rules.check(state, Fact(draft.digest, draft.statement.kind, signers, now, draft.statement))
    except InvalidData as error:
        return ("expired" if error.code == "agreement.expired" else "stale"), error
    return ("declined" if any(party.declined_at is not None for party in draft.parties) else "proposed"), None


def _state(connection: Connection, statement: Statement, digest: bytes, now: int) -> State:
    signers = statement.signers() or ()
    return related.state_around(connection, {digest, *related.named_in(statement.subjects())}, signers, now)


def _signers(state: State, statement: Statement, now: int) -> tuple[bytes, ...]:
    """Return the accounts that must sign a statement now, ascending."""
    signers = statement.signers()
    if signers is not None:
        return signers
    if isinstance(statement, Termination):
        found = state.agreement(statement.agreement, "agreement")
        return tuple(sorted(state.holders(found.agreement.parties, now)))
    raise InvalidData("draft.one_signature", kind=statement.kind)


def _given(draft: Draft | None, sent: Sent, signers: Sequence[bytes]) -> tuple[dict[bytes, bytes], list[Signature]]:
    """Return the signers' signatures that there are now, by account, and those of them that are new."""
    parties = draft.parties if draft else ()
    given = {party.account: party.signature for party in parties if party.signature and party.account in signers}
    new = [signature for signature in sent.signatures if signature.account not in given]
    for signature in sent.signatures:
        if given.get(signature.account, signature.signature) != signature.signature:
            raise InvalidData("draft.signed_already", account=to_hex(signature.account))
    return given | {signature.account: signature.signature for signature in new}, new


def _complete(connection: Connection, whole: Sent, submitter: Submitter, now: int) -> Signed:
    [answer] = service.keep_in(connection, service.Request([whole.checked()], submitter, now))
    if isinstance(answer, DeedlogError):
        raise answer
    return Signed(answer.digest, answer.kind, answer.outcome, ())
