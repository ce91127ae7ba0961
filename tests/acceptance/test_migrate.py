"""`deedlog migrate`: a database of an earlier version, whose registry goes on."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import pytest
from registry_world import NOW, open_world
from untouched import untouched

from anchor import log
from registry.database import Database

EARLIER = "0002"


@pytest.fixture
def earlier(tmp_path):
    """A data folder as an earlier version left it, and its registry's world."""
    world = open_world(Database(f"sqlite:///{tmp_path / 'made.sqlite'}"))
    database = Database(f"sqlite:///{tmp_path / 'deedlog.sqlite'}")
    database.migrate(to=EARLIER)
    log.create(database, world.identity, world.log_key, NOW)
    database.close()
    world.database.close()
    (tmp_path / "identity.json").write_text(json.dumps(world.identity.to_json()), "utf-8")
    return tmp_path, world


def deedlog(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        env=os.environ | {"DEEDLOG_DATA": str(folder), "DEEDLOG_CHAIN": "local", "DEEDLOG_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_database_of_an_earlier_version_is_brought_to_this_ones_form(earlier):
    folder, _ = earlier
    with untouched(folder):
        refused = deedlog(folder, "serve", "--port", "1")
    assert refused.returncode == 1
    assert "run deedlog migrate" in refused.stderr
    for before in (EARLIER, "0003"):
        done = deedlog(folder, "migrate", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"before": before, "now": "0003"}
    assert "have form 0003" in deedlog(folder, "migrate").stdout
    checked = deedlog(folder, "fsck", "--no-chain")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_database_of_another_registry_is_left_alone(earlier):
    folder, world = earlier
    other = dataclasses.replace(world.identity, salt=b"\1" * 32)
    (folder / "identity.json").write_text(json.dumps(other.to_json()), "utf-8")
    with untouched(folder):
        done = deedlog(folder, "migrate", "--json")
    assert json.loads(done.stdout)["error"]["code"] == "database.other_registry"
    database = Database(f"sqlite:///{folder / 'deedlog.sqlite'}")
    assert database.form() == EARLIER
    database.close()
