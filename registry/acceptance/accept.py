"""Accept checked statements: store many in one transaction. They are durable when `accept_checked` returns.

A statement that is sent again gets the stored one as its answer: `known` for the same digest, `repeat` when the same
accounts made the same kind of statement about the same content under another salt. If another account claims the same
content, that is no error: both statements are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from deedlog.registry.acceptance.group_commit import group_commit
from deedlog.registry.acceptance.submission import (
    MAXIMUM_BATCH,
    CheckedStatement,
    Submission,
    Submitter,
    check_all,
    idempotency_owner,
    names_of,
)
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable
from deedlog.registry.failpoints import failpoint
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules import fold
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.subjects import accounts_in, statements_in, values
from deedlog.registry.store import drafts as draft_store
from deedlog.registry.store import events, insertion, partial_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from deedlog.registry.rules.state import Fact, State
    from deedlog.registry.statements.subjects import Tag
    from deedlog.registry.store.clock import Clock
    from deedlog.registry.store.database import Database

__all__ = [
    "MAXIMUM_BATCH",
    "Accepted",
    "Answer",
    "CheckedStatement",
    "Submission",
    "Submitter",
    "WriteRequest",
    "accept",
    "accept_checked",
    "idempotency_owner",
]


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """The statements of one request, checked at `now` (Unix seconds). Each is accepted or refused on its own, in order.

    `admit` may raise to refuse a new, valid statement, for example over a quota. It is called at most once per
    statement. It is not called for a statement that is already stored or a repeat of one: otherwise anybody could use
    up a signer's quota by sending their public statements again.
    """

    items: Sequence[CheckedStatement]
    submitter: Submitter
    now: int
    admit: Callable[[CheckedStatement], None] | None = None


class Accepted(NamedTuple):
    """The digest of the stored statement, and whether it is new: `accepted`, `known` or `repeat`."""

    digest: bytes
    kind: str
    outcome: str


Answer = Accepted | DeedlogError
"""The outcome for one statement: accepted, or the error that refused it."""


def accept(
    database: Database,
    registry: bytes,
    submissions: Sequence[Submission],
    submitter: Submitter,
    now: int,
    admit: Callable[[CheckedStatement], None] | None = None,
) -> list[Answer]:
    """Check statements and store those that pass; return an answer for each, in order.

    `now` is the registry's clock in Unix seconds. Stored statements are durable when this returns.
    """
    checked = check_all(submissions, registry, submitter, now)
    sound = [item for item in checked if isinstance(item, CheckedStatement)]
    kept = iter(accept_checked(database, [WriteRequest(sound, submitter, now, admit)])[0])
    return [item if isinstance(item, DeedlogError) else next(kept) for item in checked]


def accept_checked(
    database: Database, requests: Sequence[WriteRequest], clock: Clock | None = None
) -> list[list[Answer]]:
    """Store the statements of many requests in one transaction; return each request's answers, in order.

    `clock` dates them; without it, each has the time of its request. Raises `Unavailable` (`clock.…`) if they cannot be
    dated; then none is stored.

    If another process wrote the same rows first, the transaction is retried, so the later sender gets `known` or
    `repeat`. If the database rejects a statement, only that one fails; if the database itself fails, all do. Their
    answer is `Unavailable` (`statement.not_kept`). After a failure of the database a statement may be stored or not,
    because a commit can succeed although its reply is lost. Sending it again gives `known` or `accepted`.
    """
    group = [_Candidate(item, request, Admission(request.admit)) for request in requests for item in request.items]
    if not group:
        return [[] for _ in requests]
    failpoint("accept.checked")
    kept = group_commit(database, group, partial(_write, clock), lambda candidate: to_hex(candidate.item.digest))
    failpoint("accept.committed")
    answers = iter([answer or Unavailable("statement.not_kept") for answer in kept])
    return [[next(answers) for _ in request.items] for request in requests]


def accept_within(
    connection: Connection, request: WriteRequest, record: Callable[[], None] | None = None
) -> list[Answer]:
    """Store a request's statements inside the caller's transaction; nothing is durable until that commits.

    `record` is called before any new statement takes effect. It is not called if a statement is refused.
    """
    group = [_Candidate(item, request, Admission(request.admit)) for item in request.items]
    return _decide_and_insert(connection, group, record)


class Admission:
    """Quota check for a new statement. Consulted once, even if the write is retried."""

    def __init__(self, ask: Callable[[CheckedStatement], None] | None) -> None:
        """Wrap `ask`, which raises a `DeedlogError` to refuse; with None, everything is admitted."""
        self._ask = ask
        self._refusal: DeedlogError | None = None

    def check(self, item: CheckedStatement) -> None:
        """Raise the refusal if this call or an earlier one was refused."""
        ask, self._ask = self._ask, None
        if ask is not None:
            try:
                ask(item)
            except DeedlogError as error:
                self._refusal = error
        if self._refusal is not None:
            raise self._refusal


class _Candidate(NamedTuple):
    """One statement of a group, with its request and its quota check."""

    item: CheckedStatement
    request: WriteRequest
    admission: Admission


def _write(clock: Clock | None, connection: Connection, group: Sequence[_Candidate]) -> list[Answer]:
    answers = _decide_and_insert(connection, group, clock=clock)
    failpoint("accept.inserted")
    return answers


def _decide_and_insert(
    connection: Connection,
    group: Sequence[_Candidate],
    record: Callable[[], None] | None = None,
    clock: Clock | None = None,
) -> list[Answer]:
    writer = _BatchWriter(connection, group, clock)
    answers = [writer.decide(candidate) for candidate in group]
    if record is not None and not any(isinstance(answer, DeedlogError) for answer in answers):
        record()
    writer.insert()
    return answers


class _BatchWriter:
    """Writes a group in one transaction: looks up stored rows once, decides in order, then inserts all new rows."""

    def __init__(self, connection: Connection, group: Sequence[_Candidate], clock: Clock | None) -> None:
        insertion.lock_statements(connection)
        self._connection = connection
        self._now = None if clock is None else clock(connection)
        digests = []
        names = []
        for candidate in group:
            digests.append(candidate.item.digest)
            names += [(owner, name) for owner, name, _ in names_of(candidate.item, candidate.request.submitter)]
        self._kinds = insertion.find_kinds(connection, digests)
        self._repeats = insertion.find_repeats(connection, [candidate.item.repeat_key for candidate in group])
        self._idempotency_keys = insertion.find_idempotency_keys(connection, names)
        self._time = insertion.newest_time(connection)
        self._state = self._state_around(group)
        self._new_statements: list[insertion.NewStatement] = []
        self._happened: list[tuple[str, int, bytes]] = []
        self._cancelled: dict[bytes, bytes] = {}
        self._new_idempotency_keys: list[insertion.NewIdempotencyKey] = []

    def decide(self, candidate: _Candidate) -> Answer:
        """Return the answer for the next statement, as if the accepted ones before it were already stored."""
        try:
            return self._decide(candidate)
        except DeedlogError as error:
            return error

    def insert(self) -> None:
        """Insert the new statements, then update drafts and write events.

        The drafts of new statements are removed, successors replace rotated parties, and cancelled drafts are marked.
        """
        insertion.insert_statements(self._connection, self._new_statements)
        several = [new.digest for new in self._new_statements if len(new.accounts) > 1]
        if several:
            draft_store.remove(self._connection, several)
        for rotation in [new.rotation for new in self._new_statements if new.rotation is not None]:
            draft_store.hand_over(self._connection, *rotation)
        for draft, cancellation in self._cancelled.items():
            draft_store.note_cancelled(self._connection, draft, cancellation)
        insertion.insert_idempotency_keys(self._connection, self._new_idempotency_keys)
        # Write events last. The sequencer takes the events lock while it holds statement rows; the reverse order can
        # deadlock.
        for name, at, digest in self._happened:
            events.record(self._connection, name, at, digest)

    def _decide(self, candidate: _Candidate) -> Accepted:
        item = candidate.item
        names = names_of(item, candidate.request.submitter)
        for owner, name, fingerprint in names:
            before = self._idempotency_keys.get((owner, name))
            if before is not None:
                if before[0] != fingerprint:
                    raise InvalidData(
                        "idempotency_key.other_content", name=name.partition(":")[2], digest=to_hex(before[1])
                    )
                return Accepted(before[1], item.kind, "known" if before[1] == item.digest else "repeat")
        digest, outcome = item.digest, "known"
        if digest not in self._kinds:
            first = self._repeats.get(item.repeat_key)
            if first is not None:
                digest, outcome = first, "repeat"
            else:
                self._take(candidate)
                outcome = "accepted"
        # Without an API key the names belong to the signers, but anybody can send their signed statement again. If that
        # stored a name, a stranger could use up names that the signers want for other statements.
        if outcome == "accepted" or candidate.request.submitter.api_key_id is not None:
            for owner, name, fingerprint in names:
                self._new_idempotency_keys.append(insertion.NewIdempotencyKey(owner, name, fingerprint, digest))
                self._idempotency_keys[owner, name] = (fingerprint, digest)
        return Accepted(digest, item.kind, outcome)

    def _state_around(self, group: Sequence[_Candidate]) -> State:
        """Return the part of the rights state that can affect the new statements of a group."""
        new = [each for each in group if each.item.digest not in self._kinds]
        accounts = {account for each in new for account in each.item.accounts}
        bearing: set[bytes] = set()
        for each in new:
            if fold.needs_state(each.item.kind):
                bearing |= {each.item.digest, *statements_in(each.item.subjects)}
                accounts.update(accounts_in(each.item.subjects))
        self._folds = bool(bearing)  # without such a kind, no check reads what the new statements change
        return partial_state.state_around(self._connection, bearing, accounts)

    def _take(self, candidate: _Candidate) -> None:
        item = candidate.item
        # Acceptance times never decrease, even if a clock is set back.
        self._time = max(self._time, candidate.request.now if self._now is None else self._now)
        fact = item.fact(self._time, whole=self._folds)
        handed_over = None if fact.statement is None else fact.statement.hands_over()
        if handed_over is not None:
            partial_state.know(self._connection, self._state, handed_over[1])
        fold.check(self._state, fact)
        kind = KINDS[fact.kind]
        ended = None if kind.ENDS_DRAFT is None else self._ended_draft(fact, kind.ENDS_DRAFT)
        candidate.admission.check(item)
        if fact.statement is not None:
            fold.apply(self._state, fact)
        if kind.ENDS_DRAFT is None or ended is not None:
            self._happened += [(name, fact.time, of) for name, of in kind.brought_about(fact.digest, fact.subjects)]
        if ended is not None:
            self._cancelled[ended] = fact.digest
        self._new_statements.append(
            insertion.NewStatement(
                digest=item.digest,
                kind=item.kind,
                body=item.body,
                prefix=item.prefix,
                repeat_key=item.repeat_key,
                accounts=item.accounts,
                subjects=item.subjects,
                api_key_id=candidate.request.submitter.api_key_id,
                accepted_at=self._time,
                public_from=item.public_from,
                rotation=handed_over,
            )
        )
        self._kinds[item.digest] = item.kind
        self._repeats[item.repeat_key] = item.digest

    def _ended_draft(self, fact: Fact, tag: Tag) -> bytes | None:
        """Return the digest of the draft that a statement ends; None if this registry has no such draft.

        A draft that was never sent here may still exist elsewhere with signatures on it. Its parties can cancel it in
        advance; a cancellation by an account that is no party has no effect once the draft arrives.

        Raises `InvalidData`: `cancellation.no_draft`, `agreement.cancelled`, or `cancellation.not_a_party` if a signer
        is not a party of the draft.
        """
        [named] = values(fact.subjects, tag)
        draft = draft_store.by_digest(self._connection, named)
        if draft is None and named not in self._state.kinds:
            return None
        if draft is None or not tag.may_name(fact.kind, draft.statement.kind):
            raise InvalidData("cancellation.no_draft", field=tag.name, agreement=to_hex(named))
        before = draft.cancelled_by or self._cancelled.get(named)
        if before is not None:
            raise InvalidData("agreement.cancelled", other=to_hex(before))
        parties = {party.account for party in draft.parties}
        for account in fact.accounts:
            if not parties.intersection(partial_state.spoken_for(self._connection, account)):
                raise InvalidData("cancellation.not_a_party", account=to_hex(account))
        return named
