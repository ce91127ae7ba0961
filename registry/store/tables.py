"""The tables, with the constraints that must hold for every writer. What statements mean is in `registry.rules`.

Hashes, accounts and notes are bytes; times are Unix seconds unless the table says otherwise.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, MetaData, Text, text
from sqlalchemy import Table as SqlTable
from sqlmodel import Field, SQLModel

SCHEMA_VERSION = "0006"
"""The last migration in `migrations/versions`. A database must have had it before this release uses it."""

# SQLite auto-increments only INTEGER PRIMARY KEY; on PostgreSQL ids need more than 32 bits.
_ID = BigInteger().with_variant(Integer, "sqlite")


class Table(SQLModel):
    """The base of all tables. It names their constraints, so that migrations can refer to them."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ApiKeyRow(Table, table=True):
    """A platform's API key. Only the SHA-256 of its secret is stored."""

    __tablename__ = "api_key"

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    name: str = Field(sa_type=Text)
    secret_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    scopes: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)


class StatementRow(Table, table=True):
    """One accepted statement, without its text. The row is short because it is rewritten when the entry is logged."""

    __tablename__ = "statement"
    __table_args__ = (
        CheckConstraint("(log_index IS NULL) = (logged_at IS NULL)", name="logged_with_time"),
        CheckConstraint("log_index >= 0", name="log_index_not_negative"),
        Index(
            "ix_statement_unlogged",
            "id",
            sqlite_where=text("log_index IS NULL"),
            postgresql_where=text("log_index IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    digest: bytes = Field(sa_type=LargeBinary, unique=True)
    kind: str = Field(sa_type=Text)
    repeat_key: bytes = Field(sa_type=LargeBinary, unique=True)
    accepted_at: int = Field(sa_type=BigInteger)
    api_key_id: int | None = Field(default=None, sa_type=_ID, foreign_key="api_key.id")
    public_from: int | None = Field(default=None, sa_type=BigInteger)
    log_index: int | None = Field(default=None, sa_type=BigInteger, unique=True)
    logged_at: int | None = Field(default=None, sa_type=BigInteger)


class StatementTextRow(Table, table=True):
    """A statement's text: `body` is its members as JSON (can be erased), `prefix` its entry's bytes up to the time."""

    __tablename__ = "statement_text"

    statement_id: int = Field(primary_key=True, sa_type=_ID, foreign_key="statement.id")
    body: str | None = Field(default=None, sa_type=Text)
    prefix: bytes = Field(sa_type=LargeBinary)


class StatementAccountRow(Table, table=True):
    """An account that signed a statement."""

    __tablename__ = "statement_account"

    account: bytes = Field(primary_key=True, sa_type=LargeBinary)
    statement_id: int = Field(primary_key=True, sa_type=_ID, foreign_key="statement.id")


class StatementSubjectRow(Table, table=True):
    """What a statement is about, tagged as in its entry (`content:0x…`)."""

    __tablename__ = "statement_subject"

    subject: str = Field(primary_key=True, sa_type=Text)
    statement_id: int = Field(primary_key=True, sa_type=_ID, foreign_key="statement.id")


class RotationRow(Table, table=True):
    """A rotated account, its successor, and the statement that did it. Looked up for each signer of each statement."""

    __tablename__ = "rotation"

    account: bytes = Field(primary_key=True, sa_type=LargeBinary)
    successor: bytes = Field(sa_type=LargeBinary, unique=True)
    statement_id: int = Field(sa_type=_ID, foreign_key="statement.id", unique=True)


class IdempotencyKeyRow(Table, table=True):
    """A name under which a client may safely send a statement again: an `Idempotency-Key` or a `reference`."""

    __tablename__ = "idempotency_key"

    owner: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    statement_id: int = Field(sa_type=_ID, foreign_key="statement.id", index=True)


class DraftRow(Table, table=True):
    """A statement that not everybody has signed yet. Only its parties may read it. Deleted once it is complete."""

    __tablename__ = "draft"

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    digest: bytes = Field(sa_type=LargeBinary, unique=True)
    kind: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    proposed_at: int = Field(sa_type=BigInteger)
    api_key_id: int | None = Field(default=None, sa_type=_ID, foreign_key="api_key.id")
    public_from: int | None = Field(default=None, sa_type=BigInteger)
    cancelled_by: bytes | None = Field(default=None, sa_type=LargeBinary)


class DraftPartyRow(Table, table=True):
    """An account that must sign a draft, with its signature or the time at which it declined."""

    __tablename__ = "draft_party"
    __table_args__ = (CheckConstraint("(signature IS NULL) = (signed_at IS NULL)", name="signed_with_time"),)

    account: bytes = Field(primary_key=True, sa_type=LargeBinary)
    draft_id: int = Field(primary_key=True, sa_type=_ID, foreign_key="draft.id", index=True)
    signature: bytes | None = Field(default=None, sa_type=LargeBinary)
    signed_at: int | None = Field(default=None, sa_type=BigInteger)
    declined_at: int | None = Field(default=None, sa_type=BigInteger)


class DraftSubjectRow(Table, table=True):
    """What a draft is about, tagged as it will be in its entry."""

    __tablename__ = "draft_subject"

    subject: str = Field(primary_key=True, sa_type=Text)
    draft_id: int = Field(primary_key=True, sa_type=_ID, foreign_key="draft.id")


class EventRow(Table, table=True):
    """An event: something that happened to one statement, or to all entries from index `first` to `end` - 1."""

    __tablename__ = "event"
    __table_args__ = (CheckConstraint("(digest IS NULL) <> (first IS NULL)", name="one_or_a_range"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    name: str = Field(sa_type=Text)
    at: int = Field(sa_type=BigInteger)
    digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    account: bytes | None = Field(default=None, sa_type=LargeBinary)
    chain_id: int | None = Field(default=None, sa_type=BigInteger)
    first: int | None = Field(default=None, sa_type=BigInteger)
    end: int | None = Field(default=None, sa_type=BigInteger)


class LogRow(Table, table=True):
    """The log's single row: its state, which the sequencer locks, compares and swaps."""

    __tablename__ = "log"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"), CheckConstraint("size >= 0", name="size_not_negative"))

    id: int = Field(default=1, primary_key=True, sa_type=Integer)
    registry_address: bytes = Field(sa_type=LargeBinary)
    identity: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    time: int = Field(sa_type=BigInteger)


class TileRow(Table, table=True):
    """A tile of up to 256 hashes (C2SP tlog-tiles). Hashes are only appended."""

    __tablename__ = "tile"

    level: int = Field(primary_key=True, sa_type=Integer)
    tile_index: int = Field(primary_key=True, sa_type=BigInteger)
    hashes: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(Table, table=True):
    """A checkpoint that was signed. There is one root for each size."""

    __tablename__ = "checkpoint"

    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    note: bytes = Field(sa_type=LargeBinary)
    signed_at: int = Field(sa_type=BigInteger)


class AttemptRow(Table, table=True):
    """An attempt to anchor a head on a chain: one nonce, one or more transactions."""

    __tablename__ = "attempt"
    __table_args__ = (
        CheckConstraint(
            "state IN ('prepared', 'sent', 'mined', 'final', 'reverted', 'superseded', 'nonce_taken', 'abandoned')",
            name="state_known",
        ),
        Index(
            "uq_attempt_one_unmined",
            "chain_id",
            unique=True,
            sqlite_where=text("state IN ('prepared', 'sent')"),
            postgresql_where=text("state IN ('prepared', 'sent')"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    chain_id: int = Field(sa_type=BigInteger)
    from_size: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    nonce: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class TransactionRow(Table, table=True):
    """A transaction of an attempt, stored signed before it is sent."""

    __tablename__ = "anchor_transaction"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    attempt_id: int = Field(sa_type=_ID, foreign_key="attempt.id", index=True)
    raw: bytes = Field(sa_type=LargeBinary)
    max_fee: str = Field(sa_type=Text)
    priority_fee: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    sent_at: int | None = Field(default=None, sa_type=BigInteger)


class AnchorRow(Table, table=True):
    """A head that the contract on a chain accepted, and the proof of its storage slot in one block."""

    __tablename__ = "anchor"

    chain_id: int = Field(primary_key=True, sa_type=BigInteger)
    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    previous_size: int = Field(sa_type=BigInteger)
    time: int = Field(sa_type=BigInteger)
    block_number: int = Field(sa_type=BigInteger)
    header: bytes = Field(sa_type=LargeBinary)
    block_hash: bytes = Field(sa_type=LargeBinary)
    proof_number: int = Field(sa_type=BigInteger)
    account_proof: bytes = Field(sa_type=LargeBinary)
    storage_proof: bytes = Field(sa_type=LargeBinary)
    final: bool = Field(default=False)


class LeaseRow(Table, table=True):
    """The holder of a role (`sequencer`, `anchorer`). Times are milliseconds of the database's clock.

    `term` grows each time the role is taken; a write under an older term is refused.
    """

    __tablename__ = "lease"

    role: str = Field(primary_key=True, sa_type=Text)
    holder: str = Field(sa_type=Text)
    term: int = Field(sa_type=BigInteger)
    renewed_at: int = Field(sa_type=BigInteger)


class AlarmRow(Table, table=True):
    """A problem that a person must look at now: a code of the catalogue, its parameters (JSON), and since when."""

    __tablename__ = "alarm"

    role: str = Field(primary_key=True, sa_type=Text)
    code: str = Field(primary_key=True, sa_type=Text)
    params: str = Field(sa_type=Text)
    since: int = Field(sa_type=BigInteger)


class ChainStatusRow(Table, table=True):
    """The anchorer's last observation of a chain. `balance` is the operator's, in wei, as a decimal string."""

    __tablename__ = "chain_status"

    chain_id: int = Field(primary_key=True, sa_type=BigInteger)
    block_number: int = Field(sa_type=BigInteger)
    contract_size: int = Field(sa_type=BigInteger)
    balance: str = Field(sa_type=Text)
    seen_at: int = Field(sa_type=BigInteger)


class NonceRow(Table, table=True):
    """A nonce that was given out for signing in. Removed when it is used, or some time after it expires."""

    __tablename__ = "sign_in_nonce"

    nonce: str = Field(primary_key=True, sa_type=Text)
    expires_at: int = Field(sa_type=BigInteger, index=True)


class SessionRow(Table, table=True):
    """A session of an account that signed in. Only the SHA-256 of its token is stored."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("length(token_hash) = 32", name="token_hash_size"),
        CheckConstraint("length(account) = 20", name="account_size"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    account: bytes = Field(sa_type=LargeBinary)
    expires_at: int = Field(sa_type=BigInteger, index=True)


def _table(row: type[SQLModel]) -> SqlTable:
    found: SqlTable = row.__table__  # type: ignore[attr-defined] # SQLModel sets it without declaring it
    return found


API_KEY = _table(ApiKeyRow)
STATEMENT = _table(StatementRow)
TEXT = _table(StatementTextRow)
ACCOUNT = _table(StatementAccountRow)
SUBJECT = _table(StatementSubjectRow)
ROTATION = _table(RotationRow)
IDEMPOTENCY_KEY = _table(IdempotencyKeyRow)
DRAFT = _table(DraftRow)
DRAFT_PARTY = _table(DraftPartyRow)
DRAFT_SUBJECT = _table(DraftSubjectRow)
EVENT = _table(EventRow)
LOG = _table(LogRow)
TILE = _table(TileRow)
CHECKPOINT = _table(CheckpointRow)
ATTEMPT = _table(AttemptRow)
TRANSACTION = _table(TransactionRow)
ANCHOR = _table(AnchorRow)
LEASE = _table(LeaseRow)
ALARM = _table(AlarmRow)
CHAIN_STATUS = _table(ChainStatusRow)
NONCE = _table(NonceRow)
SESSION = _table(SessionRow)
