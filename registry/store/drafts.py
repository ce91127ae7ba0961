"""SQL of drafts: statements that not everybody has signed yet, and their signatures so far.

Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from deedlog.registry.rules.rule import RULES
from deedlog.registry.statements import KINDS
from deedlog.registry.store import partial_state
from deedlog.registry.store.tables import ACCOUNT, DRAFT, DRAFT_PARTY, DRAFT_SUBJECT, STATEMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, ScalarSelect

    from deedlog.registry.statements.base import Statement
    from deedlog.registry.statements.signatures import Signature

PAGE = 100
"""The most drafts that one page of a list holds."""


@dataclass(frozen=True, slots=True)
class Party:
    """An account that must sign a draft. Times are Unix seconds."""

    account: bytes
    signature: bytes | None
    signed_at: int | None
    declined_at: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement that waits for signatures."""

    id: int
    digest: bytes
    statement: Statement
    proposed_at: int
    api_key_id: int | None
    public_from: int | None
    cancelled_by: bytes | None
    parties: tuple[Party, ...]

    @property
    def missing(self) -> tuple[bytes, ...]:
        """The accounts that have not signed yet."""
        return tuple(party.account for party in self.parties if party.signature is None)


def by_digest(connection: Connection, digest: bytes) -> Draft | None:
    """Return the draft with this digest, or None."""
    row = connection.execute(select(DRAFT).where(DRAFT.c.digest == digest)).first()
    return None if row is None else _draft(connection, row)


def search(
    connection: Connection, account: bytes, after: int, subjects: Sequence[str] = (), kind: str | None = None
) -> list[Draft]:
    """Return the drafts with an id above `after` to which `account` is a party, in order of ids, at most `PAGE`.

    A party is also an account whose current holder is `account`. With `subjects`, the draft has at least one of them.
    """
    own = select(DRAFT_PARTY.c.draft_id).where(DRAFT_PARTY.c.account.in_(partial_state.spoken_for(connection, account)))
    query = select(DRAFT).where(DRAFT.c.id > after, DRAFT.c.id.in_(own)).order_by(DRAFT.c.id).limit(PAGE)
    if subjects:
        named = select(DRAFT_SUBJECT.c.draft_id).where(DRAFT_SUBJECT.c.subject.in_(subjects))
        query = query.where(DRAFT.c.id.in_(named))
    if kind is not None:
        query = query.where(DRAFT.c.kind == kind)
    return [_draft(connection, row) for row in connection.execute(query).all()]


def was_party(connection: Connection, digest: bytes, accounts: Sequence[bytes]) -> bool:
    """Return whether one of `accounts` is a party to the draft with this digest, or signed the statement it became."""
    if not accounts:
        return False
    waiting = select(DRAFT_PARTY.c.account).where(
        DRAFT_PARTY.c.draft_id == _id_of(digest), DRAFT_PARTY.c.account.in_(accounts)
    )
    signed = (
        select(ACCOUNT.c.account)
        .join(STATEMENT, STATEMENT.c.id == ACCOUNT.c.statement_id)
        .where(STATEMENT.c.digest == digest, ACCOUNT.c.account.in_(accounts))
    )
    return connection.execute(waiting.union(signed)).first() is not None


def add(
    connection: Connection,
    statement: Statement,
    digest: bytes,
    body: str,
    signers: Sequence[bytes],
    *,
    api_key_id: int | None,
    public_from: int | None,
    now: int,
) -> None:
    """Insert a draft without signatures. `body` is the JSON of its members, `now` is in Unix seconds."""
    values = {
        "digest": digest,
        "kind": statement.kind,
        "body": body,
        "proposed_at": now,
        "api_key_id": api_key_id,
        "public_from": public_from,
    }
    key = connection.execute(insert(DRAFT).values(values).returning(DRAFT.c.id)).scalar_one()
    connection.execute(insert(DRAFT_PARTY), [{"account": account, "draft_id": key} for account in signers])
    subjects = [{"subject": subject, "draft_id": key} for subject in statement.subjects()]
    connection.execute(insert(DRAFT_SUBJECT), subjects)


def hand_over(connection: Connection, account: bytes, successor: bytes) -> None:
    """Replace a rotated account by its successor in the drafts whose signers follow from a rule; drop its signature.

    Such a rule names the current holders when the draft completes. The signers of other drafts are named in their
    bodies, so those drafts are left as they are.
    """
    kinds = [kind for kind, rule in RULES.items() if rule.signers is not None]
    drafts = select(DRAFT.c.id).where(DRAFT.c.kind.in_(kinds))
    connection.execute(
        update(DRAFT_PARTY)
        .where(DRAFT_PARTY.c.account == account, DRAFT_PARTY.c.draft_id.in_(drafts))
        .values(account=successor, signature=None, signed_at=None)
    )


def take_signature(connection: Connection, digest: bytes, signature: Signature, now: int) -> None:
    """Store a party's signature. This also withdraws an earlier decline."""
    connection.execute(
        update(DRAFT_PARTY)
        .where(DRAFT_PARTY.c.draft_id == _id_of(digest), DRAFT_PARTY.c.account == signature.account)
        .values(signature=signature.signature, signed_at=now, declined_at=None)
    )


def note_declined(connection: Connection, digest: bytes, accounts: Sequence[bytes], now: int) -> None:
    """Record that parties say they will not sign."""
    connection.execute(
        update(DRAFT_PARTY)
        .where(DRAFT_PARTY.c.draft_id == _id_of(digest), DRAFT_PARTY.c.account.in_(accounts))
        .values(declined_at=now)
    )


def note_cancelled(connection: Connection, digest: bytes, cancellation: bytes) -> None:
    """Record the digest of the statement that cancelled a draft."""
    connection.execute(update(DRAFT).where(DRAFT.c.digest == digest).values(cancelled_by=cancellation))


def remove(connection: Connection, digests: Sequence[bytes]) -> None:
    """Delete the drafts among `digests`: they are statements now."""
    ids = connection.execute(select(DRAFT.c.id).where(DRAFT.c.digest.in_(digests))).scalars().all()
    if ids:
        for table in (DRAFT_PARTY, DRAFT_SUBJECT):
            connection.execute(delete(table).where(table.c.draft_id.in_(ids)))
        connection.execute(delete(DRAFT).where(DRAFT.c.id.in_(ids)))


def _id_of(digest: bytes) -> ScalarSelect[int]:
    return select(DRAFT.c.id).where(DRAFT.c.digest == digest).scalar_subquery()


def _draft(connection: Connection, row: Row[Any]) -> Draft:
    query = select(DRAFT_PARTY).where(DRAFT_PARTY.c.draft_id == row.id).order_by(DRAFT_PARTY.c.account)
    parties = tuple(
        Party(party.account, party.signature, party.signed_at, party.declined_at)
        for party in connection.execute(query).all()
    )
    statement = KINDS[row.kind].from_message(json.loads(row.body))
    return Draft(
        id=row.id,
        digest=row.digest,
        statement=statement,
        proposed_at=row.proposed_at,
        api_key_id=row.api_key_id,
        public_from=row.public_from,
        cancelled_by=row.cancelled_by,
        parties=parties,
    )
