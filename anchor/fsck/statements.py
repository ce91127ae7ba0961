"""`fsck` of statements: checks every column that follows from the entry or the body, and the rows that index them.

Unlogged statements are checked too. Their entries lack only the time, so their signatures can be checked here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select

from deedlog.anchor.fsck.rows import Children, check_body, check_public_from, stream, wrong
from deedlog.registry.acceptance.submission import MAXIMUM_REFERENCE
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.base import repeat_key
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import check, check_complete
from deedlog.registry.store.tables import ACCOUNT, API_KEY, IDEMPOTENCY_KEY, STATEMENT, SUBJECT, TEXT

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from deedlog.anchor.audit.audit import Progress
    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.registry.statements.entry import Entry


def check_statements(
    connection: Connection, identity: RegistryIdentity, size: int, progress: Progress | None
) -> tuple[int, int, int]:
    """Check all rows of the table statement and of its child tables, for a log of `size` entries.

    Returns (statements, unlogged ones, erased ones). Raises `VerificationError` (`fsck.row`).
    """
    separator = domain_separator(identity.address)
    accounts = Children(
        stream(connection, select(ACCOUNT.c.statement_id, ACCOUNT.c.account).order_by(ACCOUNT.c.statement_id)),
        "statement_account",
        "statement_id",
    )
    subjects = Children(
        stream(connection, select(SUBJECT.c.statement_id, SUBJECT.c.subject).order_by(SUBJECT.c.statement_id)),
        "statement_subject",
        "statement_id",
    )
    count = logged = erased = 0
    query = (
        select(STATEMENT, TEXT.c.body, TEXT.c.prefix, API_KEY.c.id.label("found_api_key"))
        .outerjoin(TEXT, TEXT.c.statement_id == STATEMENT.c.id)
        .outerjoin(API_KEY, API_KEY.c.id == STATEMENT.c.api_key_id)
        .order_by(STATEMENT.c.id)
    )
    for row in stream(connection, query):
        if not isinstance(row.prefix, bytes):
            wrong("statement_text", to_hex(row.digest), "prefix", "missing" if row.prefix is None else "differs")
        entry = _check_entry(row, size)
        if row.body is None:
            erased += 1
        else:
            _check_body(row, entry, separator)
        _check_beside(row)
        if sorted(accounts.of(row.id)) != [signature.account for signature in entry.signatures]:
            wrong("statement_account", to_hex(row.digest), "account")
        if sorted(subjects.of(row.id)) != list(entry.subjects):
            wrong("statement_subject", to_hex(row.digest), "subject")
        count += 1
        if row.log_index is not None:
            logged += 1
            if progress is not None:
                progress("statements", logged, size)
    accounts.end()
    subjects.end()
    _check_texts_of_none(connection)
    if logged != size:  # the audit has read each index below `size` once
        wrong("statement", logged, "log_index")
    return count, count - logged, erased


def check_idempotency_keys(connection: Connection) -> int:
    """Check all rows of the table idempotency_key; return how many there are. Raises `VerificationError`."""
    query = (
        select(
            IDEMPOTENCY_KEY, STATEMENT.c.id.label("found"), STATEMENT.c.repeat_key, STATEMENT.c.logged_at, TEXT.c.prefix
        )
        .outerjoin(STATEMENT, STATEMENT.c.id == IDEMPOTENCY_KEY.c.statement_id)
        .outerjoin(TEXT, TEXT.c.statement_id == STATEMENT.c.id)
        .order_by(IDEMPOTENCY_KEY.c.owner, IDEMPOTENCY_KEY.c.name)
    )
    keys = {f"api_key:{row.id}" for row in stream(connection, select(API_KEY.c.id))}
    count = 0
    for row in stream(connection, query):
        key = f"{row.owner} {row.name}"
        if row.found is None:
            wrong("idempotency_key", key, "statement_id", "missing")
        if row.owner not in keys and row.owner != _owner(_opened(row)):
            wrong("idempotency_key", key, "owner")
        form, _, name = row.name.partition(":")
        if form not in ("reference", "idempotency") or not 0 < len(name) <= MAXIMUM_REFERENCE:
            wrong("idempotency_key", key, "name")
        # The request under an idempotency key may have been a repeat, whose digest is not stored. Then only the
        # fingerprint's length can be checked.
        if (form == "reference" and row.fingerprint != row.repeat_key) or len(row.fingerprint) != len(row.repeat_key):
            wrong("idempotency_key", key, "fingerprint")
        count += 1
    return count


def _check_texts_of_none(connection: Connection) -> None:
    # NOT EXISTS, because PostgreSQL evaluates NOT IN row by row once the list outgrows the memory for one step.
    of_none = select(TEXT.c.statement_id).where(~exists().where(STATEMENT.c.id == TEXT.c.statement_id)).limit(1)
    for row in connection.execute(of_none):
        wrong("statement_text", row.statement_id, "statement_id", "missing")


def _opened(row: Row[Any]) -> Entry:
    return entries.parse(entries.complete(row.prefix, row.logged_at or 0))


def _check_entry(row: Row[Any], size: int) -> Entry:
    """Return a row's entry, after comparing it with the row's columns."""
    key = to_hex(row.digest)
    try:
        entry = _opened(row)
    except InvalidData as error:
        wrong("statement_text", key, "prefix", error.code)
    if row.log_index is None:
        # The audit checks the signatures of logged entries.
        try:
            for signature in entry.signatures:
                check(signature, entry.digest)
        except VerificationError as error:
            wrong("statement_text", key, "prefix", error.code)
    elif row.log_index >= size:
        wrong("statement", key, "log_index")
    if not entry.signatures:
        wrong("statement_text", key, "prefix", "signature.none")
    signers = [signature.account for signature in entry.signatures]
    expected = {
        "digest": entry.digest,
        "kind": entry.kind,
        "repeat_key": repeat_key(entry.kind, entry.digest, entry.subjects, signers),
    }
    for column, value in expected.items():
        if getattr(row, column) != value:
            wrong("statement", key, column)
    return entry


def _check_beside(row: Row[Any]) -> None:
    """Raise unless the columns that are neither in the entry nor in the body have possible values."""
    check_public_from("statement", to_hex(row.digest), row.public_from)
    if row.api_key_id != row.found_api_key:
        wrong("statement", to_hex(row.digest), "api_key_id", "missing")


def _check_body(row: Row[Any], entry: Entry, separator: bytes) -> None:
    """Raise unless the body is in canonical form and has this digest and the entry's kind, subjects and signers."""
    key = to_hex(row.digest)
    statement = check_body("statement_text", key, row.kind, row.body, row.digest, separator)
    signers = statement.signers()
    if signers is not None:
        try:
            check_complete(entry.signatures, signers)
        except InvalidData as error:
            wrong("statement_text", key, "body", error.code)
    if tuple(sorted(statement.subjects())) != entry.subjects:
        wrong("statement_text", key, "body")


def _owner(entry: Entry) -> str:
    joined = b"".join(signature.account for signature in entry.signatures)
    return "accounts:" + hashlib.sha256(joined).hexdigest()
