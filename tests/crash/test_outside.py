"""The look from outside sees what it is there to see: each damage below, done to the rows of a sound log."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import text
from support.worlds.crashes import outside_checks
from support.worlds.registries.registry_world import ALICE, open_world, salt, work

ENTRIES = 5

DAMAGES = {
    "an index is left out": "UPDATE statement SET log_index = 9 WHERE log_index = 2",
    "a statement is lost": (
        "DELETE FROM statement_account WHERE statement_id = (SELECT id FROM statement WHERE log_index = 4)",
        "DELETE FROM statement_subject WHERE statement_id = (SELECT id FROM statement WHERE log_index = 4)",
        "DELETE FROM statement_text WHERE statement_id = (SELECT id FROM statement WHERE log_index = 4)",
        "DELETE FROM statement WHERE log_index = 4",
    ),
    "an entry is another": "UPDATE statement_text SET prefix = "
    "(SELECT prefix FROM statement_text WHERE statement_id = (SELECT id FROM statement WHERE log_index = 0))"
    " WHERE statement_id = (SELECT id FROM statement WHERE log_index = 1)",
    "a time is another": "UPDATE statement SET logged_at = logged_at + 1 WHERE log_index = 4",
    "a statement has no text": "DELETE FROM statement_text",
    "a tile is a batch behind": "UPDATE tile SET hashes = substr(hashes, 1, 64)",
    "a tile is missing": "DELETE FROM tile",
    "the log's row is a batch behind": "UPDATE log SET size = 2, root = (SELECT root FROM checkpoint WHERE size = 2)",
    "a checkpoint has another root": "UPDATE checkpoint SET root = (SELECT root FROM checkpoint WHERE size = 0)"
    " WHERE size = 2",
    "a checkpoint was signed and not swapped": "INSERT INTO checkpoint SELECT 7, root, note, signed_at"
    " FROM checkpoint WHERE size = 5",
    "a statement has no accounts": "DELETE FROM statement_account",
    "a nonce has two attempts": (
        (
            "INSERT INTO attempt (chain_id, from_size, size, root, nonce, state, created_at)"
            " SELECT 1, 0, size, root, 3, 'mined', 0 FROM checkpoint WHERE size > 0"
        ),
        (
            "INSERT INTO anchor_transaction (hash, attempt_id, raw, max_fee, priority_fee, created_at)"
            " SELECT root, id, root, '1', '1', 0 FROM attempt"
        ),
    ),
    "an attempt has no transaction": "INSERT INTO attempt (chain_id, from_size, size, root, nonce, state, created_at)"
    " SELECT 1, 0, size, root, 3, 'mined', 0 FROM checkpoint WHERE size = 2",
}


@pytest.fixture
def sound(database, database_url):
    world = open_world(database)
    for number in range(ENTRIES):
        world.accept(work(ALICE, b"content %d" % number, salt=salt(f"outside {number}")))
        if number == 1:
            world.sequence()
    world.sequence()
    return database, SimpleNamespace(database_url=database_url, identity=world.identity)


def test_a_sound_log_is_found_sound(sound):
    outside_checks.check_rows(sound[1], None)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_seen(sound, damage):
    database, registry = sound
    statements = DAMAGES[damage]
    with database.write() as connection:
        for statement in (statements,) if isinstance(statements, str) else statements:
            assert connection.execute(text(statement)).rowcount > 0
    with pytest.raises(AssertionError):
        outside_checks.check_rows(registry, None)


def test_the_tree_is_that_of_the_published_roots():
    """The first and last of the widely published roots of RFC 6962's test leaves."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    tree = outside_checks.Tree([bytes.fromhex(leaf) for leaf in leaves])
    assert tree.root(0, 0).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree.root(0, 1).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.root(0, 8).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
