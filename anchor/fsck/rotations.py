"""`fsck` of rotations: each accepted statement that hands an account over has one row, which agrees with its entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from deedlog.anchor.fsck.rows import stream, wrong
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.subjects import SUCCESSOR
from deedlog.registry.store.tables import ROTATION, STATEMENT, TEXT

if TYPE_CHECKING:
    from sqlalchemy import Connection


def check_rotations(connection: Connection) -> int:
    """Check all rows of the table rotation; return how many there are. Run after `check_statements`.

    Raises `VerificationError` (`fsck.row`).
    """
    kinds = [name for name, kind in KINDS.items() if kind.HANDS_OVER is not None]
    count = 0
    query = (
        select(STATEMENT.c.digest, STATEMENT.c.logged_at, TEXT.c.prefix, ROTATION.c.account, ROTATION.c.successor)
        .join(TEXT, TEXT.c.statement_id == STATEMENT.c.id)
        .outerjoin(ROTATION, ROTATION.c.statement_id == STATEMENT.c.id)
        .where(STATEMENT.c.kind.in_(kinds))
        .order_by(STATEMENT.c.id)
    )
    for row in stream(connection, query):
        key = to_hex(row.digest)
        if row.successor is None:
            wrong("rotation", key, "statement_id", "missing")
        entry = entries.parse(entries.complete(row.prefix, row.logged_at or 0))
        if entry.subjects != (SUCCESSOR.of(row.successor),):
            wrong("rotation", key, "successor")
        signers = [signature.account for signature in entry.signatures]
        if signers != sorted({row.account, row.successor}):
            wrong("rotation", key, "account")
        count += 1
    of_none = (
        select(ROTATION.c.account)
        .outerjoin(STATEMENT, and_(STATEMENT.c.id == ROTATION.c.statement_id, STATEMENT.c.kind.in_(kinds)))
        .where(STATEMENT.c.id.is_(None))
        .limit(1)
    )
    for row in connection.execute(of_none):
        wrong("rotation", to_hex(row.account), "statement_id")
    return count
