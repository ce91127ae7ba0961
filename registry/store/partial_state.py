"""The part of the state of rights that bears on some statements: what they name, what names that, and so on.

What is found is folded like a whole log, so that a registry need not fold all of its own for each statement. Functions
take a connection inside a transaction and never commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, exists, func, literal, or_, select

from deedlog.registry.hexadecimal import from_hex
from deedlog.registry.rules import fold
from deedlog.registry.rules.fold import RULES, State
from deedlog.registry.rules.state import Fact
from deedlog.registry.rules.works import no_check
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.base import CONTENT, tag
from deedlog.registry.store import statements as store
from deedlog.registry.store.tables import ACCOUNT, ROTATION, STATEMENT, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from deedlog.registry.store.statements import Stored

_NAMING = ("agreement", "statement", "supersedes", "upload", "work")
"""The tags under which a statement names one that it may bear on."""

_BEARING = ("Agreement", "Cancellation", "Claim", "Countersignature", "RevenueReport", "Termination")
"""The kinds that bear on what they name. A contribution bears on nothing but itself."""

_NOT_STATEMENTS = (CONTENT, "payer", "successor")
"""Tags of what is no statement: a file, accounts."""

_AT_ONCE = 400
"""Digests asked for in one question; SQLite takes some thousand parameters."""


def state_around(connection: Connection, digests: Iterable[bytes], accounts: Iterable[bytes]) -> State:
    """Return the state as far as it bears on statements (by digest, kept or not) and accounts.

    What is accepted and not logged yet is taken as logged at the time of its acceptance.
    """
    state = State()
    found = _closure(connection, set(digests))
    named = set(accounts)
    for entry in [stored.parsed_entry() for stored in found.values()]:
        named.update(signature.account for signature in entry.signatures)
        named.update(payers_in(entry.subjects))
    found |= {stored.digest: stored for stored in rotations_of(connection, named)}
    time = 0
    for stored in sorted(found.values(), key=_in_order):
        time = max(time, stored.accepted_at) if stored.logged_at is None else stored.logged_at
        fold.apply(state, _fact(stored, time))
    return state


def state_of(connection: Connection, kept: Sequence[Stored]) -> State:
    """Return the state as far as it says what kept statements come to."""
    later = [stored for stored in kept if fold.changes_later(stored.kind)]
    state = state_around(connection, [stored.digest for stored in later], ())
    for stored in kept:
        if stored.digest not in state.standings:
            # Accepted, and nothing that comes later changes it. What was refused after all, the closure has.
            fold.note_counts(state, stored.digest, stored.kind)
    return state


def named_in(subjects: Sequence[str]) -> list[bytes]:
    """Return the digests of the statements that an entry's subjects name."""
    names = (subject.partition(":") for subject in subjects)
    return [from_hex(value, None, None) for name, _, value in names if name not in _NOT_STATEMENTS]


def payers_in(subjects: Sequence[str]) -> list[bytes]:
    """Return the account that an entry names as payer, if it does: its rotations bear on it, and it need not sign."""
    return [
        from_hex(subject.removeprefix("payer:"), None, None) for subject in subjects if subject.startswith("payer:")
    ]


def rotations_of(connection: Connection, accounts: Collection[bytes]) -> list[Stored]:
    """Return the rotations by which accounts were succeeded, and their successors, and so on."""
    found: dict[int, Stored] = {}
    asked: set[bytes] = set()
    wanted = set(accounts)
    while wanted:
        asked |= wanted
        rows = connection.execute(select(ROTATION).where(ROTATION.c.account.in_(wanted))).all()
        for stored in store.by_ids(connection, [row.statement_id for row in rows]):
            found[stored.id] = stored
        wanted = {row.successor for row in rows} - asked
    return list(found.values())


def spoken_for(connection: Connection, account: bytes) -> list[bytes]:
    """Return the accounts for which one speaks now: itself and those it succeeded; none once it is succeeded itself."""
    if connection.execute(select(ROTATION.c.account).where(ROTATION.c.account == account)).first() is not None:
        return []
    found: list[bytes] = []
    before: bytes | None = account
    while before is not None and before not in found:
        found.append(before)
        before = connection.execute(select(ROTATION.c.account).where(ROTATION.c.successor == before)).scalar()
    return found


def know(connection: Connection, state: State, account: bytes) -> None:
    """Let the state know whether an account is somebody: has signed a statement that is kept, or is to pay by one."""
    signed = exists().where(ACCOUNT.c.account == account)
    pays = exists().where(SUBJECT.c.subject == tag("payer", account))
    if connection.execute(select(or_(signed, pays))).scalar():
        state.known.add(account)


def _closure(connection: Connection, wanted: set[bytes]) -> dict[bytes, Stored]:
    """Return the statements that bear on those of `wanted`, and on each other, by digest."""
    found: dict[bytes, Stored] = {}
    asked: set[bytes] = set()
    query = _BEARS_ON[connection.dialect.name]
    while wanted:
        asked |= wanted
        rows: list[Stored] = []
        pending = sorted(wanted)
        for start in range(0, len(pending), _AT_ONCE):
            digests = pending[start : start + _AT_ONCE]
            subjects = [tag(name, digest) for name in _NAMING for digest in digests]
            rows += store.found(connection, query, {"digests": digests, "subjects": subjects})
        wanted = set()
        for stored in rows:
            if stored.digest not in found:
                found[stored.digest] = stored
                wanted.add(stored.digest)
                wanted.update(named_in(stored.parsed_entry().subjects))
        wanted -= asked
    return found


def _bears_on(digits: ColumnElement[str]) -> Select[Any]:
    """Return the question for statements of some digests, and those that name one and bear on it.

    `digits` is a statement's digest in hex, as a dialect writes it.
    """
    naming = select(SUBJECT.c.statement_id).where(SUBJECT.c.subject.in_(bindparam("subjects", expanding=True)))
    # Anybody may claim: only what the platform confirmed bears on the upload.
    confirmed = exists().where(SUBJECT.c.subject == literal("statement:0x").concat(digits))
    bearing = and_(
        STATEMENT.c.id.in_(naming),
        STATEMENT.c.kind.in_(_BEARING),
        or_(STATEMENT.c.kind != "Claim", confirmed),
    )
    return store.statements().where(or_(STATEMENT.c.digest.in_(bindparam("digests", expanding=True)), bearing))


# Made once: making a question takes longer than asking it.
_BEARS_ON = {
    "sqlite": _bears_on(func.lower(func.hex(STATEMENT.c.digest))),
    "postgresql": _bears_on(func.encode(STATEMENT.c.digest, "hex")),
}


def _in_order(stored: Stored) -> tuple[bool, int, int]:
    return (stored.log_index is None, stored.log_index or 0, stored.id)


def _fact(stored: Stored, time: int) -> Fact:
    message = stored.message
    entry = stored.parsed_entry()
    return Fact(
        digest=stored.digest,
        kind=stored.kind,
        accounts=tuple(signature.account for signature in entry.signatures),
        subjects=entry.subjects,
        time=time,
        statement=None if message is None else KINDS[stored.kind].from_message(message),
    )


def has_rule(kind: str) -> bool:
    """Return whether accepting a statement of a kind needs to know more than the statement."""
    return RULES[kind].check is not no_check
