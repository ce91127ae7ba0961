"""`fsck` of events: those of statements, drafts and ranges of the log are true, and none is missing.

In a database older than events (schema version 0005), whatever was logged, anchored or final before the migration has
no event, so the first range of each name may begin anywhere. After it no entry may be missing. No entry is `logged`
twice, but after a reorganisation a range is anchored again. A draft that turned out to be a repeat leaves only its
events. Some facts cannot be derived and are not checked: when something was declined or anchored, and the order of
anchors and drafts.
"""

from __future__ import annotations

from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select, union

from deedlog.anchor.fsck.rows import Children, stream, wrong
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS
from deedlog.registry.statements import entry as entries
from deedlog.registry.store.events import OF_CHAINS, OF_DRAFTS, OF_RANGES, brought_about, names
from deedlog.registry.store.tables import (
    ACCOUNT,
    ANCHOR,
    ATTEMPT,
    CHAIN_STATUS,
    CHECKPOINT,
    DRAFT,
    DRAFT_PARTY,
    EVENT,
    ROTATION,
    STATEMENT,
    TEXT,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row

_SIGNED = ("proposed", "accepted")


def check_events(connection: Connection, size: int) -> int:
    """Check all rows of the table event, for a log of `size` entries; return how many there are.

    Run after all other tables. Raises `VerificationError` (`fsck.row`).
    """
    chains = set(
        connection.execute(union(*(select(table.c.chain_id) for table in (ANCHOR, ATTEMPT, CHAIN_STATUS)))).scalars()
    )
    ranges = _Ranges(connection, size)
    count = 0
    begins, ends = CHECKPOINT.alias(), CHECKPOINT.alias()
    query = (
        select(EVENT, begins.c.size.label("begins"), ends.c.size.label("ends"), ends.c.signed_at)
        .outerjoin(begins, begins.c.size == EVENT.c.first)
        .outerjoin(ends, ends.c.size == EVENT.c.end)
        .order_by(EVENT.c.id)
    )
    for row in stream(connection, query):
        _check_shape(row)
        if row.chain_id is not None and row.chain_id not in chains:
            wrong("event", row.id, "chain_id")
        if row.name in OF_RANGES:
            ranges.take(row)
        count += 1
    ranges.end()
    _check_brought_about(connection)
    _check_accounts(connection)
    _check_signed(connection)
    return count


def _check_shape(row: Row[Any]) -> None:
    """Raise unless an event has exactly the columns that its name requires."""
    if row.id < 1:
        wrong("event", row.id, "id")
    if row.name not in names():
        wrong("event", row.id, "name")
    if not isinstance(row.at, int) or row.at < 0:
        wrong("event", row.id, "at")
    expected = {
        "first": row.name in OF_RANGES,
        "end": row.name in OF_RANGES,
        "chain_id": row.name in OF_CHAINS,
        "digest": row.name not in OF_RANGES,
        "account": row.name in OF_DRAFTS,
    }
    for column, there in expected.items():
        if (getattr(row, column) is not None) != there:
            wrong("event", row.id, column, "missing" if there else "differs")


class _Ranges:
    """Checks events about ranges of the log, in order. Each range must begin and end at a signed head."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection = connection
        self._size = size
        self._told: dict[tuple[str, int | None], int] = {}
        """The size up to which events cover the log, by name and chain."""

    def take(self, row: Row[Any]) -> None:
        """Check the next range event."""
        if row.begins is None:
            wrong("event", row.id, "first")
        if row.ends is None or not row.first < row.end <= self._size:
            wrong("event", row.id, "end")
        told = self._told.get((row.name, row.chain_id))
        if told is not None and row.first > told:
            wrong("event", row.id, "first")
        if row.name == "logged":
            self._take_logged(row, told)
        self._told[row.name, row.chain_id] = max(row.end, told or 0)

    def _take_logged(self, row: Row[Any], told: int | None) -> None:
        if told is not None and row.first != told:
            wrong("event", row.id, "first")
        if row.at != row.signed_at:
            wrong("event", row.id, "at")

    def end(self) -> None:
        """Raise unless events cover all that was logged, anchored or final since the first event of that name."""
        anchors = stream(self._connection, select(ANCHOR.c.chain_id, ANCHOR.c.size, ANCHOR.c.final))
        reached: dict[tuple[str, int | None], int] = {("logged", None): self._size}
        for row in anchors:
            for name in OF_CHAINS if row.final else OF_CHAINS[:1]:
                reached[name, row.chain_id] = max(row.size, reached.get((name, row.chain_id), 0))
        for (name, chain_id), told in self._told.items():
            if told < reached.get((name, chain_id), 0):
                wrong("event", f"{name} {told}", "end", "missing")


def _check_brought_about(connection: Connection) -> None:
    """Raise unless the events that statements cause are exactly those recorded, in the order of the statements."""
    query = select(EVENT).where(EVENT.c.name.in_(brought_about())).order_by(EVENT.c.id)
    for row, expected in zip_longest(stream(connection, query), _brought_about(connection)):
        if row is None:
            wrong("event", f"{expected[0]} {to_hex(expected[1])}", "id", "missing")
        for column, value in zip(("name", "digest", "at"), expected or (None, None, None), strict=True):
            if getattr(row, column) != value:
                wrong("event", row.id, column)


def _brought_about(connection: Connection) -> Iterator[tuple[str, bytes, int]]:
    """Yield the events that statements cause, derived from their entries, as (name, digest concerned, Unix seconds).

    A statement that ends a draft causes an event only if this database has the draft and the draft names it.
    """
    query = (
        select(
            STATEMENT.c.kind,
            STATEMENT.c.digest,
            STATEMENT.c.accepted_at,
            STATEMENT.c.logged_at,
            TEXT.c.prefix,
            DRAFT.c.id.label("cancelled"),
        )
        .join(TEXT, TEXT.c.statement_id == STATEMENT.c.id)
        .outerjoin(DRAFT, DRAFT.c.cancelled_by == STATEMENT.c.digest)
        .where(STATEMENT.c.kind.in_([name for name, kind in KINDS.items() if kind.EVENTS]))
        .order_by(STATEMENT.c.id)
    )
    for row in stream(connection, query):
        kind = KINDS[row.kind]
        if kind.ENDS_DRAFT is not None and row.cancelled is None:
            continue
        entry = entries.parse(entries.complete(row.prefix, row.logged_at or 0))
        for name, digest in kind.brought_about(row.digest, entry.subjects):
            yield name, digest, row.accepted_at


def _check_accounts(connection: Connection) -> None:
    """Raise unless each draft event names a draft, or the statement that it became, and one of its signers."""
    before, after = ROTATION.alias(), ROTATION.alias()
    query = (
        select(
            EVENT,
            STATEMENT.c.id.label("statement"),
            DRAFT.c.id.label("draft"),
            ACCOUNT.c.account.label("signer"),
            DRAFT_PARTY.c.account.label("party"),
            before.c.account.label("succeeded"),
            after.c.successor,
        )
        .outerjoin(STATEMENT, STATEMENT.c.digest == EVENT.c.digest)
        .outerjoin(DRAFT, DRAFT.c.digest == EVENT.c.digest)
        .outerjoin(ACCOUNT, and_(ACCOUNT.c.statement_id == STATEMENT.c.id, ACCOUNT.c.account == EVENT.c.account))
        .outerjoin(DRAFT_PARTY, and_(DRAFT_PARTY.c.draft_id == DRAFT.c.id, DRAFT_PARTY.c.account == EVENT.c.account))
        .outerjoin(before, before.c.account == EVENT.c.account)
        .outerjoin(after, after.c.successor == EVENT.c.account)
        .where(EVENT.c.name.in_(OF_DRAFTS))
        .order_by(EVENT.c.digest, EVENT.c.id)
    )
    for _, group in groupby(stream(connection, query), key=lambda row: row.digest):
        told = list(group)
        if told[0].statement is None and told[0].draft is None:
            _check_repeat(told)
            continue
        for row in told:
            known = row.signer is not None or row.party is not None
            # A party that was rotated may have signed before. Its successor declines with its own account.
            if not known and row.succeeded is None and (row.name != "declined" or row.successor is None):
                wrong("event", row.id, "account")


def _check_repeat(told: Sequence[Row[Any]]) -> None:
    """Raise unless these events, whose draft left no rows, are those of a completed draft that was a repeat.

    They must begin with `proposed` and contain `accepted`.
    """
    names = [row.name for row in told]
    if names[0] != "proposed" or "accepted" not in names:
        wrong("event", told[0].id, "digest")


def _check_signed(connection: Connection) -> None:
    """Raise unless each signature of a draft has one event with its time, and the first one is `proposed`."""
    told = Children(
        stream(
            connection,
            select(DRAFT.c.id, EVENT.c.id.label("event"), EVENT.c.name, EVENT.c.account, EVENT.c.at)
            .join(DRAFT, DRAFT.c.digest == EVENT.c.digest)
            .where(EVENT.c.name.in_(_SIGNED))
            .order_by(DRAFT.c.id, EVENT.c.id),
        ),
        "event",
        "digest",
    )
    query = (
        select(DRAFT_PARTY, DRAFT.c.digest, DRAFT.c.proposed_at)
        .join(DRAFT, DRAFT.c.id == DRAFT_PARTY.c.draft_id)
        .order_by(DRAFT_PARTY.c.draft_id)
    )
    for draft_id, group in groupby(stream(connection, query), key=lambda row: row.draft_id):
        _check_signatures_told(list(group), told.rows_of(draft_id))
    told.end()


def _check_signatures_told(parties: Sequence[Row[Any]], told: Sequence[Row[Any]]) -> None:
    key = to_hex(parties[0].digest)
    times = {row.account: row.at for row in told}
    for position, row in enumerate(told):
        if row.name != _SIGNED[min(position, 1)]:
            wrong("event", row.event, "name")
    # A signer that was rotated since has an event but is no longer a party.
    if len(times) != len(told) or any((row.account in times) != (row.signature is not None) for row in parties):
        wrong("event", key, "account")
    if told[0].at != parties[0].proposed_at:
        wrong("draft", key, "proposed_at")
    for row in parties:
        if row.signature is not None and row.signed_at != times[row.account]:
            wrong("draft_party", f"{key} {to_hex(row.account)}", "signed_at")
