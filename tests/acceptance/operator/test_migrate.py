"""`deedlog migrate`: a database of an earlier version, of either dialect, whose registry goes on."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import pytest
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.commands.folder_snapshot import unchanged
from support.worlds.registries.registry_world import NOW, open_world

from deedlog.anchor.log import sequencer as log
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import SCHEMA_VERSION

EARLIER = "0002"


@pytest.fixture
def earlier(tmp_path, database_url, fork_server):
    """Somebody with a data folder and a database as an earlier version left them, and their registry's world."""
    world = open_world(Database(f"sqlite:///{tmp_path / 'made.sqlite'}"))
    database = Database(database_url)
    database.migrate(to=EARLIER)
    log.create(database, world.identity, world.log_key, NOW)
    database.close()
    world.database.close()
    settings = {"DEEDLOG_DATA": str(tmp_path), "DEEDLOG_DATABASE_URL": database_url, "DEEDLOG_CHAIN": "local"}
    operator = CommandLineUser(tmp_path, fork_server, **settings)
    (tmp_path / "identity.json").write_text(json.dumps(world.identity.to_json()), "utf-8")
    return SimpleNamespace(operator=operator, folder=tmp_path, world=world, database_url=database_url)


def schema_version(earlier):
    database = Database(earlier.database_url)
    try:
        return database.schema_version()
    finally:
        database.close()


def test_the_database_of_an_earlier_version_is_brought_to_this_ones_form(earlier):
    deedlog = earlier.operator.run
    with unchanged(earlier.folder):
        refused = deedlog("serve", "--port", "1")
    assert refused.returncode == 69
    assert "run deedlog migrate" in refused.stderr
    assert schema_version(earlier) == EARLIER
    for before in (EARLIER, SCHEMA_VERSION):
        done = deedlog("migrate", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"before": before, "now": SCHEMA_VERSION}
    assert f"is now version {SCHEMA_VERSION}" in deedlog("migrate").stdout
    checked = deedlog("fsck", "--no-chain")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_database_of_another_registry_is_left_alone(earlier):
    other = dataclasses.replace(earlier.world.identity, salt=b"\1" * 32)
    (earlier.folder / "identity.json").write_text(json.dumps(other.to_json()), "utf-8")
    with unchanged(earlier.folder):
        done = earlier.operator.run("migrate", "--json")
    assert json.loads(done.stdout)["error"]["code"] == "database.other_registry"
    assert schema_version(earlier) == EARLIER
