"""The sequencer on both databases: order, tiles, checkpoints, and what it refuses to sign."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from support.worlds.registries.registry_world import ALICE, NOW, open_world, salt, work

from deedlog.anchor import merkle
from deedlog.anchor.log import last_signed
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog import checkpoint, tiles
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.statements import entry as entries
from deedlog.registry.store import insertion
from deedlog.registry.store import statements as store
from deedlog.registry.store.clock import TOLERANCE_SECONDS


@pytest.fixture
def world(database):
    return open_world(database)


def fill(world, count, start=0):
    for number in range(start, start + count):
        world.accept(work(content=b"%d" % number, salt=salt(str(number))), ALICE)


def test_the_log_is_the_tree_over_the_stored_entries(world):
    fill(world, 5)
    assert world.sequence() == 5
    world.now -= TOLERANCE_SECONDS  # a clock that was set back a little
    fill(world, 3, 5)
    assert world.sequence() == 3
    with world.database.read() as connection:
        logged = store.entries_between(connection, 0, 100)
        state = log_store.state(connection)
        head = checkpoint.open_signed(log_store.newest_checkpoint(connection), world.identity.verifier_key)
        assert log_store.resource(connection, tiles.TilePath(None, 0, 8)) == tiles.encode_entries(logged)
        assert log_store.resource(connection, tiles.TilePath(None, 0, 9)) is None
    root = merkle.root_from_leaf_hashes([merkle.leaf_hash(entry) for entry in logged])
    assert (state.size, state.root) == (head.size, head.root) == (8, root)
    times = [entries.parse(entry).time for entry in logged]
    assert times == sorted(times)
    assert times[-1] == NOW


def test_an_entry_has_the_time_when_it_was_accepted_and_nothing_is_accepted_before_what_came_before(world):
    for number, accepted_at in enumerate([NOW - 5, NOW - 9, NOW - 4, NOW + 5, NOW - 1]):
        world.now = accepted_at
        fill(world, 1, number)
    world.now = NOW
    assert world.sequence() == 5
    with world.database.read() as connection:
        logged = store.entries_between(connection, 0, 100)
    assert [entries.parse(entry).time for entry in logged] == [NOW - 5, NOW - 5, NOW - 4, NOW + 5, NOW + 5]
    with world.database.read() as connection:
        kept = store.search(connection, store.Filter(), 0)
    assert [stored.accepted_at for stored in kept] == [stored.logged_at for stored in kept]


def test_nothing_from_the_future_is_logged_nor_what_follows_it(world):
    for number, accepted_at in enumerate([NOW, NOW + TOLERANCE_SECONDS, NOW + TOLERANCE_SECONDS + 1, NOW]):
        world.now = accepted_at
        fill(world, 1, number)
    world.now = NOW
    assert log.sequence(world.database, world.identity, world.log_key, NOW) == 2
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            log.sequence(world.database, world.identity, world.log_key, NOW)
        assert caught.value.code == "clock.behind_log"
        assert caught.value.params == {"seconds": TOLERANCE_SECONDS + 1, "maximum": TOLERANCE_SECONDS}
        with world.database.read() as connection, pytest.raises(Unavailable):
            log.check_next(connection, lambda _: NOW)
    with world.database.read() as connection:
        assert log_store.state(connection).size == 2
    # When that time has come, or nearly, they are logged in the same order.
    world.now = NOW + 1
    assert world.sequence() == 2


def test_after_an_entry_from_the_future_nothing_is_logged(world):
    world.now = NOW + 1000
    fill(world, 1)
    assert world.sequence() == 1
    world.now = NOW
    fill(world, 1, 1)
    with pytest.raises(Unavailable) as caught:
        world.sequence()
    assert (caught.value.code, caught.value.params["seconds"]) == ("clock.behind_log", 1000)


def test_more_than_one_batch(world):
    digests = [hashlib.sha256(b"%d" % number).digest() for number in range(log.BATCH + 3)]
    with world.database.write() as connection:
        insertion.insert_statements(
            connection,
            [
                insertion.NewStatement(
                    digest=digest,
                    kind="Work",
                    body="{}",
                    prefix=entries.prefix("Work", digest, [], []),
                    repeat_key=digest,
                    accounts=[b"a" * 20],
                    subjects=["x"],
                    api_key_id=None,
                    accepted_at=NOW,
                )
                for digest in digests
            ],
        )
    assert log.sequence(world.database, world.identity, world.log_key, NOW) == log.BATCH
    assert log.sequence(world.database, world.identity, world.log_key, NOW) == 3
    assert log.sequence(world.database, world.identity, world.log_key, NOW) == 0
    with world.database.read() as connection:
        leaf_hashes = [merkle.leaf_hash(entry) for entry in store.entries_between(connection, 0, 1000)]
        for size in (1, 255, 256, 257, 512, 515):
            assert tiles.root(log_store.tile_reader(connection), size) == merkle.root_from_leaf_hashes(
                leaf_hashes[:size]
            )


def test_a_log_is_created_once_and_only_with_its_own_key(world):
    with pytest.raises(InvalidData, match=r"log\.exists"):
        log.create(world.database, world.identity, world.log_key, NOW)
    other = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
    with pytest.raises(InvalidData, match=r"log\.other_key"):
        log.sequence(world.database, world.identity, other, NOW)


def test_a_mislabelled_head_is_not_anchored(world):
    fill(world, 6)
    world.sequence()
    with world.database.read() as connection:
        assert log.checked_head(connection, 6)[0] == log_store.state(connection).root
        with pytest.raises(InvalidData, match=r"log\.no_checkpoint"):
            log.checked_head(connection, 5)
    # The label is broken: the checkpoint of six entries says seven.
    with world.database.write() as connection:
        connection.execute(text("UPDATE checkpoint SET size = 7 WHERE size = 6"))
    with world.database.read() as connection, pytest.raises(InvalidData, match=r"log\.head_mislabelled"):
        log.checked_head(connection, 7)


def test_a_damaged_leaf_is_not_anchored(world):
    fill(world, 3)
    world.sequence()
    with world.database.write() as connection:
        row = connection.execute(text("SELECT hashes FROM tile WHERE level = 0")).scalar()
        damaged = bytes([row[0] ^ 1]) + row[1:]
        connection.execute(text("UPDATE tile SET hashes = :hashes WHERE level = 0"), {"hashes": damaged})
    with world.database.read() as connection, pytest.raises(InvalidData, match=r"log\.head_mislabelled"):
        log.checked_head(connection, 3)


# Somebody writes without the role and past the row's lock: as triggers, for nothing else can between lock and swap.
BY_HAND = {
    "the log grew": ("AFTER INSERT ON checkpoint", "UPDATE log SET size = size + 1;", "NEW"),
    "the log has another root": ("AFTER INSERT ON checkpoint", "UPDATE log SET root = registry_address;", "NEW"),
    "a statement was logged": ("BEFORE UPDATE ON statement", "{skip}", "NULL"),
}


@pytest.mark.parametrize("what", BY_HAND)
def test_a_log_that_somebody_moves_without_holding_the_role_is_named_and_nothing_is_written(world, what):
    fill(world, 3)
    when, does, returned = BY_HAND[what]
    with world.database.write() as connection:
        if connection.dialect.name == "sqlite":
            does = does.format(skip="SELECT RAISE(IGNORE);")
            connection.execute(text(f"CREATE TRIGGER moved {when} BEGIN {does} END"))
        else:
            body = f"BEGIN {does.format(skip='')} RETURN {returned}; END"
            connection.execute(text(f"CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS '{body}'"))
            connection.execute(text(f"CREATE TRIGGER moved {when} FOR EACH ROW EXECUTE FUNCTION moved()"))
    with pytest.raises(Unavailable, match=r"log\.raced"):
        world.sequence()
    with world.database.read() as connection:
        assert log_store.state(connection).size == 0
        assert store.entries_between(connection, 0, 10) == []
        assert log_store.checkpoint_of_size(connection, 3) is None


def test_an_old_backup_is_told_by_what_was_signed_last(world, tmp_path):
    path = last_signed.path_beside(tmp_path / "log.pem")
    last_signed.check(path, world.database)
    fill(world, 2)
    world.sequence()
    with world.database.read() as connection:
        state = log_store.state(connection)
    last_signed.remember(path, state.size, state.root)
    last_signed.check(path, world.database)
    last_signed.remember(path, state.size - 1, bytes(32))  # from a worker that was paused: the file never goes back
    last_signed.check(path, world.database)
    assert [found.name for found in tmp_path.glob("log.pem*")] == [path.name]
    last_signed.remember(path, state.size + 1, bytes(32))
    with pytest.raises(InvalidData, match=r"log\.database_behind"):
        last_signed.check(path, world.database)


def test_workers_that_share_a_folder_may_write_the_first_head_at_once(tmp_path):
    def remember(path, barrier):
        barrier.wait()
        last_signed.remember(path, 1, bytes(32))

    with ThreadPoolExecutor(4) as pool:
        for number in range(50):
            path, barrier = tmp_path / str(number), Barrier(4)
            for done in [pool.submit(remember, path, barrier) for _ in range(4)]:
                done.result()
    assert len(list(tmp_path.iterdir())) == 50
