"""Checks the whole database: first the audit of its log, then everything that only the database has.

The operator's counterpart of `anchor.audit.audit`. Everything is read in one transaction, so a worker may run
meanwhile. Nothing is repaired. The check ends at the first error, and names its table, row and column. Steps:

1. SQLite's pages and indices are intact.
2. The log's row has the registry's identity, and the size and root of the newest checkpoint.
3. The audit: entries, signatures, tiles, root, uniqueness, order of time (`anchor.audit.audit`, steps 1 to 7).
4. Every checkpoint ever signed has the log's root at its size, so all checkpoints are consistent with each other.
5. There are no tiles besides those of the log.
6. Statements, their subjects, accounts and idempotency keys (`anchor.fsck.statements`); rotations
   (`anchor.fsck.rotations`).
7. Drafts, their parties and signatures (`anchor.fsck.drafts`).
8. Anchors, attempts and transactions (`anchor.fsck.anchors`).
9. Events of all these (`anchor.fsck.events`).
10. The contract's history, if a chain is given (`anchor.audit.audit`, step 9).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from deedlog.anchor.audit.audit import Report, audit_contract, audit_earlier, audit_entries
from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.fsck.anchors import check_anchors, check_attempts
from deedlog.anchor.fsck.drafts import check_drafts
from deedlog.anchor.fsck.events import check_events
from deedlog.anchor.fsck.rotations import check_rotations
from deedlog.anchor.fsck.rows import stream, wrong
from deedlog.anchor.fsck.statements import check_idempotency_keys, check_statements
from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog.tiles import MAXIMUM_ENTRY, TILE_HEIGHT, TILE_WIDTH, encode_entries
from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData, Unavailable, VerificationError
from deedlog.registry.statements import entry as entries
from deedlog.registry.store.tables import CHECKPOINT, LOG, STATEMENT, TEXT, TILE

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from deedlog.anchor.audit.audit import Contract, Progress
    from deedlog.anchor.audit.tree import AuditedLog
    from deedlog.anchor.tlog.tiles import TilePath
    from deedlog.registry.store.database import Database

_DAMAGE = ("malformed", "not a database", "Could not decode")
"""Parts of the messages of SQLite and its driver that mean damaged bytes. Other errors may be temporary."""

_MAXIMUM_IDENTITY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows were checked, by table. `unlogged` and `erased` count statements."""

    checkpoints: int
    statements: int
    unlogged: int
    erased: int
    idempotency_keys: int
    rotations: int
    drafts: int
    anchors: int
    attempts: int
    events: int


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check without errors: the registry's identity, the audit's report, and the counts of rows."""

    identity: RegistryIdentity
    log: Report
    counts: Counts


def check_database(
    database: Database,
    identity: RegistryIdentity | None = None,
    contract: Contract | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Run all steps and return the result.

    `identity` is the registry that the database must belong to (None: accept the one in the database). `contract` is
    the registry's contract as a chain has it (None: skip step 10). Raises `VerificationError` (`fsck.…`, `audit.…`)
    naming the first error, or `Unavailable` if something could not be checked.
    """
    # Ask the contract first: the log must contain any head that the contract had before the log was read.
    newest = None if contract is None else contract.head()
    try:
        with database.read() as connection:
            # Step 1.
            _check_sqlite(connection)
            # Step 2.
            identity = _check_log_row(connection, identity)
            # Step 3.
            audited = audit_entries(DatabaseSource(connection), identity.verifier_key, progress)
            if connection.execute(select(LOG.c.time)).scalar() != audited.time:
                wrong("log", 1, "time")
            # Step 4.
            checkpoints = _check_checkpoints(connection, identity, audited, progress)
            # Step 5.
            _check_no_other_tiles(connection, audited.head.size)
            # Step 6.
            statements = check_statements(connection, identity, audited.head.size, progress)
            idempotency_keys = check_idempotency_keys(connection)
            rotations = check_rotations(connection)
            # Step 7.
            drafts = check_drafts(connection, identity)
            # Step 8.
            anchors = check_anchors(connection, identity, audited)
            attempts = check_attempts(connection, identity, audited)
            # Step 9.
            events = check_events(connection, audited.head.size)
            # Step 10.
            history = None
            if contract is not None and newest is not None:
                history = audit_contract(audited, contract, newest, progress)
    except DatabaseError as error:
        said = str(error.orig)
        if any(word in said for word in _DAMAGE):
            raise VerificationError("fsck.sqlite", said=said[:200]) from error
        raise Unavailable("database.unreachable", reason=said) from error
    report = Report(audited.head, audited.signatures, audited.time, checkpoints, history)
    counts = Counts(checkpoints, *statements, idempotency_keys, rotations, drafts, anchors, attempts, events)
    return Checked(identity, report, counts)


class DatabaseSource:
    """A `Source` that reads the log as stored: whole rows, not cut to the widths that would be served."""

    def __init__(self, connection: Connection) -> None:
        """Read the log in this connection's transaction."""
        self._connection = connection

    def checkpoint(self) -> bytes:
        """Return the note of the newest checkpoint."""
        return log_store.newest_checkpoint(self._connection)

    def read(self, path: TilePath) -> bytes:
        """Return a stored tile, or the entry bundle built from stored entries.

        Raises `VerificationError`: `fsck.index_missing`, `fsck.row`.
        """
        if path.level is not None:
            return log_store.tile_reader(self._connection)(path.level, path.index)
        start = path.index * TILE_WIDTH
        rows = self._connection.execute(
            select(STATEMENT.c.log_index, STATEMENT.c.logged_at, TEXT.c.prefix)
            .outerjoin(TEXT, TEXT.c.statement_id == STATEMENT.c.id)
            .where(STATEMENT.c.log_index >= start, STATEMENT.c.log_index < start + path.width)
            .order_by(STATEMENT.c.log_index)
        ).all()
        found = []
        for index, row in enumerate(rows, start):
            if row.log_index != index:
                raise VerificationError("fsck.index_missing", index=index)
            if not isinstance(row.prefix, bytes):  # SQLite stores any type in any column
                wrong("statement_text", index, "prefix", "missing" if row.prefix is None else "differs")
            if not isinstance(row.logged_at, int):
                wrong("statement", index, "logged_at")
            found.append(entries.complete(row.prefix, row.logged_at))
            if len(found[-1]) > MAXIMUM_ENTRY:
                wrong("statement_text", index, "prefix", "entry.too_large")
        if len(rows) < path.width:
            raise VerificationError("fsck.index_missing", index=start + len(rows))
        return encode_entries(found)


def _check_sqlite(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    said = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
    if said != "ok":
        raise VerificationError("fsck.sqlite", said=str(said)[:200])


def _check_log_row(connection: Connection, expected: RegistryIdentity | None) -> RegistryIdentity:
    rows = connection.execute(select(LOG)).all()
    if not rows:
        raise Unavailable("log.missing")
    row = rows[0]
    if len(rows) > 1 or row.id != 1:
        wrong("log", row.id, "id")
    try:
        data = row.identity.encode()
        identity = RegistryIdentity.from_json(strict_json.loads(data, _MAXIMUM_IDENTITY), contracts())
    except (InvalidData, UnicodeEncodeError):
        wrong("log", 1, "identity")
    if row.identity != json.dumps(identity.to_json()):
        wrong("log", 1, "identity")
    if identity != (expected or identity):
        wrong("log", 1, "identity", "registry.other")
    if row.registry_address != identity.address:
        wrong("log", 1, "registry_address")
    newest = connection.execute(select(CHECKPOINT).order_by(CHECKPOINT.c.size.desc()).limit(1)).first()
    if newest is None:
        raise Unavailable("log.missing")
    _check_checkpoint(identity, newest)
    for column in ("size", "root"):
        if getattr(row, column) != getattr(newest, column):
            wrong("log", 1, column)
    return identity


def _check_checkpoint(identity: RegistryIdentity, row: Row[Any]) -> None:
    """Raise unless the log key signed a row's note, and the row agrees with it."""
    try:
        head = checkpoint.open_signed(row.note, identity.verifier_key)
    except InvalidData as error:
        wrong("checkpoint", row.size, "note", error.code)
    if head.size != row.size:
        wrong("checkpoint", row.size, "size")
    if head.root != row.root:
        wrong("checkpoint", row.size, "root")


def _check_checkpoints(
    connection: Connection, identity: RegistryIdentity, audited: AuditedLog, progress: Progress | None
) -> int:
    count = 0
    for row in stream(connection, select(CHECKPOINT).order_by(CHECKPOINT.c.size)):
        _check_checkpoint(identity, row)
        audit_earlier(audited, identity.verifier_key, f"checkpoint {row.size}", row.note)
        count += 1
        if progress is not None:
            progress("checkpoints", row.size, audited.head.size)
    return count


def _check_no_other_tiles(connection: Connection, size: int) -> None:
    """Raise if there are more tiles than those of the log, all of which the audit has read."""
    expected, level = 0, 0
    while size >> TILE_HEIGHT * level:
        expected += ((size >> TILE_HEIGHT * level) + TILE_WIDTH - 1) // TILE_WIDTH
        level += 1
    actual = connection.execute(select(func.count()).select_from(TILE)).scalar()
    if actual != expected:
        raise VerificationError("fsck.tiles", expected=expected, actual=int(actual or 0))
