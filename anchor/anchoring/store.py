"""SQL of anchors and of a chain's last seen status.

Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from deedlog.anchor.evm import rlp
from deedlog.registry.store import events
from deedlog.registry.store.tables import ANCHOR, CHAIN_STATUS

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping


@dataclass(frozen=True, slots=True)
class StoredAnchor:
    """A head that the contract on a chain holds, with the proof of its slot at one block.

    `block_number` and `time` (Unix seconds) are those of the block that anchored the head. `header` (RLP),
    `block_hash` and `proof_number` belong to the block of the proof.
    """

    chain_id: int
    size: int
    root: bytes
    previous_size: int
    time: int
    block_number: int
    header: bytes
    block_hash: bytes
    proof_number: int
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]
    final: bool


@dataclass(frozen=True, slots=True)
class ChainStatus:
    """What the anchorer last saw of a chain: newest block, the contract's size, the operator's balance in wei.

    `seen_at` is in Unix seconds.
    """

    chain_id: int
    block_number: int
    contract_size: int
    balance: int
    seen_at: int


def put_anchor(connection: Connection, anchor: StoredAnchor) -> None:
    """Store an anchor, replacing the one of the same chain and size. Records `anchored` and `final` events."""
    values: dict[str, Any] = {
        "root": anchor.root,
        "previous_size": anchor.previous_size,
        "time": anchor.time,
        "block_number": anchor.block_number,
        "header": anchor.header,
        "block_hash": anchor.block_hash,
        "proof_number": anchor.proof_number,
        "account_proof": rlp.encode(list(anchor.account_proof)),
        "storage_proof": rlp.encode(list(anchor.storage_proof)),
        "final": anchor.final,
    }
    here = (ANCHOR.c.chain_id == anchor.chain_id) & (ANCHOR.c.size == anchor.size)
    before = connection.execute(select(ANCHOR.c.final).where(here)).scalar()
    newest, last_final = newest_anchor(connection, anchor.chain_id), newest_final(connection, anchor.chain_id)
    if connection.execute(update(ANCHOR).where(here).values(values)).rowcount == 0:
        connection.execute(insert(ANCHOR).values(chain_id=anchor.chain_id, size=anchor.size, **values))
    if before is None:
        _record_event(connection, "anchored", anchor, newest)
    if anchor.final and not before:
        _record_event(connection, "final", anchor, last_final)


def anchor_of(connection: Connection, chain_id: int, size: int) -> StoredAnchor | None:
    """Return the anchor of the head of that size on that chain, or None."""
    query = select(ANCHOR).where(ANCHOR.c.chain_id == chain_id, ANCHOR.c.size == size)
    row = connection.execute(query).mappings().first()
    return None if row is None else _anchor(row)


def anchors_covering(connection: Connection, index: int) -> list[StoredAnchor]:
    """Return, for each chain, the smallest anchor whose tree contains the entry at `index`."""
    first = (
        select(ANCHOR.c.chain_id, func.min(ANCHOR.c.size).label("size"))
        .where(ANCHOR.c.size > index)
        .group_by(ANCHOR.c.chain_id)
        .subquery()
    )
    query = (
        select(ANCHOR)
        .join(first, (ANCHOR.c.chain_id == first.c.chain_id) & (ANCHOR.c.size == first.c.size))
        .order_by(ANCHOR.c.chain_id)
    )
    return [_anchor(row) for row in connection.execute(query).mappings()]


class Covering:
    """Looks up the anchors that cover many entries in a row, and queries once for neighbours that share them."""

    def __init__(self, connection: Connection) -> None:
        """Query in this connection's transaction."""
        self._connection = connection
        self._from = 0
        self._anchors: list[StoredAnchor] | None = None

    def of(self, index: int) -> list[StoredAnchor]:
        """Return the same as `anchors_covering`."""
        # The smallest head that covers an entry is also the smallest for each later entry that it covers. If no head
        # covers an entry, none covers a later one.
        if self._anchors is None or index < self._from or any(anchor.size <= index for anchor in self._anchors):
            self._from, self._anchors = index, anchors_covering(self._connection, index)
        return self._anchors


def not_final(connection: Connection, chain_id: int) -> list[StoredAnchor]:
    """Return the anchors on a chain whose blocks are not final yet, smallest size first."""
    query = select(ANCHOR).where(ANCHOR.c.chain_id == chain_id, ANCHOR.c.final.is_(False)).order_by(ANCHOR.c.size)
    return [_anchor(row) for row in connection.execute(query).mappings()]


def anchors(connection: Connection, limit: int, below: int | None = None) -> list[StoredAnchor]:
    """Return at most `limit` anchors, largest size first; with `below`, only those of a smaller size."""
    query = select(ANCHOR).order_by(ANCHOR.c.size.desc(), ANCHOR.c.chain_id).limit(limit)
    if below is not None:
        query = query.where(ANCHOR.c.size < below)
    return [_anchor(row) for row in connection.execute(query).mappings()]


def newest_anchor(connection: Connection, chain_id: int) -> StoredAnchor | None:
    """Return the anchor of the largest size on a chain, or None."""
    query = select(ANCHOR).where(ANCHOR.c.chain_id == chain_id).order_by(ANCHOR.c.size.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _anchor(row)


def newest_final(connection: Connection, chain_id: int) -> StoredAnchor | None:
    """Return the largest anchor on a chain whose block is final, or None."""
    query = select(ANCHOR).where(ANCHOR.c.chain_id == chain_id, ANCHOR.c.final).order_by(ANCHOR.c.size.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _anchor(row)


def delete_anchor(connection: Connection, chain_id: int, size: int) -> None:
    """Delete an anchor that a reorganisation removed."""
    connection.execute(delete(ANCHOR).where(ANCHOR.c.chain_id == chain_id, ANCHOR.c.size == size))


def newest_gap(connection: Connection, chain_id: int) -> int | None:
    """Return the largest size that a stored anchor has as `previous_size` and that has no stored anchor; else None."""
    before = ANCHOR.alias()
    kept = select(before.c.size).where(before.c.chain_id == chain_id, before.c.size == ANCHOR.c.previous_size)
    size: int | None = connection.execute(
        select(func.max(ANCHOR.c.previous_size)).where(
            ANCHOR.c.chain_id == chain_id, ANCHOR.c.previous_size > 0, ~kept.exists()
        )
    ).scalar()
    return size


def chain_status(connection: Connection, chain_id: int) -> ChainStatus | None:
    """Return what the anchorer last saw of a chain, or None."""
    row = connection.execute(select(CHAIN_STATUS).where(CHAIN_STATUS.c.chain_id == chain_id)).mappings().first()
    return None if row is None else ChainStatus(**{**row, "balance": int(row["balance"])})


def put_chain_status(connection: Connection, status: ChainStatus) -> None:
    """Store the status of a chain, replacing the one before."""
    values: dict[str, Any] = {
        "block_number": status.block_number,
        "contract_size": status.contract_size,
        "balance": str(status.balance),
        "seen_at": status.seen_at,
    }
    here = CHAIN_STATUS.c.chain_id == status.chain_id
    if connection.execute(update(CHAIN_STATUS).where(here).values(values)).rowcount == 0:
        connection.execute(insert(CHAIN_STATUS).values(chain_id=status.chain_id, **values))


def _record_event(connection: Connection, name: str, anchor: StoredAnchor, before: StoredAnchor | None) -> None:
    """Record an event for the entries that this anchor covers and the one before it does not."""
    covered = 0 if before is None else before.size
    if covered < anchor.size:
        events.record_range(connection, name, anchor.time, covered, anchor.size, anchor.chain_id)


def _anchor(row: RowMapping) -> StoredAnchor:
    values = dict(row)
    for name in ("account_proof", "storage_proof"):
        values[name] = tuple(rlp.decode(values[name]))
    return StoredAnchor(**values)
