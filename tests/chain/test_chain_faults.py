"""A chain that misbehaves: anchors of others, resets, and everything at once.

After every round the anchors that are called final are compared with the real chain (`anchoring_walk`).
"""

from __future__ import annotations

import random

import pytest
from support.faults.broken_answers import BROKEN
from support.faults.node_faults import frozen
from support.faults.reorganisation import reorganise
from support.worlds.chains.anchoring_walk import PUBLIC
from support.worlds.chains.chain_world import anchor_by_hand
from support.worlds.registries.registry_world import OPERATOR

from deedlog.anchor.anchoring.chain_port import AnchorCall
from deedlog.anchor.anchoring.chain_view import StopAnchoringError
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.log import store as log_store
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.tlog import tiles
from deedlog.registry.errors import Unavailable


@pytest.mark.parametrize("covering", ["the same head", "a later head"])
def test_an_anchor_made_by_somebody_else_while_an_attempt_is_open(walk, chain, covering):
    chain.automine(on=False)
    walk.fill(2)
    walk.rounds(1)
    chain.request("anvil_dropAllTransactions")
    if covering == "a later head":
        walk.fill(2)
    with walk.world.database.read() as connection:
        size = log_store.state(connection).size
        root, _ = log.checked_head(connection, size)
    port = EvmChain(chain.url)
    call = AnchorCall(walk.world.identity.address, 0, size, root, ())
    _, raw = port.sign(call, OPERATOR, PUBLIC, 0, port.fees(port.tip()))
    port.send(raw)
    chain.request("evm_mine")
    chain.automine(on=True)
    walk.rounds(3)
    expected = "mined" if covering == "the same head" else "superseded"
    assert [state for *_, state in walk.attempts()] == [expected]
    walk.settle()
    assert walk.nonces_used() == 1


def test_anchors_made_while_nobody_watched_are_all_kept(walk, chain):
    port = EvmChain(chain.url)
    sizes = []
    for _ in range(20):
        walk.fill(2)
        with walk.world.database.read() as connection:
            size = log_store.state(connection).size
            root, _ = log.checked_head(connection, size)
        with walk.world.database.read() as connection:
            proof = tiles.consistency_proof(log_store.tile_reader(connection), sizes[-1], size) if sizes else []
        call = AnchorCall(walk.world.identity.address, sizes[-1] if sizes else 0, size, root, tuple(proof))
        anchor_by_hand(port, call, OPERATOR, PUBLIC)
        sizes.append(size)
    walk.rounds(3)
    assert [anchor.size for anchor in walk.anchors()] == sizes[::-1]
    walk.settle()


def test_a_chain_that_was_reset_to_before_an_anchor_that_was_not_final_is_anchored_on_again(walk, chain):
    snapshot = chain.request("evm_snapshot")
    walk.fill(2)
    walk.rounds(2)
    chain.request("evm_revert", snapshot)
    # Or the node lags: nothing is done until it has blocks of that height again.
    assert walk.rounds(2) == {"chain.behind"}
    chain.request("anvil_mine", "0x4")
    walk.settle()


def test_a_chain_that_was_reset_to_before_a_final_anchor_is_said_and_then_stops_everything(walk, chain):
    snapshot = chain.request("evm_snapshot")
    walk.fill(2)
    walk.settle()
    kept = walk.anchors()
    chain.request("evm_revert", snapshot)
    for _ in range(3):
        with pytest.raises(Exception, match=r"chain\.behind"):
            walk.world.anchorer.tick(walk.world.now + 1)
    chain.request("anvil_mine", "0x40")
    with pytest.raises(Unavailable, match=r"chain\.contradicts"):
        walk.world.anchorer.tick(walk.world.now + 1)
    with pytest.raises(StopAnchoringError, match=r"anchoring\.final_vanished"):
        walk.world.anchorer.tick(walk.world.now + 1)
    assert walk.anchors() == kept
    # The way out that docs/operations.md names, for an operator who has asked others.
    with walk.world.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM anchor WHERE chain_id = {PUBLIC} AND size = 2")
    walk.finals.clear()
    walk.through(chain.url)
    walk.settle()


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, None))])
@pytest.mark.timeout(1800)
def test_in_any_weather_nothing_wrong_becomes_final_and_it_clears_up(walk, faulty, chain, seed):
    """A walk of rounds under faults at random, with reorganisations below the final depth; `--slow`: a long one."""
    steps = 40 if seed is not None else 1500
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    print("seed", seed)  # noqa: T201 - shown where it fails
    chooser = random.Random(seed)
    walk.change_plan(confirmations=6)
    chain.request("anvil_mine", "0x8")
    for _ in range(steps):
        if chooser.random() < 0.5:
            walk.fill()
        if chooser.random() < 0.5:
            faults = [*BROKEN.values(), frozen(chain.url)]
            faulty.weather(random.Random(chooser.random()), faults, chooser.choice((0.02, 0.1, 0.3)))
        elif chooser.random() < 0.5:
            faulty.heal()
        if chooser.random() < 0.3:
            for raw in reorganise(chain, chooser.randrange(1, 5)):
                if chooser.random() < 0.5:
                    walk.truth.development_request("eth_sendRawTransaction", raw)
        if chooser.random() < 0.5:
            chain.request("anvil_mine", hex(chooser.randrange(1, 4)))
        if chooser.random() < 0.1:
            walk.through(faulty.url)
            walk.change_plan(confirmations=6)
        walk.round(chooser.choice((1, 1, 3, 7)))
    faulty.heal()
    walk.settle(60)
