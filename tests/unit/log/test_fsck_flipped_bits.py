"""One flipped bit anywhere in a database is named by `fsck`, except where it is another truth."""

from __future__ import annotations

import pytest
from support.tables.fsck_columns import BITS, COLUMNS, FREE, NAMED, OF_ENTRIES, PARTLY, ROWS
from support.worlds.databases.damage_world import (
    ERASED,
    SIZE,
)
from support.worlds.databases.fsck_findings import checked, named, place, what_is_wrong

from deedlog.anchor.tlog.tiles import TilePath


@pytest.mark.parametrize(("table", "column"), [names for names in COLUMNS if names not in PARTLY], ids=str)
def test_one_flipped_bit_in_any_column_is_named(request, tmp_path, table, column):
    world = request.getfixturevalue("sound" if table in OF_ENTRIES else "few")
    tried = 0
    for row in ROWS.get(table, (1, 2)):
        for bit in BITS.get((table, column), (0, 77)):
            damaged = world.copy(tmp_path)
            if row > damaged.run(f"SELECT max(rowid) FROM {table}")[0][0] or not damaged.flip(table, column, row, bit):
                continue
            tried += 1
            if (table, column) in FREE:
                checked(damaged)
            else:
                error = what_is_wrong(damaged)
                assert error.code == "fsck.sqlite" or place(error) in NAMED.get((table, column), {table}), error
    assert tried


def test_names_of_idempotency_keys_as_far_as_they_follow_from_the_rest(few, tmp_path):
    """Row 1 is a platform's reference, 2 its idempotency key, 3 and 4 those of two accounts."""
    prefix, own = 3, 8 * len("idempotency:") + 2
    for column, caught, free in (
        ("name", [(1, prefix), (2, prefix), (3, prefix)], [(2, own), (3, own)]),
        ("fingerprint", [(1, 0), (1, 99)], [(2, 0), (3, 0)]),
        ("statement_id", [(1, 0), (1, 3), (2, 0), (3, 3), (4, 3)], [(2, 3)]),
    ):
        for row, bit in caught:
            damaged = few.copy(tmp_path)
            assert damaged.flip("idempotency_key", column, row, bit)
            assert named(what_is_wrong(damaged))[0] == "idempotency_key", (column, row, bit)
        for row, bit in free:
            damaged = few.copy(tmp_path)
            assert damaged.flip("idempotency_key", column, row, bit)
            assert checked(damaged).counts.idempotency_keys == 4


def test_events_as_far_as_they_follow_from_the_rest(few, tmp_path):
    rows = few.run("SELECT id, name FROM event ORDER BY id")
    first = {name: number for number, name in reversed(rows)}
    last = dict((name, number) for number, name in rows)  # noqa: C402 - the last of each stays
    for column, caught, free in (
        ("at", ["logged", "proposed", "accepted", "in_force", "superseded", "cancelled", "terminated"], ["declined"]),
        ("id", ["logged", "in_force", "superseded"], ["anchored", "declined"]),
    ):
        for name in caught:
            damaged = few.copy(tmp_path)
            assert damaged.flip("event", column, last[name] if column == "at" else first[name], 37)
            assert place(what_is_wrong(damaged)) in ("event", "draft", "draft_party"), (column, name)
        for name in free:
            damaged = few.copy(tmp_path)
            assert damaged.flip("event", column, first[name], 37)
            assert checked(damaged).counts.events == len(rows)


def test_when_a_head_was_signed_follows_from_what_is_told_of_its_entries(few, tmp_path):
    damaged = few.copy(tmp_path)
    assert damaged.flip("checkpoint", "signed_at", 1, 0)
    checked(damaged)
    assert damaged.flip("checkpoint", "signed_at", 2, 0)
    assert place(what_is_wrong(damaged)) == "event"


def test_one_flipped_bit_in_each_tile_is_named_with_its_hash(sound, tmp_path):
    rows = sound.run("SELECT rowid, level, tile_index, length(hashes) FROM tile")
    assert len(rows) == 4
    for rowid, level, index, length in rows:
        for bit in (0, 8 * length - 1, 8 * (length // 2) + 3):
            damaged = sound.copy(tmp_path)
            assert damaged.flip("tile", "hashes", rowid, bit)
            error = what_is_wrong(damaged)
            assert (error.code, error.params["position"]) == ("audit.tile", bit // 256)
            assert error.params["path"] == str(TilePath(level, index, length // 32))


@pytest.mark.parametrize("number", [0, 1, 2, 255, 256, ERASED, 511, 512, SIZE - 1, SIZE, SIZE + 1])
def test_one_flipped_bit_in_an_entry_is_named_with_its_index(sound, tmp_path, number):
    for bit in (3, 100, 2000, 4001):
        damaged = sound.copy(tmp_path)
        assert damaged.flip("statement_text", "prefix", number + 1, bit)
        error = what_is_wrong(damaged)
        if number >= SIZE:  # not logged yet: there is no tile to compare with
            assert place(error) in ("statement", "statement_text")
        else:
            assert (error.code, error.params["position"]) == ("audit.tile", number % 256)
