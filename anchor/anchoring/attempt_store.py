"""SQL of attempts to anchor and of their transactions.

Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from deedlog.registry.errors import Unavailable
from deedlog.registry.store.tables import ATTEMPT, TRANSACTION

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping


UNMINED = ("prepared", "sent")


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to anchor (size, root) as an extension of the head of `from_size`, with one nonce.

    `created_at` is in Unix seconds.
    """

    id: int
    chain_id: int
    from_size: int
    size: int
    root: bytes
    nonce: int
    state: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction of an attempt. `sent_at` is None until it was handed to a node.

    Fees are in wei per unit of gas, times in Unix seconds.
    """

    hash: bytes
    raw: bytes
    max_fee: int
    priority_fee: int
    created_at: int
    sent_at: int | None


def open_attempt(connection: Connection, chain_id: int) -> Attempt | None:
    """Return the attempt on a chain that is prepared or sent. There is at most one."""
    query = select(ATTEMPT).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.in_(UNMINED))
    row = connection.execute(query).mappings().first()
    return None if row is None else Attempt(**row)


def insert_attempt(connection: Connection, attempt: Attempt) -> int:
    """Store a new attempt; return its id.

    The database allows one unmined attempt per chain; a second one raises `Unavailable` (`anchoring.raced`).
    """
    values = {
        "chain_id": attempt.chain_id,
        "from_size": attempt.from_size,
        "size": attempt.size,
        "root": attempt.root,
        "nonce": attempt.nonce,
        "state": attempt.state,
        "created_at": attempt.created_at,
    }
    try:
        result = connection.execute(insert(ATTEMPT).values(values))
    except IntegrityError as error:
        raise Unavailable("anchoring.raced") from error
    key: int = result.inserted_primary_key[0]  # type: ignore[index] # set when one row is inserted
    return key


def set_attempt(connection: Connection, key: int, **values: Any) -> None:
    """Set columns of an attempt."""
    connection.execute(update(ATTEMPT).where(ATTEMPT.c.id == key).values(**values))


def finalise_attempt(connection: Connection, chain_id: int, size: int) -> None:
    """Set a mined attempt to final, because its block is."""
    connection.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.size == size, ATTEMPT.c.state == "mined")
        .values(state="final")
    )


def reopen_attempt(connection: Connection, chain_id: int, size: int) -> None:
    """Set a final attempt back to mined, because its block is not final after all."""
    connection.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.size == size, ATTEMPT.c.state == "final")
        .values(state="mined")
    )


def unmine(connection: Connection, chain_id: int, size: int) -> None:
    """Reopen a mined attempt whose head a reorganisation removed, so that it is sent again.

    Only one attempt may be open. If another one is, the attempt with the later nonce is abandoned; with equal nonces,
    the mined one.
    """
    query = select(ATTEMPT).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.size == size, ATTEMPT.c.state == "mined")
    for row in connection.execute(query.order_by(ATTEMPT.c.id)).mappings().all():
        mined = Attempt(**row)
        later = open_attempt(connection, chain_id)
        if later is not None and later.nonce > mined.nonce:
            set_attempt(connection, later.id, state="abandoned")
            later = None
        set_attempt(connection, mined.id, state="sent" if later is None else "abandoned")


def last_attempt_at(connection: Connection, chain_id: int) -> int:
    """Return the creation time (Unix seconds) of the newest attempt on a chain; 0 if there is none.

    Attempts that are abandoned or nonce_taken do not count.
    """
    newest: int | None = connection.execute(
        select(func.max(ATTEMPT.c.created_at)).where(
            ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.not_in(("abandoned", "nonce_taken"))
        )
    ).scalar()
    return newest or 0


def last_settled(connection: Connection, chain_id: int) -> Attempt | None:
    """Return the newest attempt on a chain that is settled and not abandoned."""
    query = select(ATTEMPT).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.not_in((*UNMINED, "abandoned")))
    row = connection.execute(query.order_by(ATTEMPT.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else Attempt(**row)


def insert_transaction(connection: Connection, attempt_id: int, transaction: Transaction) -> None:
    """Store a signed transaction of an attempt. Called before the transaction is sent."""
    connection.execute(
        insert(TRANSACTION).values(
            hash=transaction.hash,
            attempt_id=attempt_id,
            raw=transaction.raw,
            max_fee=str(transaction.max_fee),
            priority_fee=str(transaction.priority_fee),
            created_at=transaction.created_at,
            sent_at=transaction.sent_at,
        )
    )


def attempt_of(connection: Connection, transaction_hash: bytes) -> int | None:
    """Return the id of a stored transaction's attempt; None if the transaction is not stored."""
    key: int | None = connection.execute(
        select(TRANSACTION.c.attempt_id).where(TRANSACTION.c.hash == transaction_hash)
    ).scalar()
    return key


def hashes_of_nonce(connection: Connection, chain_id: int, nonce: int, but: int) -> list[bytes]:
    """Return the hashes of the transactions that other attempts than `but` (an id) signed with that nonce."""
    query = (
        select(TRANSACTION.c.hash)
        .join(ATTEMPT, ATTEMPT.c.id == TRANSACTION.c.attempt_id)
        .where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.nonce == nonce, ATTEMPT.c.id != but)
    )
    return list(connection.execute(query).scalars())


def last_nonce_used(connection: Connection, chain_id: int) -> int | None:
    """Return the highest nonce known to be used, from the attempts on a chain; None if there is none."""
    used = ("mined", "final", "reverted", "nonce_taken")
    nonce: int | None = connection.execute(
        select(func.max(ATTEMPT.c.nonce)).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.in_(used))
    ).scalar()
    return nonce


def mark_sent(connection: Connection, transaction_hash: bytes, now: int) -> None:
    """Record when a transaction was first handed to a node (`now`, Unix seconds)."""
    connection.execute(
        update(TRANSACTION)
        .where(TRANSACTION.c.hash == transaction_hash, TRANSACTION.c.sent_at.is_(None))
        .values(sent_at=now)
    )


def transactions(connection: Connection, attempt_id: int) -> list[Transaction]:
    """Return an attempt's transactions, oldest first."""
    query = select(TRANSACTION).where(TRANSACTION.c.attempt_id == attempt_id)
    found = [_transaction(row) for row in connection.execute(query).mappings()]
    # Sort by fee, which rises with each replacement. Times may be equal, or wrong if the clock was set back.
    return sorted(found, key=lambda transaction: transaction.max_fee)


def dearest_of_nonce(connection: Connection, chain_id: int, nonce: int) -> Transaction | None:
    """Return the transaction with the highest fee among all that were signed with that nonce, or None."""
    query = (
        select(TRANSACTION)
        .join(ATTEMPT, ATTEMPT.c.id == TRANSACTION.c.attempt_id)
        .where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.nonce == nonce)
    )
    found = [_transaction(row) for row in connection.execute(query).mappings()]
    return max(found, key=lambda transaction: transaction.max_fee, default=None)


def _transaction(row: RowMapping) -> Transaction:
    return Transaction(
        row["hash"], row["raw"], int(row["max_fee"]), int(row["priority_fee"]), row["created_at"], row["sent_at"]
    )
