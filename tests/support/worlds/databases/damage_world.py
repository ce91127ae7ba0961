"""A log of two full tiles and a part, anchored twice, with everything beside it that a database can hold; or a few.

Built once; each test damages a copy of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select, text
from support.worlds.chains.anvil import Anvil
from support.worlds.registries.registry_world import (
    ALICE,
    BOB,
    NOW,
    PLATFORM_KEY,
    World,
    person,
    rendition,
    salt,
    upload,
    work,
)

from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.registry.acceptance import drafts
from deedlog.registry.acceptance.accept import Submitter
from deedlog.registry.acceptance.submission import check_sent
from deedlog.registry.statements import Agreement, Cancellation, Rotation, Share, Termination
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.statements.vocabulary import NONE
from deedlog.registry.store import api_keys
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import Table

SIZE = 600
UNLOGGED = 2
RIGHTS = 6
"""How many of them are about shares: `fill_rights`."""

DRAFTS = 4
TWICE = 6
"""How many entries two have signed."""
ERASED = 300
"""The index of the entry whose body is erased."""

NAMES = {"reference": "item 1", "idempotency_key": "request 1", "public_from": NOW + 10}
"""What goes with the first statement."""

BATCHES = (10, 256, 300, 451, SIZE)
"""Sizes of the log after each batch; the last and the third are anchored."""

FEW = (5, 8, 10, 12, 20)
"""The same of a small log, for what stands beside its entries: it is derived again in no time."""

_numbers = itertools.count()

CREATORS = [person(f"creator {number}") for number in range(7)]
WRITER, CAMERA, NEWCOMER, SUCCESSOR = map(person, ("writer", "camera", "newcomer", "successor"))


@dataclass
class Damaged:
    """A copy of the database, to be damaged by whoever has its file."""

    world: World
    path: Path
    chain: Anvil

    @property
    def identity(self) -> RegistryIdentity:
        return self.world.identity

    def copy(self, folder: Path) -> Damaged:
        """Return a copy under a new name in that folder."""
        path = folder / f"{next(_numbers)}.sqlite"
        shutil.copy(self.path, path)
        return Damaged(self.world, path, self.chain)

    def database(self) -> Database:
        return Database(f"sqlite:///{self.path}")

    def run(self, statement: str, *values):
        """Run a statement past every check and foreign key; a unique index still refuses."""
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            return connection.execute(statement, values).fetchall()

    def flip(self, table: str, column: str, row: int, bit: int) -> bool:
        """Change one bit of a column in a row; return False where there is nothing to change, or an index refuses."""
        (value,) = self.run(f"SELECT {column} FROM {table} WHERE rowid = ?", row)[0]
        if value is None:
            return False
        changed, cast = flipped(value, bit), "CAST(? AS TEXT)" if isinstance(value, str) else "?"
        try:
            self.run(f"UPDATE {table} SET {column} = {cast} WHERE rowid = ?", changed, row)
        except sqlite3.IntegrityError:
            return False
        return True


def fill(world: World, batches: tuple[int, ...] = BATCHES, erased: int = ERASED) -> None:
    """Log statements in batches up to these sizes, erase one entry's body, and leave `UNLOGGED` statements."""
    size = batches[-1]
    with world.database.write() as connection:
        key_id = api_keys.add(connection, "a platform", b"s" * 32, ["upload", "batch"], world.now)
    platform = Submitter(key_id, frozenset({"upload"}))
    first = world.accept(upload(), PLATFORM_KEY, submitter=platform, **NAMES)
    world.accept(rendition(first.digest), PLATFORM_KEY, submitter=platform)
    both = tuple(sorted(map(account_of_private_key, (ALICE, BOB))))
    world.accept(work(creators=both), ALICE, BOB, submitter=Submitter(), idempotency_key="of the two")
    other = work(content=b"content 3", creators=both)
    world.accept(other, BOB, ALICE, submitter=Submitter(), idempotency_key="of the two again")
    count = 4
    while count < size + UNLOGGED:
        if count == batches[3]:
            fill_rights(world, platform)
            count += RIGHTS
        key = CREATORS[count % len(CREATORS)]
        world.accept(work(key, b"content %d" % count, salt=salt(str(count))), key)
        count += 1
        if count in batches:
            world.now += 7
            world.sequence()
            if count in (batches[2], size) and world.anchorer is not None:
                world.anchor()
    with world.database.write() as connection:
        connection.execute(text(f"UPDATE statement_text SET body = NULL WHERE statement_id = {erased + 1}"))


def fill_rights(world: World, platform: Submitter) -> None:
    """Accept `RIGHTS` statements of people who share a work, and leave `DRAFTS`: cancelled, stale, declined, a work."""
    now = world.now
    film = world.accept(work(WRITER, b"a film"), WRITER)
    first = shares((film.digest,), WRITER, CAMERA)
    sign_draft(world, first, WRITER)
    sign_draft(world, first, CAMERA)
    second = shares((film.digest,), WRITER, CAMERA, supersedes=first.digest(world.separator), effectiveFrom=now)
    world.accept(second, WRITER, CAMERA)
    in_force = second.digest(world.separator)
    third = shares((film.digest,), WRITER, CAMERA, supersedes=in_force, effectiveFrom=now + 5)
    sign_draft(world, third, WRITER, submitter=platform)
    world.now += 1
    world.accept(Cancellation(third.digest(world.separator), "no more", now, salt("cancellation")), CAMERA)
    camera, successor = map(account_of_private_key, (CAMERA, SUCCESSOR))
    world.accept(Rotation(camera, successor, now, salt("rotation")), CAMERA, SUCCESSOR)
    sign_draft(world, Termination(in_force, "the end", now + 6, salt("stale")), WRITER)
    fourth = shares((film.digest,), WRITER, SUCCESSOR, NEWCOMER, supersedes=in_force, effectiveFrom=now + 5)
    sign_draft(world, fourth, SUCCESSOR)
    world.now += 1
    sign_draft(world, fourth, WRITER)
    with world.database.write() as connection:
        drafts.decline(connection, fourth.digest(world.separator), account_of_private_key(NEWCOMER), world.now)
    world.accept(Termination(in_force, "the end", now + 9, salt("termination")), WRITER, SUCCESSOR)
    together = tuple(sorted(map(account_of_private_key, (WRITER, NEWCOMER))))
    sign_draft(world, work(content=b"of two", creators=together), WRITER, submitter=platform, public_from=now + 10)


def shares(works: tuple[bytes, ...], *keys: bytes, **changes) -> Agreement:
    """Return an agreement of people who share alike, but for what is left, which is the first one's."""
    parties = tuple(sorted(map(account_of_private_key, keys)))
    each, left = divmod(WHOLE, len(parties))
    lines = tuple(
        Share(party, "camera", each + (0 if at else left), salt(f"line {at}")) for at, party in enumerate(parties)
    )
    values = {
        "works": works,
        "parties": parties,
        "leaving": (),
        "shares": lines,
        "termsHash": NONE,
        "payer": account_of_private_key(PLATFORM_KEY),
        "acceptBy": NOW + 10**6,
        "effectiveFrom": NOW - 1000,
        "effectiveUntil": 0,
        "supersedes": NONE,
        "salt": salt("agreement"),
    }
    return Agreement(**(values | changes))


def sign_draft(world: World, statement, *keys: bytes, submitter=None, **more) -> None:
    """Sign a statement that others have to sign too."""
    submitter = submitter or Submitter()
    sent = check_sent(world.submission(statement, *keys, **more), world.identity.address, submitter, world.now)
    with world.database.write() as connection:
        drafts.sign(connection, drafts.Signing(sent, submitter, world.now))


def copy_rows(source: Database, target: Database) -> None:
    """Copy all rows of one database into another, of any dialect, which has its tables and none of its rows."""
    with source.read() as reading, target.write() as writing:
        for table in Table.metadata.sorted_tables:
            rows = [dict(row) for row in reading.execute(select(table)).mappings()]
            if rows:
                writing.execute(insert(table), rows)


def flipped(value, bit: int):
    """Return a value of a column with one bit changed; of a text, its bytes."""
    if isinstance(value, int):
        return value ^ (1 << bit % 40)
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(data)
