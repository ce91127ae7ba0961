"""SQL of attempts: what was signed and sent to bring a head into the contract.

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
    """An attempt to anchor (size, root) after from_size, with one nonce."""

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
    """A signed transaction of an attempt; `sent_at` is None until a node has taken it."""

    hash: bytes
    raw: bytes
    max_fee: int
    priority_fee: int
    created_at: int
    sent_at: int | None


def open_attempt(connection: Connection, chain_id: int) -> Attempt | None:
    """Return the one attempt on a chain that is not mined yet."""
    query = select(ATTEMPT).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.in_(UNMINED))
    row = connection.execute(query).mappings().first()
    return None if row is None else Attempt(**row)


def insert_attempt(connection: Connection, attempt: Attempt) -> int:
    """Keep a new attempt; return its id.

    The database refuses a second unmined one on the same chain: raises `Unavailable` (`anchoring.raced`).
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
    key: int = result.inserted_primary_key[0]  # type: ignore[index] # an insert of one row has one
    return key


def set_attempt(connection: Connection, key: int, **values: Any) -> None:
    """Change an attempt."""
    connection.execute(update(ATTEMPT).where(ATTEMPT.c.id == key).values(**values))


def finalise_attempt(connection: Connection, chain_id: int, size: int) -> None:
    """Note that the block of a mined attempt is final."""
    connection.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.size == size, ATTEMPT.c.state == "mined")
        .values(state="final")
    )


def reopen_attempt(connection: Connection, chain_id: int, size: int) -> None:
    """Note that the block of an attempt is not final after all."""
    connection.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.size == size, ATTEMPT.c.state == "final")
        .values(state="mined")
    )


def unmine(connection: Connection, chain_id: int, size: int) -> None:
    """Note that a reorganisation took the head of a mined attempt away: it is sent again, before any later one."""
    query = select(ATTEMPT).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.size == size, ATTEMPT.c.state == "mined")
    for row in connection.execute(query.order_by(ATTEMPT.c.id)).mappings().all():
        mined = Attempt(**row)
        later = open_attempt(connection, chain_id)
        if later is not None and later.nonce > mined.nonce:
            set_attempt(connection, later.id, state="abandoned")
            later = None
        set_attempt(connection, mined.id, state="sent" if later is None else "abandoned")


def last_attempt_at(connection: Connection, chain_id: int) -> int:
    """Return when the last attempt on a chain was made that was not for nothing; 0 if none was."""
    newest: int | None = connection.execute(
        select(func.max(ATTEMPT.c.created_at)).where(
            ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.not_in(("abandoned", "nonce_taken"))
        )
    ).scalar()
    return newest or 0


def last_settled(connection: Connection, chain_id: int) -> Attempt | None:
    """Return the last attempt on a chain of which it is known what became of it."""
    query = select(ATTEMPT).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.not_in((*UNMINED, "abandoned")))
    row = connection.execute(query.order_by(ATTEMPT.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else Attempt(**row)


def insert_transaction(connection: Connection, attempt_id: int, transaction: Transaction) -> None:
    """Keep a signed transaction, before it is sent."""
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
    """Return the id of the attempt that a transaction is stored with."""
    key: int | None = connection.execute(
        select(TRANSACTION.c.attempt_id).where(TRANSACTION.c.hash == transaction_hash)
    ).scalar()
    return key


def hashes_of_nonce(connection: Connection, chain_id: int, nonce: int, but: int) -> list[bytes]:
    """Return the transactions with that nonce of other attempts than `but`."""
    query = (
        select(TRANSACTION.c.hash)
        .join(ATTEMPT, ATTEMPT.c.id == TRANSACTION.c.attempt_id)
        .where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.nonce == nonce, ATTEMPT.c.id != but)
    )
    return list(connection.execute(query).scalars())


def last_nonce_used(connection: Connection, chain_id: int) -> int | None:
    """Return the highest nonce that an attempt was found to have used up."""
    used = ("mined", "final", "reverted", "nonce_taken")
    nonce: int | None = connection.execute(
        select(func.max(ATTEMPT.c.nonce)).where(ATTEMPT.c.chain_id == chain_id, ATTEMPT.c.state.in_(used))
    ).scalar()
    return nonce


def mark_sent(connection: Connection, transaction_hash: bytes, now: int) -> None:
    """Note that a node has taken a transaction."""
    connection.execute(
        update(TRANSACTION)
        .where(TRANSACTION.c.hash == transaction_hash, TRANSACTION.c.sent_at.is_(None))
        .values(sent_at=now)
    )


def transactions(connection: Connection, attempt_id: int) -> list[Transaction]:
    """Return an attempt's transactions, the oldest first."""
    query = select(TRANSACTION).where(TRANSACTION.c.attempt_id == attempt_id)
    found = [_transaction(row) for row in connection.execute(query).mappings()]
    # Each replaces the one before at a higher fee; the clock may have been set back, or several be of one second.
    return sorted(found, key=lambda transaction: transaction.max_fee)


def dearest_of_nonce(connection: Connection, chain_id: int, nonce: int) -> Transaction | None:
    """Return the transaction of the highest fee among all that were signed with that nonce."""
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
