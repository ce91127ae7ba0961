"""Anchoring on a real chain: what is sent once, what is found again after a crash, and what stops everything."""

from __future__ import annotations

import dataclasses

import pytest
from support.worlds.chains.anvil import running_anvil
from support.worlds.chains.chain_world import anchor_by_hand
from support.worlds.registries.registry_world import ALICE, OPERATOR, connect, open_world, salt, work

from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.anchorer import Anchorer
from deedlog.anchor.anchoring.chain_port import AnchorCall
from deedlog.anchor.anchoring.chain_view import StopAnchoringError
from deedlog.anchor.anchoring.config import AnchoringConfig
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.tlog import tiles
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import ATTEMPT


@pytest.fixture
def world(database, anvil):
    return connect(open_world(database), anvil.url)


def change_chain(world, **changes):
    """Let the world anchor as on another kind of chain."""
    config = world.anchorer._config
    chain = dataclasses.replace(config.chain, **changes)
    world.anchorer = Anchorer(
        world.database, world.anchorer._port, AnchoringConfig(chain, config.identity, OPERATOR, config.interval)
    )


def fill(world, count, start=0):
    for number in range(start, start + count):
        world.accept(work(content=b"%d" % number, salt=salt(str(number))), ALICE)
    world.sequence()


def anchors(world):
    with world.database.read() as connection:
        return [(found.size, found.previous_size, found.final) for found in anchor_store.anchors(connection, 100)]


def states(world):
    with world.database.read() as connection:
        rows = connection.execute(ATTEMPT.select().order_by(ATTEMPT.c.id)).mappings()
        return [(row["from_size"], row["size"], row["nonce"], row["state"]) for row in rows]


def test_each_head_extends_the_last_and_becomes_final(world):
    fill(world, 3)
    world.anchor()
    fill(world, 4, 3)
    world.anchor()
    assert anchors(world) == [(7, 3, True), (3, 0, True)]
    assert states(world) == [(0, 3, 0, "final"), (3, 7, 1, "final")]


def test_nothing_is_sent_when_there_is_nothing_new(world, anvil):
    fill(world, 1)
    world.anchor()
    before = anvil.request("eth_blockNumber")
    world.anchor()
    assert anvil.request("eth_blockNumber") == before


def test_a_crash_after_storing_and_before_sending_is_carried_on(world):
    fill(world, 2)
    size = 2
    with world.database.read() as connection:
        root, _ = log.checked_head(connection, size)
    attempt = attempt_store.Attempt(0, 31337, 0, size, root, 0, "prepared", world.now)
    port = world.anchorer._port
    world.anchorer._sender._sign(attempt, port.fees(port.tip()), world.now)
    assert states(world) == [(0, 2, 0, "prepared")]
    world.anchor()
    assert states(world) == [(0, 2, 0, "final")]


def test_a_transaction_whose_answer_was_lost_is_not_paid_twice(world, anvil):
    fill(world, 2)
    anvil.automine(on=False)
    world.now += 1
    world.anchorer.tick(world.now)
    assert states(world) == [(0, 2, 0, "sent")]
    world.anchorer.tick(world.now)  # the same bytes again: the node knows them
    anvil.request("evm_mine")
    anvil.automine(on=True)
    world.anchor()
    assert states(world) == [(0, 2, 0, "final")]
    operator = "0x" + world.identity.operator.hex()
    assert anvil.request("eth_getTransactionCount", operator, "latest") == "0x1"


def test_a_stuck_transaction_is_replaced_at_a_higher_fee_under_the_same_nonce(world, anvil):
    fill(world, 2)
    anvil.automine(on=False)
    world.now += 1
    world.anchorer.tick(world.now)
    world.now += world.anchorer._config.chain.resend
    world.anchorer.tick(world.now)
    with world.database.read() as connection:
        attempt = attempt_store.open_attempt(connection, 31337)
        sent = attempt_store.transactions(connection, attempt.id)
    assert len(sent) == 2
    assert sent[1].max_fee > sent[0].max_fee * 11 // 10
    anvil.request("evm_mine")
    anvil.automine(on=True)
    world.anchor()
    assert states(world) == [(0, 2, 0, "final")]


def transactions(world):
    with world.database.read() as connection:
        return attempt_store.transactions(connection, attempt_store.open_attempt(connection, 31337).id)


def test_an_attempt_whose_row_was_damaged_is_not_signed_again(world, anvil):
    fill(world, 3)
    anvil.automine(on=False)
    world.anchor()
    table = ATTEMPT
    for damage in ({"size": 2}, {"root": bytes(32)}):
        with world.database.write() as connection:
            whole = dict(connection.execute(table.select()).mappings().one())
            connection.execute(table.update().values(damage))
        world.now += world.anchorer._config.chain.resend
        with pytest.raises(InvalidData, match=r"log\.(head_mislabelled|no_checkpoint)"):
            world.anchorer.tick(world.now)
        with world.database.write() as connection:
            assert len(attempt_store.transactions(connection, whole["id"])) == 1
            connection.execute(table.update().values(whole))
    anvil.request("evm_mine")  # now, and not in the middle of a tick
    anvil.automine(on=True)
    world.anchor()
    assert [size for size, _, _ in anchors(world)] == [3]


def test_fees_stop_at_the_chains_limit_and_the_last_transaction_is_sent_on(world, anvil):
    gwei = 10**9
    change_chain(world, max_fee=10 * gwei)
    fill(world, 2)
    anvil.automine(on=False)
    for _ in range(40):
        world.now += world.anchorer._config.chain.resend
        alarms = world.anchorer.tick(world.now)
    sent = transactions(world)
    assert 3 < len(sent) < 12
    assert 8 * gwei < sent[-1].max_fee <= 10 * gwei
    assert alarms["alarm.fee_limit"]["limit"] == 10
    anvil.request("evm_mine")
    anvil.automine(on=True)
    world.anchor()
    assert "alarm.fee_limit" not in world.anchorer.tick(world.now)
    assert states(world) == [(0, 2, 0, "final")]


def test_an_empty_account_does_not_drive_the_fee_up(world, anvil):
    fill(world, 2)
    operator = "0x" + world.identity.operator.hex()
    balance = anvil.request("eth_getBalance", operator, "latest")
    anvil.request("anvil_setBalance", operator, "0x1")
    for _ in range(20):
        world.now += world.anchorer._config.chain.resend
        alarms = world.anchorer.tick(world.now)
    assert len(transactions(world)) == 1
    assert alarms["alarm.balance_low"]["balance"] == "1"
    assert "alarm.not_taken" in alarms
    anvil.request("anvil_setBalance", operator, balance)
    world.anchor()
    assert states(world) == [(0, 2, 0, "final")]


def test_a_second_attempt_beside_an_open_one_is_refused_by_name(world, anvil):
    fill(world, 2)
    anvil.automine(on=False)
    world.anchorer.tick(world.now + 1)
    with world.database.read() as connection:
        first = attempt_store.open_attempt(connection, 31337)
    second = dataclasses.replace(first, id=0, nonce=first.nonce + 1)
    port = world.anchorer._port
    with pytest.raises(Unavailable, match=r"anchoring\.raced"):
        world.anchorer._sender._sign(second, port.fees(port.tip()), world.now)


def test_an_anchor_made_by_somebody_else_is_success(world, anvil):
    fill(world, 2)
    port = EvmChain(anvil.url)
    with world.database.read() as connection:
        root, _ = log.checked_head(connection, 2)
    call = AnchorCall(world.identity.address, 0, 2, root, ())
    anchor_by_hand(port, call, OPERATOR, 31337)
    world.anchor()
    assert anchors(world) == [(2, 0, True)]
    assert states(world) == []


def test_a_reorganisation_that_takes_the_anchor_away_is_anchored_again(world, anvil):
    change_chain(world, confirmations=3)
    fill(world, 2)
    snapshot = anvil.request("evm_snapshot")
    world.anchor()
    assert anchors(world) == [(2, 0, False)]
    first = bundle_anchor(world)
    anvil.request("evm_revert", snapshot)
    anvil.request("anvil_mine", "0x1")
    world.anchor()
    assert [size for size, _, _ in anchors(world)] == [2]
    assert bundle_anchor(world).header != first.header
    anvil.request("anvil_mine", "0x3")
    world.anchor()
    assert anchors(world) == [(2, 0, True)]


@pytest.fixture
def public(database):
    """A world on a chain that is no development chain: a final block is final there."""
    with running_anvil("--chain-id", "11155111") as chain:
        yield connect(open_world(database), chain.url, chain_id=11155111), chain


def test_a_final_anchor_that_vanishes_stops_everything(public):
    world, anvil = public
    fill(world, 2)
    snapshot = anvil.request("evm_snapshot")
    world.anchor()
    assert anchors(world) == [(2, 0, True)]
    kept = bundle_anchor(world)
    anvil.request("evm_revert", snapshot)
    # The node may merely lag: nothing is done until it has a block of that height again.
    with pytest.raises(Unavailable, match=r"chain\.behind"):
        world.anchorer.tick(world.now + 5)
    anvil.request("anvil_mine", "0x3")
    with pytest.raises(Unavailable, match=r"chain\.contradicts"):
        world.anchorer.tick(world.now + 5)
    with pytest.raises(StopAnchoringError, match=r"anchoring\.final_vanished"):
        world.anchorer.tick(world.now + 5)
    # Even where the head came back in another block: what was called final was not.
    call = AnchorCall(world.identity.address, 0, 2, kept.root, ())
    port = world.anchorer._port
    _, raw = port.sign(call, OPERATOR, 11155111, 0, port.fees(port.tip()))
    port.send(raw)
    anvil.request("anvil_mine", "0x3")
    assert port.head(world.identity.address, port.tip().number)[0] == 2
    with pytest.raises(StopAnchoringError, match=r"anchoring\.final_vanished"):
        world.anchorer.tick(world.now + 10)
    assert bundle_anchor(world) == kept


def test_a_development_chain_that_was_set_back_is_anchored_on_again(world, anvil):
    fill(world, 2)
    world.anchor()
    snapshot = anvil.request("evm_snapshot")
    fill(world, 2, 2)
    world.anchor()
    fill(world, 2, 4)
    world.anchor()
    assert anchors(world) == [(6, 4, True), (4, 2, True), (2, 0, True)]
    anvil.request("evm_revert", snapshot)
    world.anchor()
    world.anchor()
    assert anchors(world) == [(6, 4, True), (4, 2, True), (2, 0, True)]
    assert [(size, state) for _, size, _, state in states(world)] == [
        (2, "final"),
        (4, "final"),
        (6, "abandoned"),  # its transaction was of a later nonce than what had to be sent again first
        (6, "final"),
    ]
    assert audit_of_chain(world) == [6, 4, 2]


def audit_of_chain(world):
    """Return the sizes of the heads that the contract holds, newest first, by its own history."""
    port, contract = world.anchorer._port, world.identity.address
    at = port.tip().number
    size, root = port.head(contract, at)
    sizes = []
    while size:
        sizes.append(size)
        size = port.head_of(contract, root, at).previous_size
        if size:
            with world.database.read() as connection:
                root = log_store.checkpoint_of_size(connection, size)[0]
    return sizes


def bundle_anchor(world):
    with world.database.read() as connection:
        return anchor_store.anchors(connection, 1)[0]


def test_a_head_that_this_log_did_not_sign_stops_everything(world, anvil):
    fill(world, 2)
    port = EvmChain(anvil.url)
    call = AnchorCall(world.identity.address, 0, 1, b"\x07" * 32, ())
    anchor_by_hand(port, call, OPERATOR, 31337)
    with pytest.raises(StopAnchoringError, match=r"anchoring\.foreign_head"):
        world.anchorer.tick(world.now)


def test_a_head_below_the_newest_that_this_log_did_not_sign_stops_everything(world, anvil):
    """A true root, of a size that was never published."""
    fill(world, 2)
    port = EvmChain(anvil.url)
    with world.database.read() as connection:
        reader = log_store.tile_reader(connection)
        first, second = (tiles.root(reader, size) for size in (1, 2))
        proof = tuple(tiles.consistency_proof(reader, 1, 2))
    anchor_by_hand(port, AnchorCall(world.identity.address, 0, 1, first, ()), OPERATOR, 31337)
    anchor_by_hand(port, AnchorCall(world.identity.address, 1, 2, second, proof), OPERATOR, 31337)
    with pytest.raises(StopAnchoringError, match=r"anchoring\.foreign_history"):
        world.anchor()


def test_a_database_behind_the_contract_is_refused(world, tmp_path, anvil):
    fill(world, 3)
    world.anchor()
    behind = open_world(Database(f"sqlite:///{tmp_path / 'old.sqlite'}"))
    behind.anchorer = connect(behind, anvil.url).anchorer
    with pytest.raises(StopAnchoringError, match=r"anchoring\.database_behind"):
        behind.anchorer.check()


def test_another_chain_and_a_missing_contract_are_named(world, anvil):
    change_chain(world, chain_id=1)
    with pytest.raises(Unavailable, match=r"chain\.other_chain"):
        world.anchorer.check()
    change_chain(world, chain_id=31337)
    anvil.request("anvil_setCode", "0x" + world.identity.address.hex(), "0x")
    with pytest.raises(Unavailable, match=r"chain\.no_contract"):
        world.anchorer.check()


def test_a_node_that_is_away_is_named_and_nothing_is_lost(world, anvil):
    fill(world, 1)
    anvil.process.kill()
    anvil.process.wait()
    with pytest.raises(Unavailable, match=r"chain\.unreachable"):
        world.anchorer.tick(world.now)
    assert states(world) == []
