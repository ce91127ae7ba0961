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

from conftest import Anvil
from registry_world import ALICE, BOB, PLATFORM_KEY, World, person, rendition, salt, upload, work
from sqlalchemy import insert, select, text

from anchor.identity import RegistryIdentity
from registry import api_keys
from registry.database import Database
from registry.service import Submitter
from registry.signatures import account_of_private_key
from registry.tables import Table

SIZE = 600
UNLOGGED = 2
ERASED = 300
"""The index of the entry whose body is erased."""

BATCHES = (10, 256, 300, 451, SIZE)
"""Sizes of the log after each batch; the last and the third are anchored."""

FEW = (5, 10, 15, 18, 20)
"""The same of a small log, for what stands beside its entries: it is derived again in no time."""

_numbers = itertools.count()

CREATORS = [person(f"creator {number}") for number in range(7)]


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
    first = world.accept(upload(), PLATFORM_KEY, submitter=platform, reference="item 1", idempotency_key="request 1")
    world.accept(rendition(first.digest), PLATFORM_KEY, submitter=platform)
    both = tuple(sorted(map(account_of_private_key, (ALICE, BOB))))
    world.accept(work(creators=both), ALICE, BOB, submitter=Submitter(), idempotency_key="of the two")
    other = work(content=b"content 3", creators=both)
    world.accept(other, BOB, ALICE, submitter=Submitter(), idempotency_key="of the two again")
    for number in range(4, size + UNLOGGED):
        key = CREATORS[number % len(CREATORS)]
        world.accept(work(key, b"content %d" % number, salt=salt(str(number))), key)
        if number + 1 in batches:
            world.now += 7
            world.sequence()
            if number + 1 in (batches[2], size) and world.anchorer is not None:
                world.anchor()
    with world.database.write() as connection:
        connection.execute(text(f"UPDATE statement_text SET body = NULL WHERE statement_id = {erased + 1}"))


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
