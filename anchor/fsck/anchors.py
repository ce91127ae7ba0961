"""`fsck` of anchors, attempts and transactions: heads are this log's, slot proofs hold, transactions match attempts.

A block header does not contain the chain's id, and only the chain knows which blocks are final. These two columns of
the table anchor are therefore compared only with the attempts, and the id with the chains that the identity lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from deedlog.anchor.anchoring.attempt_store import UNMINED
from deedlog.anchor.audit.audit import check_dated
from deedlog.anchor.evm import rlp
from deedlog.anchor.evm.identity import Head, head_slot
from deedlog.anchor.evm.state_proof import parse_header, storage_value
from deedlog.anchor.fsck.rows import stream, wrong
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.keccak import keccak256
from deedlog.registry.store.tables import ANCHOR, ATTEMPT, CHECKPOINT, STATEMENT, TRANSACTION

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from deedlog.anchor.audit.tree import AuditedLog
    from deedlog.anchor.evm.identity import RegistryIdentity

STATES = (*UNMINED, "mined", "final", "reverted", "superseded", "nonce_taken", "abandoned")

_ANCHOR_SELECTOR = keccak256(b"anchor(uint64,uint64,bytes32,bytes32[])")[:4]
_DYNAMIC_FEE = 2
"""EIP-1559: the first byte of a transaction. The RLP of its fields follows."""

_FIELDS = 12
_WORD = 32


def check_anchors(connection: Connection, identity: RegistryIdentity, audited: AuditedLog) -> int:
    """Check all rows of the table anchor; return how many there are.

    Raises `VerificationError` (`fsck.row`, `audit.dated_after_block`).
    """
    count = 0
    query = (
        select(ANCHOR, CHECKPOINT.c.root.label("signed"), STATEMENT.c.logged_at.label("last_entry"))
        .outerjoin(CHECKPOINT, CHECKPOINT.c.size == ANCHOR.c.size)
        .outerjoin(STATEMENT, STATEMENT.c.log_index == ANCHOR.c.size - 1)
        .order_by(ANCHOR.c.chain_id, ANCHOR.c.size)
    )
    for row in stream(connection, query):
        key = f"{row.chain_id} {row.size}"
        _check_head("anchor", key, row, audited)
        try:
            header = parse_header(row.header)
        except InvalidData as error:
            wrong("anchor", key, "header", error.code)
        if header.hash != row.block_hash:
            wrong("anchor", key, "block_hash")
        if header.number != row.proof_number:
            wrong("anchor", key, "proof_number")
        proofs = [_nodes(key, column, getattr(row, column)) for column in ("account_proof", "storage_proof")]
        try:
            word = storage_value(header, identity.address, head_slot(row.root), *proofs)
            head = Head.unpack(word)
            head.check_in_block(header.number, header.timestamp)
        except InvalidData as error:
            wrong("anchor", key, "storage_proof", error.code)
        for column in ("size", "time", "previous_size", "block_number"):
            if getattr(row, column) != getattr(head, column):
                wrong("anchor", key, column)
        check_dated(row.last_entry, row.size, head.time)
        if row.chain_id not in identity.chains:
            wrong("anchor", key, "chain_id")
        count += 1
    return count


def check_attempts(connection: Connection, identity: RegistryIdentity, audited: AuditedLog) -> int:
    """Check all rows of the tables attempt and anchor_transaction; return how many attempts there are.

    Raises `VerificationError` (`fsck.row`).
    """
    transactions = stream(connection, select(TRANSACTION).order_by(TRANSACTION.c.attempt_id))
    transaction = next(transactions, None)
    unmined: dict[int, int] = {}
    count = 0
    query = (
        select(ATTEMPT, ANCHOR.c.final, CHECKPOINT.c.root.label("signed"))
        .outerjoin(CHECKPOINT, CHECKPOINT.c.size == ATTEMPT.c.size)
        .outerjoin(ANCHOR, (ANCHOR.c.chain_id == ATTEMPT.c.chain_id) & (ANCHOR.c.size == ATTEMPT.c.size))
        .order_by(ATTEMPT.c.id)
    )
    for row in stream(connection, query):
        _check_head("attempt", row.id, row, audited)
        if row.state not in STATES:
            wrong("attempt", row.id, "state")
        if row.state == "final" and not row.final:
            wrong("anchor", f"{row.chain_id} {row.size}", "final")
        if row.state in UNMINED:
            before = unmined.setdefault(row.chain_id, row.id)
            if before != row.id:
                wrong("attempt", row.id, "state", f"{before}")
        starts = set()
        while transaction is not None and transaction.attempt_id <= row.id:
            if transaction.attempt_id < row.id:
                wrong("anchor_transaction", to_hex(transaction.hash), "attempt_id", "missing")
            starts.add(_check_transaction(transaction, row, identity))
            transaction = next(transactions, None)
        # An attempt is stored together with its first transaction, and its `from_size` is updated with each one that
        # is signed again for a new head.
        if row.from_size not in starts:
            wrong("attempt", row.id, "from_size")
        count += 1
    if transaction is not None:
        wrong("anchor_transaction", to_hex(transaction.hash), "attempt_id", "missing")
    return count


def _check_head(table: str, key: object, row: Row[Any], audited: AuditedLog) -> None:
    """Raise unless (size, root) is a signed head of this log: only those are anchored, and bundles need the note."""
    if not 0 < row.size <= audited.head.size or row.signed is None:
        wrong(table, key, "size", "log.no_checkpoint")
    if audited.root_at(row.size) != row.root:
        wrong(table, key, "root")


def _nodes(key: str, column: str, data: bytes) -> tuple[bytes, ...]:
    try:
        nodes = rlp.decode(data)
    except InvalidData as error:
        wrong("anchor", key, column, error.code)
    if not isinstance(nodes, list) or not all(isinstance(node, bytes) for node in nodes):
        wrong("anchor", key, column, "rlp")
    return tuple(node for node in nodes if isinstance(node, bytes))


def _check_transaction(row: Row[Any], attempt: Row[Any], identity: RegistryIdentity) -> int:
    """Return the transaction's from_size; raise unless it anchors its attempt's head."""
    key = to_hex(row.hash)
    if keccak256(row.raw) != row.hash:
        wrong("anchor_transaction", key, "hash")
    try:
        fields = rlp.decode(row.raw[1:])
    except InvalidData as error:
        wrong("anchor_transaction", key, "raw", error.code)
    if row.raw[0] != _DYNAMIC_FEE or not isinstance(fields, list) or len(fields) != _FIELDS:
        wrong("anchor_transaction", key, "raw", "form")
    chain_id, nonce, priority_fee, max_fee, _gas, contract, _value, data = (
        field if isinstance(field, bytes) else b"" for field in fields[:8]
    )
    said = {"max_fee": _number(max_fee), "priority_fee": _number(priority_fee)}
    for column, value in said.items():
        if getattr(row, column) != str(value):
            wrong("anchor_transaction", key, column)
    words = [data[at : at + _WORD] for at in range(len(_ANCHOR_SELECTOR), len(data), _WORD)]
    if contract != identity.address or data[:4] != _ANCHOR_SELECTOR or len(words) < 3:  # noqa: PLR2004 - read below
        wrong("anchor_transaction", key, "raw", "form")
    called: dict[str, object] = {
        "chain_id": _number(chain_id),
        "nonce": _number(nonce),
        "size": _number(words[1]),
        "root": words[2],
    }
    for column, expected in called.items():
        if getattr(attempt, column) != expected:
            wrong("attempt", attempt.id, column)
    return _number(words[0])


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
