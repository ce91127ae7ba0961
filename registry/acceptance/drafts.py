"""Drafts: statements that not everybody has signed yet. The last signature accepts them in the same transaction.

A signature stays valid until the draft completes, expires or is cancelled, or until its account is rotated. Signatures
may arrive in any order. Except for `sign_all`, functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from deedlog.registry.acceptance import accept
from deedlog.registry.acceptance.accept import Admission
from deedlog.registry.acceptance.group_commit import group_commit
from deedlog.registry.acceptance.submission import Submitter, body_of
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable
from deedlog.registry.failpoints import failpoint
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules import fold
from deedlog.registry.rules.rule import RULES
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements.signatures import Signature, check
from deedlog.registry.statements.subjects import accounts_in, statements_in
from deedlog.registry.store import drafts as draft_store
from deedlog.registry.store import events, insertion, partial_state
from deedlog.registry.store import statements as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from deedlog.registry.acceptance.submission import SignedStatement
    from deedlog.registry.rules.state import State
    from deedlog.registry.statements.base import Statement
    from deedlog.registry.store.clock import Clock
    from deedlog.registry.store.database import Database
    from deedlog.registry.store.drafts import Draft
    from deedlog.registry.store.statements import Stored


STATES = ("proposed", "declined", "cancelled", "expired", "stale")
"""What `state_of` returns."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The answer to a signing request. `missing` lists the accounts that have not signed yet.

    `outcome` is `proposed`, `signed` or `known`; if the draft became complete, it is the outcome of its acceptance.
    """

    digest: bytes
    kind: str
    outcome: str
    missing: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Signing:
    """A request to sign a draft, checked at `now` (Unix seconds). `admission` may refuse new signatures (a quota)."""

    sent: SignedStatement
    submitter: Submitter
    now: int
    admission: Admission = field(default_factory=lambda: Admission(None))


def sign_all(
    database: Database, signings: Sequence[Signing], clock: Clock | None = None
) -> list[Signed | DeedlogError]:
    """Apply many signing requests in one transaction; return their answers once all is durable.

    Each works as in `sign`. `Unavailable` (`statement.not_kept`) means that the database failed, and the signature may
    be stored or not. `clock` dates them; without it, each has the time of its request. Raises `Unavailable` (`clock.…`)
    if they cannot be dated; then none is applied.
    """
    failpoint("draft.checked")
    taken = group_commit(database, signings, partial(_sign_each, clock), lambda signing: to_hex(signing.sent.digest))
    failpoint("draft.committed")
    return [answer or Unavailable("statement.not_kept") for answer in taken]


def _sign_each(clock: Clock | None, connection: Connection, signings: Sequence[Signing]) -> list[Signed | DeedlogError]:
    if clock is not None:
        insertion.lock_statements(connection)
        now = clock(connection)
        signings = [replace(signing, now=now) for signing in signings]
    answers: list[Signed | DeedlogError] = []
    for signing in signings:
        try:
            with connection.begin_nested():  # a refused request is rolled back without affecting the others
                answers.append(sign(connection, signing))
        except DeedlogError as error:
            answers.append(error)
    failpoint("draft.written")
    return answers


def sign(connection: Connection, signing: Signing) -> Signed:
    """Add signatures to a draft; the first ones propose it, the last ones make it a statement.

    A draft that would be refused once complete is refused now, so that nobody signs something without effect.

    Raises `InvalidData`, or the error of the request's admission. The caller then rolls back.
    """
    insertion.lock_statements(connection)
    sent, submitter, now = signing.sent, signing.submitter, signing.now
    statement, digest = sent.statement, sent.digest
    if (stored := store.by_digest(connection, digest)) is not None:
        return _complete_before(stored, sent.signatures)
    draft = draft_store.by_digest(connection, digest)
    if draft is not None and draft.cancelled_by is not None:
        raise InvalidData("agreement.cancelled", other=to_hex(draft.cancelled_by))
    state = _state(connection, statement, digest)
    signers = _signers(state, statement, digest, now)
    for signature in sent.signatures:
        if signature.account not in signers:
            raise InvalidData("signature.not_a_signer", account=to_hex(signature.account))
    fold.check(state, _complete_fact(statement, digest, signers, now))
    given, new = _given(draft, sent)
    if new:
        signing.admission.check(sent._replace(signatures=tuple(new)).checked())
    if len(given) == len(signers):
        whole = sent._replace(signatures=tuple(Signature(account, given[account]) for account in sorted(given)))
        return _complete(connection, whole, new, draft, signing)
    if draft is None:
        draft_store.add(
            connection,
            statement,
            sent.digest,
            body_of(statement),
            signers,
            api_key_id=submitter.api_key_id,
            public_from=sent.public_from,
            now=now,
        )
    for signature in new:
        draft_store.take_signature(connection, digest, signature, now)
    _tell_signed(connection, digest, new, now, first=draft is None)
    outcome = "proposed" if draft is None else "signed" if new else "known"
    return Signed(digest, statement.kind, outcome, tuple(account for account in signers if account not in given))


def sign_kept(connection: Connection, digest: bytes, signatures: Sequence[Signature]) -> Signed:
    """Answer signatures for a statement that is already complete: `known`.

    Raises `InvalidData`: `draft.unknown` if no such statement is stored, `signature.not_a_signer` for an account that
    did not sign it, and the errors of an invalid signature.
    """
    stored = store.by_digest(connection, digest)
    if stored is None:
        raise InvalidData("draft.unknown", digest=to_hex(digest))
    for signature in signatures:
        check(signature, digest)
    return _complete_before(stored, signatures)


def decline(connection: Connection, digest: bytes, account: bytes, now: int) -> Draft:
    """Record that a party says it will not sign; return the draft as it was before.

    This is only a notice to the other parties. It binds nobody. Raises `InvalidData` (`draft.unknown`).
    """
    insertion.lock_statements(connection)
    draft = readable(connection, digest, account)
    speaks_for = partial_state.spoken_for(connection, account)
    if any(party.account in speaks_for and party.declined_at is None for party in draft.parties):
        draft_store.note_declined(connection, digest, speaks_for, now)
        events.record(connection, "declined", now, digest, account)
    return draft


def readable(connection: Connection, digest: bytes, account: bytes) -> Draft:
    """Return a draft to one of its parties.

    Raises `InvalidData` (`draft.unknown`) for any other account, as if the draft did not exist.
    """
    draft = draft_store.by_digest(connection, digest)
    if draft is not None:
        speaks_for = partial_state.spoken_for(connection, account)
        if any(party.account in speaks_for for party in draft.parties):
            return draft
    raise InvalidData("draft.unknown", digest=to_hex(digest))


def state_of(connection: Connection, draft: Draft, now: int) -> tuple[str, DeedlogError | None]:
    """Return the state of a draft at `now` (Unix seconds), one of `STATES`.

    For `expired` and `stale` the second value is the error that completing it would raise; otherwise it is None.
    """
    if draft.cancelled_by is not None:
        return "cancelled", None
    state = _state(connection, draft.statement, draft.digest)
    try:
        signers = _signers(state, draft.statement, draft.digest, now)
        fold.check(state, _complete_fact(draft.statement, draft.digest, signers, now))
    except InvalidData as error:
        return ("expired" if error.code.endswith(".expired") else "stale"), error
    return ("declined" if any(party.declined_at is not None for party in draft.parties) else "proposed"), None


def _state(connection: Connection, statement: Statement, digest: bytes) -> State:
    subjects = statement.subjects()
    accounts = (*(statement.signers() or ()), *accounts_in(subjects))
    state = partial_state.state_around(connection, {digest, *statements_in(subjects)}, accounts)
    if (handed_over := statement.hands_over()) is not None:
        partial_state.know(connection, state, handed_over[1])
    return state


def _complete_fact(statement: Statement, digest: bytes, signers: tuple[bytes, ...], now: int) -> Fact:
    """Return the fact that the rules would see if all `signers` had signed and the statement were accepted now."""
    return Fact(digest, statement.kind, signers, statement.subjects(), now, statement)


def _signers(state: State, statement: Statement, digest: bytes, now: int) -> tuple[bytes, ...]:
    """Return the accounts that must sign a statement now, ascending."""
    signers = statement.signers()
    if signers is not None:
        return signers
    of_rule = RULES[statement.kind].signers
    if of_rule is None:
        raise InvalidData("draft.one_signature", kind=statement.kind)
    return tuple(sorted(of_rule(state, _complete_fact(statement, digest, (), now))))


def _given(draft: Draft | None, sent: SignedStatement) -> tuple[dict[bytes, bytes], list[Signature]]:
    """Return all signatures of the draft after this request, by account, and the new ones among them.

    Raises `InvalidData` (`draft.signed_already`) if an account already gave a different signature.
    """
    given = {party.account: party.signature for party in (draft.parties if draft else ()) if party.signature}
    new = [signature for signature in sent.signatures if signature.account not in given]
    for signature in sent.signatures:
        if given.get(signature.account, signature.signature) != signature.signature:
            raise InvalidData("draft.signed_already", account=to_hex(signature.account))
    return given | {signature.account: signature.signature for signature in new}, new


def _complete(
    connection: Connection, whole: SignedStatement, new: Sequence[Signature], draft: Draft | None, signing: Signing
) -> Signed:
    submitter = signing.submitter
    if draft is not None:
        # The proposer submitted the statement, so the proposer's API key and `public_from` apply. Later signers only
        # added a signature.
        whole = whole._replace(public_from=draft.public_from)
        submitter = Submitter(draft.api_key_id, submitter.scopes)

    def record() -> None:
        if draft is not None:
            _tell_signed(connection, whole.digest, new, signing.now, first=False)

    [answer] = accept.accept_within(connection, accept.WriteRequest([whole.checked()], submitter, signing.now), record)
    if isinstance(answer, DeedlogError):
        raise answer
    draft_store.remove(connection, [whole.digest])  # also if the statement turned out to be a repeat of another
    return Signed(answer.digest, answer.kind, answer.outcome, ())


def _complete_before(stored: Stored, signatures: Sequence[Signature]) -> Signed:
    signed = {signature.account for signature in stored.parsed_entry().signatures}
    for signature in signatures:
        if signature.account not in signed:
            raise InvalidData("signature.not_a_signer", account=to_hex(signature.account))
    return Signed(stored.digest, stored.kind, "known", ())


def _tell_signed(connection: Connection, digest: bytes, new: Sequence[Signature], now: int, *, first: bool) -> None:
    """Record an event for each new signature: `accepted`, or `proposed` for the first one on a draft."""
    for position, signature in enumerate(new):
        name = "proposed" if first and not position else "accepted"
        events.record(connection, name, now, digest, signature.account)
