"""Reorganisations, 1 to 64 blocks deep: before the depth that makes an anchor final, and after it."""

from __future__ import annotations

import pytest
from support.faults.reorganisation import reorganise
from support.worlds.chains.anchoring_walk import PUBLIC, Walk
from support.worlds.registries.registry_world import OPERATOR

from deedlog.anchor.anchoring.chain_port import AnchorCall
from deedlog.anchor.anchoring.chain_view import StopAnchoringError
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.anchor.tlog import tiles
from deedlog.registry.errors import Unavailable
from deedlog.registry.store.database import Database

DEEPEST = 64


@pytest.fixture
def store(tmp_path):
    return Database(f"sqlite:///{tmp_path / 'deedlog.sqlite'}")


SOME = (1, 2, 3, 4, 7, 16, 33, DEEPEST)
EACH = [pytest.param(range(first, first + 8), marks=pytest.mark.slow) for first in range(1, DEEPEST, 8)]
"""In parts, each on a new chain: after some hundred blocks anvil reorganises back to a state without the contract."""


@pytest.mark.parametrize("fate", ["taken away", "moved to another block"])
@pytest.mark.parametrize("depths", [SOME, *EACH], ids=lambda depths: f"{depths[0]} to {depths[-1]}")
def test_what_a_reorganisation_took_is_anchored_again(store, chain, depths, fate):
    walk = Walk(store, chain, confirmations=DEEPEST + 1)
    for size, depth in enumerate(depths, 1):
        walk.fill()
        walk.rounds(2)
        assert walk.anchors()[0].size == size
        before = walk.anchors()[0]
        if depth > 1:
            chain.request("anvil_mine", hex(depth - 1))
        walk.round()
        taken = reorganise(chain, depth)
        if fate == "moved to another block":
            for raw in taken:
                chain.request("eth_sendRawTransaction", raw)
        walk.rounds(4)
        walk.check_settled()
        assert walk.anchors()[0].block_hash != before.block_hash
        assert not walk.finals or max(walk.finals) < size
        if size % 4 == 0:
            # What is old enough becomes final, so that later rounds have less to follow.
            chain.request("anvil_mine", hex(DEEPEST + 1))
            walk.rounds(3)
            assert len(walk.finals) == size
    walk.settle()
    assert len(walk.finals) == len(depths)


@pytest.mark.parametrize("confirmations", [1, 3, 17])
@pytest.mark.parametrize("beyond", [0, 1, 20])
def test_a_reorganisation_beyond_the_depth_that_was_final_stops_everything(store, chain, confirmations, beyond):
    walk = Walk(store, chain, confirmations=confirmations)
    walk.fill()
    walk.rounds(3)
    chain.request("anvil_mine", hex(confirmations + beyond))
    walk.rounds(2)
    assert list(walk.finals) == [1]
    kept = walk.anchors()
    newest = int(chain.request("eth_blockNumber"), 16)
    reorganise(chain, newest - kept[0].proof_number + 1)
    with pytest.raises(Unavailable, match=r"chain\.contradicts"):
        walk.world.anchorer.tick(walk.world.now + 10)
    for _ in range(2):
        with pytest.raises(StopAnchoringError, match=r"anchoring\.final_vanished"):
            walk.world.anchorer.tick(walk.world.now + 10)
    assert walk.anchors() == kept


def test_a_reorganisation_below_a_final_anchor_leaves_it_and_takes_the_later(store, chain):
    walk = Walk(store, chain, confirmations=5)
    walk.fill()
    walk.rounds(2)
    chain.request("anvil_mine", "0x8")
    walk.rounds(3)
    assert list(walk.finals) == [1]
    for _ in range(3):
        walk.fill()
        walk.rounds(2)
    assert [anchor.size for anchor in walk.anchors()] == [4, 3, 2, 1]
    reorganise(chain, 4)
    walk.rounds(8)
    walk.check_settled()
    assert [(anchor.size, anchor.final) for anchor in walk.anchors()][-1] == (1, True)
    walk.settle()


def test_several_attempts_are_taken_away_while_another_is_open(store, chain):
    walk = Walk(store, chain, confirmations=30)
    for _ in range(3):
        walk.fill()
        walk.rounds(2)
    chain.automine(on=False)
    walk.fill()
    walk.rounds(2)
    assert [state for *_, state in walk.attempts()] == ["mined", "mined", "mined", "sent"]
    reorganise(chain, 3)
    chain.automine(on=True)
    walk.rounds(12, seconds=5)
    walk.check_settled()
    assert walk.nonces_used() == len([state for *_, state in walk.attempts() if state == "mined"])
    walk.settle(60)


def test_an_anchor_between_two_others_that_is_gone_is_not_served_for_ever(store, chain):
    """The second of three is not in the new branch, where the third follows the first."""
    walk = Walk(store, chain, confirmations=30)
    walk.fill()
    walk.rounds(2)
    root = chain.request("evm_snapshot")
    for _ in range(2):
        walk.fill()
        walk.rounds(2)
    assert [anchor.size for anchor in walk.anchors()] == [3, 2, 1]
    chain.request("evm_revert", root)
    call, port = third_after_first(walk), walk.truth
    _, raw = port.sign(call, OPERATOR, PUBLIC, 1, port.fees(port.tip()))
    port.send(raw)
    chain.request("anvil_mine", "0x5")
    walk.rounds(6)
    assert [(anchor.size, anchor.previous_size) for anchor in walk.anchors()] == [(3, 1), (1, 0)]
    walk.check_settled()


def third_after_first(walk):
    with walk.world.database.read() as connection:
        root, _ = log.checked_head(connection, 3)
        proof = tiles.consistency_proof(log_store.tile_reader(connection), 1, 3)
    return AnchorCall(walk.world.identity.address, 1, 3, root, tuple(proof))
