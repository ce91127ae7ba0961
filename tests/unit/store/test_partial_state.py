"""The part of the state that bears on a statement, loaded while another process logs what is loaded."""

from __future__ import annotations

import pytest
from support.worlds.registries.registry_world import open_world
from support.worlds.registries.shares_world import agreement, now, people, rotation, work

from deedlog.registry.store import partial_state
from deedlog.registry.store import statements as store
from deedlog.registry.store.database import Database


@pytest.fixture
def world(database_url):
    world = open_world(Database(database_url))
    world.now = now()
    yield world
    world.database.close()


def test_what_is_logged_between_two_questions_changes_no_order(world, monkeypatch):
    """PostgreSQL shows each query of a write its own state: an agreement as not logged, a later rotation as logged."""
    anna, ben = people(2)
    [successor] = people(1)
    made = work(anna)
    shared = agreement([made.digest(world.separator)], {anna: 500_000, ben: 500_000}, anna)
    world.accept(made, anna.key)
    world.accept(shared, anna.key, ben.key)
    world.accept(rotation(ben, successor), ben.key, successor.key)
    digest = shared.digest(world.separator)
    found = store.found
    logged = []

    def log_after_the_first(connection, query, parameters):
        rows = found(connection, query, parameters)
        if not logged and connection.dialect.name == "postgresql":
            logged.append(world.sequence())
        return rows

    monkeypatch.setattr(store, "found", log_after_the_first)
    with world.database.write() as connection:
        state = partial_state.state_around(connection, [digest], ())
        assert logged == ([3] if connection.dialect.name == "postgresql" else [])
    assert state.standings[digest].counts, state.standings[digest]
