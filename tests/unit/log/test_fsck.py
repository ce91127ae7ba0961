"""`fsck` is the oracle of other tests: on a sound database it says so, and one flipped bit anywhere is named."""

from __future__ import annotations

import contextlib
import dataclasses
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from support.worlds.anvil import running_anvil
from support.worlds.damage_world import (
    CAMERA,
    DRAFTS,
    ERASED,
    FEW,
    SIZE,
    SUCCESSOR,
    TWICE,
    UNLOGGED,
    WRITER,
    Damaged,
    copy_rows,
    fill,
    shares,
    sign_draft,
)
from support.worlds.registry_world import NOW, OPERATOR, connect, open_world, salt, work

from deedlog.anchor.anchoring.chain_port import AnchorCall, Fees
from deedlog.anchor.fsck.database import Counts, check_database
from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.tlog.checkpoint import Checkpoint, sign
from deedlog.anchor.tlog.tiles import TilePath
from deedlog.registry.errors import Unavailable, VerificationError
from deedlog.registry.statements import Cancellation, Rotation, Termination
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.store import events
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import EVENT, Table

FREE = {
    ("statement", "accepted_at"): "the registry's clock at acceptance: its entry may have a later time",
    ("statement", "public_from"): "when its sender lets others read it: in no entry",
    ("draft", "public_from"): "the same",
    ("draft_party", "declined_at"): "the registry's clock, when a party said that it will not sign",
    ("attempt", "created_at"): "the registry's clock",
    ("anchor_transaction", "created_at"): "the registry's clock",
    ("anchor_transaction", "sent_at"): "the registry's clock",
}
"""Columns that follow from nothing: a flipped bit there is another truth, not a contradiction."""

PARTLY = {
    ("idempotency_key", "name"): "after its prefix it is the client's own name for a request",
    ("idempotency_key", "fingerprint"): "under an idempotency key it may be of a repeat, whose digest is kept nowhere",
    ("idempotency_key", "statement_id"): "the same: under an API key's idempotency key, any statement could be meant",
    ("checkpoint", "signed_at"): "not in the note; when its entries were logged is told, of the first head nothing is",
    ("event", "id"): "an anchor may be told again at any time, and the last of a kind may come later",
    ("event", "at"): "the registry's clock where somebody declined, the block's where a head was anchored",
}
"""Columns that follow from the rest in some rows only: these rows have tests of their own."""

BESIDE = {
    "api_key": "no statement rests on an API key",
    "session": "who has signed in now: no statement rests on it, and it is over in a quarter of an hour",
    "sign_in_nonce": "random, and over in five minutes",
    "lease": "who works now, not what was logged",
    "alarm": "what the worker saw last",
    "chain_status": "what the worker saw last",
    "alembic_version": "compared when the database is opened",
}
"""Tables that fsck does not cover, and why."""

OF_ENTRIES = ("statement", "statement_text", "tile")
"""What they hold depends on where in the log it stands; what the other tables hold is the same beside a few entries."""

ROWS = dict.fromkeys(("statement", "statement_text"), (1, 2, 3, ERASED + 1, SIZE + 1)) | {
    "event": (1, 4, 8, 9, 16),
    "draft": (1, 2, 4),
    "draft_party": (2, 5),
}
"""Where more than one row is worth a try: of each kind, of two creators, erased, not logged; logged, anchored,
accepted, in force; who signed a draft, who declined."""

BITS = dict.fromkeys((("statement_text", "body"), ("anchor", "header")), (0, 77, 1201)) | {
    ("anchor", "account_proof"): (0, 77, 1201),
    ("anchor", "final"): (0,),
}
"""A boolean has one bit; what is long is flipped near its middle too."""

NAMED = {
    ("attempt", "id"): {"attempt", "anchor_transaction"},
    ("attempt", "chain_id"): {"attempt", "anchor"},
    ("anchor_transaction", "attempt_id"): {"attempt", "anchor_transaction"},
    ("statement", "id"): {"statement", "statement_text", "statement_account", "idempotency_key"},
    ("statement", "logged_at"): {"statement", "audit.tile"},
    ("statement_text", "prefix"): {"statement_text", "audit.tile"},
    ("statement", "log_index"): {"statement", "fsck.index_missing"},
    ("tile", "level"): {"audit.tile_size"},
    ("tile", "tile_index"): {"audit.tile_size"},
    ("tile", "hashes"): {"audit.tile"},
    ("anchor", "chain_id"): {"anchor"},
    ("draft", "id"): {"draft_party", "draft_subject"},
    ("draft", "digest"): {"draft", "draft_party"},
    ("draft_party", "signed_at"): {"draft_party", "event"},
}
"""Which table is named, where it is not the column's own; without a table, the code."""

COLUMNS = [
    (table.name, column.name)
    for table in Table.metadata.sorted_tables
    if table.name not in BESIDE
    for column in table.columns
]


@contextlib.contextmanager
def filled(folder, *how):
    """Make a world whose database is copied; its chain goes on running."""
    path = folder / "deedlog.sqlite"
    with running_anvil("--slots-in-an-epoch", "1") as chain:
        world = connect(open_world(Database(f"sqlite:///{path}")), chain.url)
        fill(world, *how)
        world.database.close()
        yield Damaged(world, path, chain)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Two full tiles and a part."""
    with filled(tmp_path_factory.mktemp("sound")) as made:
        yield made


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A few entries, with as much beside them."""
    with filled(tmp_path_factory.mktemp("few"), FEW, FEW[0]) as made:
        yield made


@pytest.fixture
def damaged(sound, tmp_path):
    """A copy to be damaged."""
    return sound.copy(tmp_path)


def checked(damaged, **more):
    with contextlib.closing(damaged.database()) as database:
        return check_database(database, damaged.identity, **more)


def what_is_wrong(damaged, **more):
    with pytest.raises(VerificationError) as caught:
        checked(damaged, **more)
    return caught.value


def named(error):
    """Return what an error names: table and column, or the code of the audit."""
    if error.code == "fsck.row":
        return error.params["table"], error.params["column"]
    return error.code


def place(error):
    """Return the table that an error names, or its code."""
    return str(error.params.get("table", error.code))


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
