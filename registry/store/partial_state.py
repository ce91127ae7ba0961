"""The part of the rights state that affects some statements: what they name, what names that, and so on.

The declarations of kinds say which of them affect what they name, and under which tags (`Statement.BEARS_ON`).

The statements found are folded like a whole log, so that the registry need not fold its entire log for each new
statement. Functions take a connection inside a transaction and never commit.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, exists, func, literal, or_, select

from deedlog.registry.rules import fold
from deedlog.registry.rules.state import Fact, State
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.subjects import TAGS, Value, accounts_in, statements_in
from deedlog.registry.store import statements as store
from deedlog.registry.store.tables import ACCOUNT, ROTATION, STATEMENT, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from deedlog.registry.statements.base import Statement
    from deedlog.registry.statements.subjects import Tag
    from deedlog.registry.store.statements import Stored

_PARAMETERS = 2400
"""The most parameters of one query: SQLite accepts a few thousand."""


def state_around(connection: Connection, digests: Iterable[bytes], accounts: Iterable[bytes]) -> State:
    """Return the part of the state that affects these statements (by digest, stored or not) and these accounts.

    A statement that is accepted but not logged yet is folded with its time of acceptance.
    """
    state = State()
    named = set(accounts)
    found = _closure(connection, set(digests), named)
    for entry in [stored.parsed_entry() for stored in found.values()]:
        named.update(signature.account for signature in entry.signatures)
        named.update(accounts_in(entry.subjects))
    found |= {stored.digest: stored for stored in rotations_of(connection, named)}
    time = 0
    # By id, which is the order of the log too: writers insert one after another (`insertion.lock_statements`), and the
    # sequencer takes statements by id. A write on PostgreSQL may see a statement as not logged and, in its next query,
    # a later one as logged; by `log_index` the later one would come first, and be refused for what it names.
    for stored in sorted(found.values(), key=attrgetter("id")):
        time = max(time, stored.accepted_at) if stored.logged_at is None else stored.logged_at
        fold.apply(state, _fact(stored, time))
    return state


def state_of(connection: Connection, kept: Sequence[Stored]) -> State:
    """Return the part of the state that decides the standing of these stored statements."""
    later = [stored for stored in kept if fold.changes_later(stored.kind)]
    state = state_around(connection, [stored.digest for stored in later], ())
    for stored in kept:
        if stored.digest not in state.standings:
            # It was accepted, and nothing later changes a statement of its kind, so it counts. If the fold refused it
            # after all, it is in the closure and has its standing already.
            fold.note_counts(state, stored.digest, stored.kind)
    return state


def rotations_of(connection: Connection, accounts: Collection[bytes]) -> list[Stored]:
    """Return the rotations of these accounts, of their successors, and so on."""
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
    """Return the accounts that `account` now acts for: itself and all that it succeeded. Empty once it is rotated."""
    if connection.execute(select(ROTATION.c.account).where(ROTATION.c.account == account)).first() is not None:
        return []
    found: list[bytes] = []
    before: bytes | None = account
    while before is not None and before not in found:
        found.append(before)
        before = connection.execute(select(ROTATION.c.account).where(ROTATION.c.successor == before)).scalar()
    return found


def know(connection: Connection, state: State, account: bytes) -> None:
    """Add an account to `state.known` if it signed a stored statement or one names it as payer (`Tag.makes_known`)."""
    signed = exists().where(ACCOUNT.c.account == account)
    named = exists().where(SUBJECT.c.subject.in_([tag.of(account) for tag in TAGS.values() if tag.makes_known]))
    if connection.execute(select(or_(signed, named))).scalar():
        state.known.add(account)


def _closure(connection: Connection, digests: set[bytes], accounts: Collection[bytes]) -> dict[bytes, Stored]:
    """Return the statements of `digests` and all that affect them, the `accounts`, or each other, by digest."""
    question = _question(connection.dialect.name, tuple(KINDS.values()))
    found: dict[bytes, Stored] = {}
    wanted, asked = digests, set[bytes]()
    wanted_accounts = set(accounts) if question.of_accounts else set[bytes]()
    asked_accounts = set[bytes]()
    while wanted or wanted_accounts:
        asked |= wanted
        asked_accounts |= wanted_accounts
        rows: list[Stored] = []
        for parameters in question.parameters(wanted, wanted_accounts):
            rows += store.found(connection, question.query, parameters)
        wanted, wanted_accounts = set(), set()
        for stored in rows:
            if stored.digest not in found:
                found[stored.digest] = stored
                entry = stored.parsed_entry()
                wanted.add(stored.digest)
                wanted.update(statements_in(entry.subjects))
                if question.of_accounts:
                    wanted_accounts.update(signature.account for signature in entry.signatures)
                    wanted_accounts.update(accounts_in(entry.subjects))
        wanted -= asked
        wanted_accounts -= asked_accounts
    return found


class _Question(NamedTuple):
    """A query for statements with certain digests or that affect certain digests or accounts, and its tags."""

    query: Select[Any]
    of_statements: tuple[Tag, ...]
    of_accounts: tuple[Tag, ...]

    def parameters(self, digests: Iterable[bytes], accounts: Iterable[bytes]) -> Iterator[dict[str, list[Any]]]:
        """Yield the parameters for each run of the query. Each run stays within `_PARAMETERS`."""
        for some in _parts(digests, 1 + len(self.of_statements)):
            yield {"digests": some, "subjects": [tag.of(digest) for tag in self.of_statements for digest in some]}
        for some in _parts(accounts, len(self.of_accounts)):
            yield {"digests": [], "subjects": [tag.of(account) for tag in self.of_accounts for account in some]}


def _parts(values: Iterable[bytes], parameters: int) -> Iterator[list[bytes]]:
    """Yield the values, sorted, in parts that fit one query. Each value needs this many parameters."""
    pending = sorted(values)
    size = max(1, _PARAMETERS // max(1, parameters))
    for start in range(0, len(pending), size):
        yield pending[start : start + size]


@lru_cache(maxsize=4)  # built once: building the query takes longer than running it
def _question(dialect: str, kinds: tuple[type[Statement], ...]) -> _Question:
    """Return the query that these kinds need, for a dialect of SQL."""
    bearing = [kind for kind in kinds if kind.BEARS_ON]
    tags = {tag.name: tag for kind in bearing for tag in kind.BEARS_ON}
    naming = select(SUBJECT.c.statement_id).where(SUBJECT.c.subject.in_(bindparam("subjects", expanding=True)))
    digits = (
        func.encode(STATEMENT.c.digest, "hex") if dialect == "postgresql" else func.lower(func.hex(STATEMENT.c.digest))
    )
    bears = and_(
        STATEMENT.c.id.in_(naming),
        STATEMENT.c.kind.in_([kind.__name__ for kind in bearing]),
        *(_once_named(kind, kind.BEARS_ONCE_NAMED, digits) for kind in bearing if kind.BEARS_ONCE_NAMED is not None),
    )
    return _Question(
        store.statements().where(or_(STATEMENT.c.digest.in_(bindparam("digests", expanding=True)), bears)),
        tuple(tag for _, tag in sorted(tags.items()) if tag.value is Value.STATEMENT),
        tuple(tag for _, tag in sorted(tags.items()) if tag.value is Value.ACCOUNT),
    )


def _once_named(kind: type[Statement], tag: Tag, digits: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a statement is not of `kind`, or that another statement names it under `tag`.

    `digits` is the statement's digest in hex.
    """
    named = exists().where(SUBJECT.c.subject == literal(f"{tag.name}:0x").concat(digits))
    return or_(STATEMENT.c.kind != kind.__name__, named)


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
