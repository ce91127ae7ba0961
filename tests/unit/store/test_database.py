"""The tables: their migrations give what the code declares, and they refuse what must never be, whoever writes."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from deedlog.registry.errors import Unavailable
from deedlog.registry.statements import entry as entries
from deedlog.registry.store import statements as store
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import LOG, STATEMENT, AttemptRow, CheckpointRow, Table


def test_the_migrations_give_the_tables_that_the_code_declares(database):
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_migrating_again_changes_nothing(database):
    database.migrate()
    database.check_version()


def test_a_database_of_an_earlier_form_keeps_every_entry_and_body(database_url):
    database = Database(database_url)
    database.migrate(to="0002")
    with pytest.raises(Unavailable, match=r"database\.version"):
        database.check_version()
    whole = [entries.build(entries.Entry(bytes([n]) * 32, "Work", (), ("content:0x",), 10**n)) for n in range(3)]
    waiting = entries.prefix("Upload", b"w" * 32, (), ())
    columns = "id, digest, kind, body, entry, repeat_key, accepted_at, log_index, logged_at"
    insert_row = text(f"INSERT INTO statement ({columns}) VALUES (:i, :d, 'Work', :b, :e, :d, 1, :x, :t)")
    with database.write() as connection:
        for n, entry in enumerate(whole):
            body = None if n == 1 else '{"title":"\u4f5c"}'
            connection.execute(insert_row, {"i": n + 1, "d": b"%d" % n, "b": body, "e": entry, "x": n, "t": 10**n})
        connection.execute(insert_row, {"i": 9, "d": b"w", "b": "{}", "e": waiting, "x": None, "t": None})
    database.migrate()
    database.check_version()
    with database.read() as connection:
        assert store.entries_between(connection, 0, 9) == whole
        assert store.unlogged(connection, 9) == [(9, waiting, 1)]
        kept = store.search(connection, store.Filter(), 0)
    assert [stored.message for stored in kept] == [{"title": "\u4f5c"}, None, {"title": "\u4f5c"}, {}]
    database.close()


def test_an_entry_that_was_damaged_before_a_migration_is_named_and_nothing_is_moved(database_url):
    database = Database(database_url)
    database.migrate(to="0002")
    columns = "digest, kind, body, entry, repeat_key, accepted_at, log_index, logged_at"
    with database.write() as connection:
        row = {"d": b"d", "e": entries.build(entries.Entry(b"d" * 32, "Work", (), (), 5)), "t": 6}
        connection.execute(text(f"INSERT INTO statement ({columns}) VALUES (:d, 'Work', NULL, :e, :d, 1, 7, :t)"), row)
    with pytest.raises(RuntimeError, match="index 7"):
        database.migrate()
    assert database.schema_version() == "0002"
    database.close()


def test_a_database_without_tables_is_refused(tmp_path):
    with pytest.raises(Unavailable, match=r"database\.version"):
        Database(f"sqlite:///{tmp_path / 'empty.sqlite'}").check_version()
    with pytest.raises(Unavailable, match=r"database\.unreachable"):
        Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}").check_version()


def test_every_write_is_synced_to_the_disk(database):
    sqlite = {"PRAGMA synchronous": 2, "PRAGMA journal_mode": "wal", "PRAGMA foreign_keys": 1}
    postgresql = {"SHOW fsync": "on", "SHOW synchronous_commit": "on", "SHOW full_page_writes": "on"}
    with database.read() as connection:
        for question, answer in (sqlite if connection.dialect.name == "sqlite" else postgresql).items():
            assert connection.execute(text(question)).scalar() == answer


def statement(**changes):
    values = {"digest": b"d", "kind": "Work", "repeat_key": b"r", "accepted_at": 1}
    return insert(STATEMENT).values(values | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": b"other"},
        {"repeat_key": b"other"},
        {"digest": b"2", "repeat_key": b"2", "log_index": 7},
        {"digest": b"2", "repeat_key": b"2", "logged_at": 7},
        {"digest": b"2", "repeat_key": b"2", "log_index": -1, "logged_at": 7},
        {"digest": b"2", "repeat_key": b"2", "log_index": 0, "logged_at": 7},
        {"digest": b"2", "repeat_key": b"2", "api_key_id": 99},
    ],
)
def test_a_statement_that_breaks_a_constraint_is_refused(database, changes):
    with database.write() as connection:
        connection.execute(statement(log_index=0, logged_at=1))
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(statement(**changes))


def test_there_is_one_log_one_root_for_a_size_and_one_unmined_attempt(database):
    row = {"registry_address": b"a", "identity": "{}", "size": 0, "root": b"r", "time": 0}
    checkpoint = {"size": 1, "root": b"r", "note": b"n", "signed_at": 1}
    attempt = {"chain_id": 1, "from_size": 0, "size": 1, "root": b"r", "nonce": 0, "created_at": 1}
    tries = [
        (insert(LOG).values(id=1, **row), insert(LOG).values(id=2, **row)),
        (
            insert(CheckpointRow.__table__).values(checkpoint),
            insert(CheckpointRow.__table__).values(checkpoint | {"root": b"another"}),
        ),
        (
            insert(AttemptRow.__table__).values(attempt | {"state": "sent"}),
            insert(AttemptRow.__table__).values(attempt | {"state": "prepared"}),
        ),
    ]
    for good, bad in tries:
        with database.write() as connection:
            connection.execute(good)
        with pytest.raises(IntegrityError), database.write() as connection:
            connection.execute(bad)


def test_a_block_that_raises_leaves_nothing(database):
    def fail():
        with database.write() as connection:
            connection.execute(statement())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM statement")).scalar() == 0


def test_a_reader_sees_one_state_while_others_write(database):
    with database.write() as connection:
        connection.execute(statement())
    with database.read() as reader:
        before = reader.execute(text("SELECT count(*) FROM statement")).scalar()
        with database.write() as writer:
            writer.execute(statement(digest=b"2", repeat_key=b"2"))
        assert reader.execute(text("SELECT count(*) FROM statement")).scalar() == before == 1
