"""The feed: every event once, in an order in which none appears behind a reader; ranges told entry by entry."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
from sqlalchemy import select, text
from support.worlds.databases.damage_world import CAMERA, WRITER, shares
from support.worlds.registries.registry_world import NOW, open_world, salt, work
from support.worlds.session.waiting import PATIENCE, until

from deedlog.registry.acceptance.accept import Submitter, WriteRequest, accept, accept_checked
from deedlog.registry.acceptance.submission import check_submission
from deedlog.registry.store import api_keys, events
from deedlog.registry.store import statements as store
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import EVENT

ONE, OTHER = b"\x01" * 32, b"\x02" * 32


def read_on(database, cursor=(0, 0), limit=events.PAGE):
    """Return all that comes after a cursor, page by page."""
    found = []
    while True:
        with database.read() as connection:
            page = events.after(connection, cursor, limit)
        assert len(page) <= limit
        if not page:
            return found
        found += page
        cursor = page[-1].cursor


@pytest.fixture
def told(database):
    """A feed of two ranges that meet in the middle of a page, between and around events of their own."""
    world = open_world(database)
    for count in (150, 80):
        with database.write() as connection:
            events.record(connection, "proposed", NOW, ONE, b"\x01" * 20)
        sent = [world.submission(work(WRITER, b"%d %d" % (count, n)), WRITER) for n in range(count)]
        accept(database, world.identity.address, sent, Submitter(), NOW)
        world.sequence()
    with database.write() as connection:
        events.record_range(connection, "anchored", NOW, 0, 230, 7)
        events.record(connection, "cancelled", NOW, OTHER)
    return database


def test_a_range_is_told_entry_by_entry_across_pages(told):
    found = read_on(told)
    with told.read() as connection:
        digests = [
            stored.digest for after in (0, 100, 200) for stored in store.search(connection, store.Filter(), after)
        ]
    assert len(digests) == 230
    names = ["proposed"] + ["logged"] * 150 + ["proposed"] + ["logged"] * 80 + ["anchored"] * 230 + ["cancelled"]
    assert [event.name for event in found] == names
    assert [event.digest for event in found] == [ONE, *digests[:150], ONE, *digests[150:], *digests, OTHER]
    assert {(event.kind, event.chain_id) for event in found if event.name == "anchored"} == {("Work", 7)}
    assert len({event.cursor for event in found}) == len(found)
    assert read_on(told, limit=7) == found


def test_a_reader_goes_on_from_any_cursor(told):
    found = read_on(told)
    with told.read() as connection:
        for position in range(0, len(found), 9):
            assert events.after(connection, found[position].cursor, 12) == found[position + 1 : position + 13]
        assert events.after(connection, found[-1].cursor) == []


def test_a_cursor_that_no_reader_was_given_is_no_error(told):
    found = read_on(told)
    with told.read() as connection:
        for beyond in (150, 151, 10**17):
            assert events.after(connection, (2, beyond))[0] == found[151]  # after the first range
        assert events.after(connection, (10**17, 10**17)) == []
        assert events.after(connection, (5, 10**17)) == [found[-1]]


def test_an_event_is_durable_with_its_fact_or_not_at_all(database):
    with contextlib.suppress(RuntimeError), database.write() as connection:
        events.record(connection, "cancelled", NOW, ONE)
        events.record_range(connection, "logged", NOW, 0, 1)
        raise RuntimeError
    world = open_world(database)
    film = world.accept(work(WRITER), WRITER)
    assert read_on(database) == []
    refused = world.accept(shares((ONE,), WRITER, CAMERA), WRITER, CAMERA)
    assert refused.code == "work.unknown"
    assert read_on(database) == []
    agreed = world.accept(shares((film.digest,), WRITER, CAMERA), WRITER, CAMERA)
    assert [(event.name, event.digest, event.kind) for event in read_on(database)] == [
        ("in_force", agreed.digest, "Agreement")
    ]


def test_who_tells_later_waits_so_that_no_reader_passes_an_event_over(database):
    def tell():
        with database.write() as connection:
            events.record(connection, "cancelled", NOW, OTHER)

    later = threading.Thread(target=tell)
    with database.write() as connection:
        events.record(connection, "cancelled", NOW, ONE)
        later.start()
        later.join(0.4)
        assert later.is_alive()
        assert read_on(database) == []
    later.join(PATIENCE)
    assert [event.digest for event in read_on(database)] == [ONE, OTHER]


def test_a_reader_beside_two_writers_sees_every_event_in_order(database):
    each = 25

    def write(number):
        for n in range(each):
            with database.write() as connection:
                events.record(connection, "cancelled", number, bytes([n]) * 32)
                time.sleep(0.002 * (n % 3))

    writers = [threading.Thread(target=write, args=(number,)) for number in (0, 1)]
    for writer in writers:
        writer.start()
    seen = []
    while any(writer.is_alive() for writer in writers):
        seen += read_on(database, seen[-1].cursor if seen else (0, 0), 3)
    for writer in writers:
        writer.join()
    seen += read_on(database, seen[-1].cursor if seen else (0, 0))
    with database.read() as connection:
        rows = connection.execute(select(EVENT.c.at, EVENT.c.digest).order_by(EVENT.c.id)).all()
    assert [(event.at, event.digest) for event in seen] == [(row.at, row.digest) for row in rows]
    for number in (0, 1):
        assert [event.digest[0] for event in seen if event.at == number] == list(range(each))


def waits_for_a_lock(database):
    with database.read() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return connection.execute(text(query)).scalar()


def test_a_writer_that_waits_for_the_sequencer_keeps_it_from_nothing(postgres):
    """It named a statement again that was just being logged, after it had told of another: a deadlock."""
    database = Database(postgres.new_database())
    world = open_world(database)
    film = world.accept(work(WRITER), WRITER)
    with database.write() as connection:
        platform = Submitter(api_keys.add(connection, "a platform", b"s" * 32, [], NOW))

    def checked(statement, *keys, **names):
        sent = world.submission(statement, *keys, **names)
        return check_submission(sent, world.identity.address, platform, NOW)

    again = checked(work(WRITER), WRITER, idempotency_key="again")
    agreed = checked(shares((film.digest,), WRITER, CAMERA, salt=salt("of many")), WRITER, CAMERA)
    answers = []
    writer = threading.Thread(
        target=lambda: answers.extend(accept_checked(database, [WriteRequest([agreed, again], platform, NOW)]))
    )
    with database.write() as connection:
        store.mark_logged(connection, [(0, NOW, 1)])
        writer.start()
        until(lambda: waits_for_a_lock(database), "the writer waits")
        writer.join(1.3)  # PostgreSQL looks for a deadlock once, after a second: the next to wait would be the victim
        assert writer.is_alive()
        events.record_range(connection, "logged", NOW, 0, 1)
    writer.join(PATIENCE)
    assert [answer.outcome for answer in answers[0]] == ["accepted", "known"]
    assert [event.name for event in read_on(database)] == ["logged", "in_force"]
    database.close()
