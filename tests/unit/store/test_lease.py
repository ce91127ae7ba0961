"""Leases on both databases: one holder for each role, and no write by one that has lost it."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text
from support.worlds.registries.registry_world import ALICE, NOW, open_world, salt, work
from support.worlds.session.waiting import PATIENCE, until

from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.registry import failpoints
from deedlog.registry.errors import Unavailable
from deedlog.registry.store import lease
from deedlog.registry.store.database import Database
from deedlog.registry.store.lease import ANCHORER, SEQUENCER, Fenced, Lease, Roles

LEASE_MS = 3_600_000
"""An hour: what a busy machine takes between two steps of a test must make no lease run out."""


@pytest.fixture(autouse=True)
def _long_leases(monkeypatch):
    monkeypatch.setattr(lease, "LEASE_MS", LEASE_MS)


def take(database, holder, role=SEQUENCER):
    with database.write() as connection:
        return lease.take(connection, role, holder)


def renew(database, held):
    with database.write() as connection:
        return lease.renew(connection, held)


def pass_time(database, milliseconds):
    """Let time pass on the database's clock, as the leases see it."""
    with database.write() as connection:
        connection.execute(text("UPDATE lease SET renewed_at = renewed_at - :some"), {"some": milliseconds})


def holders(database):
    with database.read() as connection:
        return {found.role: found for found in lease.holders(connection)}


def write(database):
    with database.write() as connection:
        connection.execute(text("INSERT INTO alarm (role, code, params, since) VALUES ('a', 'b', '{}', 1)"))


def written(database):
    with database.read() as connection:
        return connection.execute(text("SELECT count(*) FROM alarm")).scalar()


def test_a_role_has_one_holder_until_it_is_given_up_or_not_renewed(database):
    first = take(database, "a")
    assert first == Lease(SEQUENCER, "a", 1)
    assert take(database, "b") is None
    pass_time(database, LEASE_MS // 2)
    assert take(database, "b") is None
    assert renew(database, first)
    pass_time(database, LEASE_MS // 2)
    assert take(database, "b") is None
    pass_time(database, LEASE_MS // 2)
    second = take(database, "b")
    assert second == Lease(SEQUENCER, "b", 2)
    assert not renew(database, first)
    with database.write() as connection:
        lease.release(connection, first)  # not its own any more: nothing
    assert take(database, "c") is None
    with database.write() as connection:
        lease.release(connection, second)
    assert holders(database)[SEQUENCER].free
    assert take(database, "c") == Lease(SEQUENCER, "c", 3)
    assert take(database, "c") == Lease(SEQUENCER, "c", 4)
    assert take(database, "a", ANCHORER) == Lease(ANCHORER, "a", 1)


def test_a_clock_that_is_set_back_does_not_keep_a_role_for_a_dead_holder(database):
    take(database, "a")
    pass_time(database, -2 * LEASE_MS)
    assert holders(database)[SEQUENCER].free
    assert take(database, "b") == Lease(SEQUENCER, "b", 2)


def test_holders_are_told_with_the_age_of_their_lease(database):
    assert holders(database) == {}
    began = time.monotonic()
    take(database, "a")
    pass_time(database, 2000)
    found = holders(database)[SEQUENCER]
    assert (found.holder, found.term, found.free) == ("a", 1, False)
    taken_ms = 1000 * (time.monotonic() - began)
    assert 2000 <= found.age_ms <= 2000 + taken_ms + 10  # clocks of whole milliseconds


def test_one_of_many_that_ask_at_once_gets_the_role(database):
    take(database, "dead")
    pass_time(database, LEASE_MS)
    taken, start = [], threading.Barrier(8)

    def ask(holder):
        start.wait()
        taken.append(take(database, holder))

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [held.term for held in taken if held is not None] == [2]


def test_a_write_after_a_takeover_raises_and_leaves_nothing(database):
    old = Fenced(database, take(database, "old"))
    write(old)
    assert written(old) == 1
    pass_time(database, LEASE_MS)
    new = Fenced(database, take(database, "new"))
    with pytest.raises(Unavailable, match=r"lease\.lost"):
        write(old)
    assert written(database) == 1
    with pytest.raises(Unavailable, match=r"lease\.lost"):
        write(Fenced(database, Lease(SEQUENCER, "new", 1)))
    assert new.lease.term == 2
    with new.write() as connection:
        connection.execute(text("DELETE FROM alarm"))


def test_a_write_renews_the_lease(database):
    held = take(database, "a")
    pass_time(database, LEASE_MS // 2)
    with Fenced(database, held).write():
        pass
    assert holders(database)[SEQUENCER].age_ms < LEASE_MS // 2


def test_nobody_takes_over_in_the_middle_of_a_write(database):
    """A write that began under the lease ends under it: who takes over then sees what it left."""
    old = Fenced(database, take(database, "old"))
    pass_time(database, LEASE_MS)
    taken = []

    def take_over():
        held = take(database, "new")
        taken.append((held, written(database)))

    thread = threading.Thread(target=take_over)
    with old.write() as connection:
        thread.start()
        time.sleep(0.5)
        assert not taken
        connection.execute(text("INSERT INTO alarm (role, code, params, since) VALUES ('a', 'b', '{}', 1)"))
    thread.join()
    # The write has renewed the lease: there is nothing to take.
    assert taken == [(None, 1)]


def test_the_sequencer_that_lost_its_role_logs_nothing(database):
    world = open_world(database)
    world.accept(work(), ALICE)
    old = Fenced(database, take(database, "old"))
    pass_time(database, LEASE_MS)
    new = Fenced(database, take(database, "new"))
    with pytest.raises(Unavailable, match=r"lease\.lost"):
        log.sequence(old, world.identity, world.log_key, NOW)
    with database.read() as connection:
        assert log_store.state(connection).size == 0
    assert log.sequence(new, world.identity, world.log_key, NOW) == 1


@pytest.mark.parametrize("step", ["sequence.locked", "sequence.signed", "sequence.swapped"])
def test_postgresql_ends_the_write_of_a_process_that_is_paused_in_it(postgres, step):
    """SQLite has no such limit: there, a process paused in a write holds up all others until it goes on."""
    database = Database(postgres.new_database())
    world = open_world(database)
    world.accept(work(), ALICE)
    old = Fenced(database, take(database, "old"))
    pass_time(database, LEASE_MS)
    paused, woken, raised = threading.Event(), threading.Event(), []

    def pause(reached):
        if reached == step and not paused.is_set():
            paused.set()
            woken.wait()

    def sequence():
        try:
            log.sequence(old, world.identity, world.log_key, NOW)
        except Unavailable as error:
            raised.append(error.code)

    thread = threading.Thread(target=sequence)
    failpoints.hook = pause
    try:
        thread.start()
        paused.wait()
        # The paused process is not woken: only PostgreSQL can have ended its write.
        held = until(lambda: take(database, "new"), "another takes the role")
        assert log.sequence(Fenced(database, held), world.identity, world.log_key, NOW) == 1
    finally:
        woken.set()
        thread.join()
        failpoints.hook = None
    assert raised == ["lease.lost"]
    with database.read() as connection:
        assert log_store.state(connection).size == 1
        assert connection.execute(text("SELECT count(*) FROM checkpoint")).scalar() == 2
    database.close()


def test_two_that_sequence_at_once_without_a_lease_use_no_index_twice(database):
    """The lock of the log's row stands behind the leases."""
    world = open_world(database)
    for number in range(40):
        world.accept(work(content=b"%d" % number, salt=salt(str(number))), ALICE)

    def sequence():
        for _ in range(20):
            log.sequence(database, world.identity, world.log_key, NOW)

    threads = [threading.Thread(target=sequence) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(40, 60):
        world.accept(work(content=b"%d" % number, salt=salt(str(number))), ALICE)
    for thread in threads:
        thread.join()
    world.sequence()
    with database.read() as connection:
        indices = connection.execute(text("SELECT log_index FROM statement ORDER BY log_index")).scalars().all()
    assert indices == list(range(60))


class TestRoles:
    def test_a_process_holds_what_is_free_and_stands_by_for_the_rest(self, database):
        one, two = (Roles(database, (SEQUENCER, ANCHORER)) for _ in range(2))
        assert one.held(SEQUENCER) is None
        one.beat()
        two.beat()
        assert one.held(SEQUENCER) == Lease(SEQUENCER, one.holder, 1)
        assert two.held(SEQUENCER) is two.held(ANCHORER) is None
        one.release(ANCHORER, rest=60)
        one.beat()
        two.beat()
        assert one.held(ANCHORER) is None
        assert two.held(ANCHORER) == Lease(ANCHORER, two.holder, 2)
        pass_time(database, LEASE_MS)
        two.beat()
        assert two.held(SEQUENCER) == Lease(SEQUENCER, two.holder, 2)
        one.beat()
        assert one.held(SEQUENCER) is None

    def test_what_is_dropped_is_taken_again_under_a_new_term_after_its_rest(self, database):
        roles = Roles(database, (SEQUENCER,))
        roles.beat()
        roles.drop(SEQUENCER, rest=60)
        roles.beat()
        assert roles.held(SEQUENCER) is None
        roles.drop(SEQUENCER)
        roles.beat()
        assert roles.held(SEQUENCER).term == 2

    def test_standing_by_writes_nothing(self, database):
        take(database, "another")
        with database.write() as connection:
            # Whoever wanted to write would wait for this.
            connection.execute(text("UPDATE lease SET renewed_at = renewed_at"))
            thread = threading.Thread(target=Roles(database, (SEQUENCER,)).beat, daemon=True)
            thread.start()
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_a_connection_that_ends_before_the_commit_loses_the_lease_and_leaves_nothing(postgres):
    database = Database(postgres.new_database())
    database.migrate()
    world = open_world(database)
    with database.write() as connection:
        held = lease.take(connection, SEQUENCER, "paused")

    def write_on():
        with Fenced(database, held).write() as connection:
            connection.execute(text("UPDATE log SET time = 7"))
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            with database.read() as other:
                other.execute(text(f"SELECT pg_terminate_backend({backend}, 5000)"))
            connection.execute(text("UPDATE log SET time = 8"))

    with pytest.raises(Unavailable, match=r"lease\.lost"):
        write_on()
    with database.read() as connection:
        assert log_store.state(connection).time == 0
    assert world.sequence() == 0
    database.close()
