"""`fsck` is the oracle of other tests: of a sound database it says so, and what does not fit together is named."""

from __future__ import annotations

import contextlib
import dataclasses
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from support.tables.fsck_columns import COLUMNS
from support.worlds.databases.damage_world import (
    CAMERA,
    DRAFTS,
    SIZE,
    SUCCESSOR,
    TWICE,
    UNLOGGED,
    WRITER,
    copy_rows,
    shares,
    sign_draft,
)
from support.worlds.databases.fsck_findings import checked, named, place, what_is_wrong
from support.worlds.registries.registry_world import NOW, OPERATOR, open_world, salt, work

from deedlog.anchor.anchoring.chain_port import AnchorCall, Fees
from deedlog.anchor.fsck.database import Counts, check_database
from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.tlog.checkpoint import Checkpoint, sign
from deedlog.registry.errors import Unavailable, VerificationError
from deedlog.registry.statements import Cancellation, Rotation, Termination
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.store import events
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import EVENT


def test_a_sound_database_with_its_contract(damaged):
    with NodeContract(damaged.chain.url, damaged.identity.address, 31337) as contract:
        found = checked(damaged, contract=contract)
    assert (found.log.checkpoint.size, found.log.signatures, found.log.heads) == (SIZE, SIZE + TWICE, 2)
    assert found.counts == Counts(
        checkpoints=6,
        statements=SIZE + UNLOGGED,
        unlogged=UNLOGGED,
        erased=1,
        idempotency_keys=4,
        rotations=1,
        drafts=DRAFTS,
        anchors=2,
        attempts=2,
        events=22,
    )
    # Each table that is covered has something to cover.
    for table in {table for table, _ in COLUMNS}:
        assert damaged.run(f"SELECT count(*) FROM {table}")[0][0] > 0, table


def test_a_sound_database_of_either_dialect(sound, database, tmp_path):
    with contextlib.closing(sound.copy(tmp_path).database()) as source:
        copy_rows(source, database)
    assert check_database(database).counts.statements == SIZE + UNLOGGED
    for statement, expected in (
        ("UPDATE statement SET logged_at = logged_at + 1 WHERE log_index = 577", "audit.tile"),
        ("UPDATE statement SET log_index = 700 WHERE log_index = 300", "fsck.index_missing"),
        ("DELETE FROM statement_subject WHERE statement_id = 5", ("statement_subject", "subject")),
        ("UPDATE anchor SET time = time + 1", ("anchor", "time")),
        ("DELETE FROM tile WHERE level = 1", "audit.tile_size"),
        ("UPDATE checkpoint SET root = tile.hashes FROM tile WHERE checkpoint.size = 10", ("checkpoint", "root")),
    ):
        assert named(damage_for_a_while(database, statement)) == expected, statement
    assert check_database(database).counts.statements == SIZE + UNLOGGED


def damage_for_a_while(database, statement):
    """Return what is wrong after a statement that is then rolled back."""
    with database.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text(statement))
        inside = SimpleNamespace(read=lambda: contextlib.nullcontext(connection))
        with pytest.raises(VerificationError) as caught:
            check_database(inside)
        transaction.rollback()
    return caught.value


def test_an_empty_log(tmp_path):
    world = open_world(Database(f"sqlite:///{tmp_path / 'empty.sqlite'}"))
    found = check_database(world.database)
    assert (found.log.checkpoint.size, found.counts.checkpoints, found.counts.statements) == (0, 1, 0)


def test_a_log_that_is_older_than_events_begins_to_tell_in_the_middle(few, tmp_path):
    damaged = few.copy(tmp_path)
    damaged.run("DELETE FROM event WHERE id <= 5")
    checked(damaged)
    damaged.run("DELETE FROM event WHERE first IS NOT NULL")
    checked(damaged)


def test_what_a_draft_may_leave_behind_is_in_order(database):
    """A repeat leaves events only; a successor signs after its party did; what is cancelled may be nowhere."""
    world = open_world(database)
    film = world.accept(work(WRITER, b"a film"), WRITER)
    agreed = world.accept(shares((film.digest,), WRITER, CAMERA), WRITER, CAMERA)
    both = tuple(sorted(map(account_of_private_key, (WRITER, CAMERA))))
    again = work(content=b"of two", creators=both, salt=salt("again"))
    sign_draft(world, again, WRITER)
    world.accept(work(content=b"of two", creators=both), WRITER, CAMERA)
    sign_draft(world, again, CAMERA)
    ending = [Termination(agreed.digest, "the end", NOW + at, salt(f"ending {at}")) for at in (1, 2)]
    for draft in ending:
        sign_draft(world, draft, CAMERA)
    camera, successor = map(account_of_private_key, (CAMERA, SUCCESSOR))
    world.accept(Rotation(camera, successor, NOW, salt("rotation")), CAMERA, SUCCESSOR)
    world.accept(Cancellation(salt("nothing here"), "no more", NOW, salt("cancellation")), WRITER)
    world.sequence()
    assert check_database(database).counts.drafts == 2
    for draft in ending:
        sign_draft(world, draft, SUCCESSOR)
    sign_draft(world, ending[0], WRITER)
    found = check_database(database).counts
    assert (found.drafts, found.rotations) == (1, 1)


@pytest.mark.parametrize("name", [name for name in events.names() if name != "declined"])
def test_an_event_that_is_missing_or_told_twice_is_named(few, tmp_path, name):
    columns = ", ".join(EVENT.columns.keys()[1:])
    missing = f"DELETE FROM event WHERE id = (SELECT max(id) FROM event WHERE name = '{name}')"
    twice = f"INSERT INTO event SELECT id + 1000, {columns} FROM event WHERE name = '{name}' ORDER BY id DESC LIMIT 1"
    for statement in (missing, twice):
        damaged = few.copy(tmp_path)
        damaged.run(statement)
        if statement == twice and name in ("anchored", "final"):  # as after a reorganisation
            checked(damaged)
        else:
            assert place(what_is_wrong(damaged)) == "event"


def test_text_that_is_no_text_is_named(damaged):
    damaged.run("UPDATE statement_text SET body = CAST(x'7b22ff' AS TEXT) WHERE statement_id = 9")
    assert named(what_is_wrong(damaged)) == "fsck.sqlite"


def test_a_file_whose_pages_are_damaged_is_named(damaged):
    data = bytearray(damaged.path.read_bytes())
    for page in range(3, len(data) // 4096, 7):
        data[page * 4096 : page * 4096 + 8] = b"\xff" * 8
    damaged.path.write_bytes(bytes(data))
    assert named(what_is_wrong(damaged)) == "fsck.sqlite"


def test_two_roots_for_one_size_both_signed_by_the_log_key(damaged):
    root = b"\x05" * 32
    note = sign(Checkpoint(damaged.identity.origin, 300, root), damaged.world.log_key)
    damaged.run("UPDATE checkpoint SET root = ?, note = ? WHERE size = 300", root, note)
    error = what_is_wrong(damaged)
    assert (error.code, error.params["size"], error.params["signed"]) == ("audit.forked", 300, "0x" + root.hex())


def test_a_database_of_another_registry(damaged):
    other = dataclasses.replace(damaged.identity, salt=b"\x01" * 32)
    with contextlib.closing(damaged.database()) as database, pytest.raises(VerificationError) as caught:
        check_database(database, other)
    assert caught.value.params["reason"] == "registry.other"


@pytest.mark.parametrize("table", ["log", "checkpoint"])
def test_a_database_without_a_log_is_not_called_in_order(damaged, table):
    damaged.run(f"DELETE FROM {table}")
    with pytest.raises(Unavailable, match=r"log\.missing"):
        checked(damaged)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE statement SET log_index = 900 WHERE log_index = 4"], "fsck.index_missing"),
        (["DELETE FROM statement WHERE log_index = 300"], "fsck.index_missing"),
        (["DELETE FROM statement WHERE log_index = 599"], "fsck.index_missing"),
        (
            [
                "UPDATE statement SET log_index = 5000 WHERE log_index = 7",
                "UPDATE statement SET log_index = 7 WHERE log_index = 8",
                "UPDATE statement SET log_index = 8 WHERE log_index = 5000",
            ],
            "audit.tile",
        ),
        (["UPDATE statement SET log_index = 600, logged_at = 5 WHERE id = 601"], ("statement", "log_index")),
        (["UPDATE statement SET logged_at = 'then' WHERE log_index = 7"], ("statement", "logged_at")),
        (
            ["UPDATE statement_text SET body = replace(body, ',', ', ') WHERE statement_id = 40"],
            ("statement_text", "body"),
        ),
        (
            ["UPDATE statement_text SET body = (SELECT max(body) FROM statement_text) WHERE statement_id = 40"],
            ("statement_text", "body"),
        ),
        (["DELETE FROM statement_text WHERE statement_id = 40"], ("statement_text", "prefix")),
        (["DELETE FROM statement_text WHERE statement_id = 601"], ("statement_text", "prefix")),
        (["UPDATE statement_text SET prefix = 'a' WHERE statement_id = 40"], ("statement_text", "prefix")),
        (["UPDATE statement_text SET prefix = 'a' WHERE statement_id = 601"], ("statement_text", "prefix")),
        (["INSERT INTO statement_text VALUES (9999, NULL, x'00')"], ("statement_text", "statement_id")),
        (["DELETE FROM tile WHERE level = 1"], "audit.tile_size"),
        (["INSERT INTO tile VALUES (0, 3, x'00')"], "fsck.tiles"),
        (["UPDATE tile SET hashes = CAST(hashes || zeroblob(32) AS BLOB) WHERE tile_index = 2"], "audit.tile_size"),
        (["DELETE FROM checkpoint WHERE size = 600"], ("log", "size")),
        (["DELETE FROM checkpoint WHERE size = 300"], ("anchor", "size")),
        (["DELETE FROM statement_account WHERE statement_id = 602"], ("statement_account", "account")),
        (["INSERT INTO statement_account VALUES (x'00', 5)"], ("statement_account", "account")),
        (["INSERT INTO statement_subject VALUES ('content:0x', 9999)"], ("statement_subject", "statement_id")),
        (["DELETE FROM anchor_transaction"], ("attempt", "from_size")),
        (["DELETE FROM anchor"], ("anchor", "final")),
        (["DROP INDEX uq_attempt_one_unmined", "UPDATE attempt SET state = 'prepared'"], ("attempt", "state")),
        (["UPDATE anchor SET chain_id = 5 WHERE size = 300"], ("anchor", "chain_id")),
        (["UPDATE anchor SET chain_id = 11155111 WHERE size = 300"], ("anchor", "final")),
        (["UPDATE statement SET public_from = 1e12"], ("statement", "public_from")),
        (["UPDATE statement SET public_from = 300000000000"], ("statement", "public_from")),
        (["DELETE FROM rotation"], ("rotation", "statement_id")),
        (["INSERT INTO rotation VALUES (x'00', x'01', 5)"], ("rotation", "statement_id")),
        (["UPDATE rotation SET account = successor, successor = x'01'"], ("rotation", "successor")),
        (["DELETE FROM draft WHERE id = 2"], ("draft_subject", "draft_id")),
        (["DELETE FROM draft WHERE id = 4"], ("draft_party", "draft_id")),
        (["UPDATE draft SET body = replace(body, ',', ', ') WHERE id = 2"], ("draft", "body")),
        (["UPDATE draft SET digest = (SELECT digest FROM statement WHERE id = 453) WHERE id = 2"], ("draft", "digest")),
        (["UPDATE draft SET cancelled_by = NULL"], ("event", "name")),
        (["UPDATE draft SET cancelled_by = (SELECT digest FROM statement WHERE id = 7)"], ("draft", "cancelled_by")),
        (["DELETE FROM draft_party WHERE signature IS NULL AND draft_id = 1"], ("draft_party", "account")),
        (["DELETE FROM draft_party WHERE signature IS NULL AND draft_id = 2"], ("draft_party", "account")),
        (["DELETE FROM draft_party WHERE draft_id = 2"], ("draft_party", "account")),
        (["INSERT INTO draft_party VALUES (x'00', 1, NULL, NULL, NULL)"], ("draft_party", "account")),
        (["INSERT INTO draft_party VALUES (x'00', 2, NULL, NULL, NULL)"], ("draft_party", "account")),
        (["INSERT INTO draft_party VALUES (x'00', 9, NULL, NULL, NULL)"], ("draft_party", "draft_id")),
        (["UPDATE draft_party SET signature = NULL, signed_at = NULL"], ("draft_party", "signature")),
        (["DELETE FROM draft_subject WHERE draft_id = 3"], ("draft_subject", "subject")),
        (["INSERT INTO draft_subject VALUES ('work:0x', 9)"], ("draft_subject", "draft_id")),
        (["UPDATE event SET name = 'done' WHERE id = 7"], ("event", "name")),
        (["UPDATE event SET chain_id = 7 WHERE name = 'anchored'"], ("event", "chain_id")),
        (["UPDATE event SET end = 255 WHERE end = 256"], ("event", "end")),
    ],
)
def test_what_does_not_fit_together_is_named(damaged, statements, expected):
    for statement in statements:
        damaged.run(statement)
    assert named(what_is_wrong(damaged)) == expected


def test_an_attempt_whose_transaction_anchors_another_tree(damaged):
    """Row and transaction agree with each other, and not with the log."""
    root = b"\x05" * 32
    ((nonce, max_fee, priority_fee),) = damaged.run(
        "SELECT nonce, max_fee, priority_fee FROM attempt JOIN anchor_transaction ON attempt_id = id WHERE id = 2"
    )
    call = AnchorCall(damaged.identity.address, 300, SIZE, root, ())
    port = EvmChain(damaged.chain.url)
    signed_hash, raw = port.sign(call, OPERATOR, 31337, nonce, Fees(int(max_fee), int(priority_fee)))
    damaged.run("UPDATE attempt SET root = ? WHERE id = 2", root)
    damaged.run("UPDATE anchor_transaction SET hash = ?, raw = ? WHERE attempt_id = 2", signed_hash, raw)
    assert named(what_is_wrong(damaged)) == ("attempt", "root")
