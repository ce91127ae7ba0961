"""A node that fails, lags or lies: each fault ends in the right state or in what says what to do.

After every round the anchors that are called final are compared with the real chain (`anchoring_walk`).
"""

from __future__ import annotations

import random
import time

import pytest
from support.faults.broken_answers import BROKEN, METHODS
from support.faults.node_faults import Reply, changed, cut, frozen, hang, instead, lost, rpc_error
from support.faults.reorganisation import blocks, reorganise
from support.worlds.chains.anvil import running_anvil
from support.worlds.registries.registry_world import connect, open_world

from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.registry.errors import Unavailable
from deedlog.registry.keccak import keccak256
from deedlog.registry.store import alarms
from deedlog.registry.store.database import Database

SOME = {name: (METHODS[at % 8], METHODS[(3 * at + 1) % 8]) for at, name in enumerate(BROKEN)}
"""Each fault with two methods, each method with five faults; the rest takes long."""


@pytest.mark.parametrize("methods", ["some methods", pytest.param("each method", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", BROKEN)
def test_answers_that_are_none_are_waited_out(walk, faulty, name, methods):
    met = {}
    chosen = METHODS if methods == "each method" else SOME[name]
    for method in chosen:
        walk.fill()
        before = faulty.count(method)
        faulty.fault(method, BROKEN[name])
        met[method] = walk.rounds(2)
        assert faulty.count(method) > before
        faulty.heal()
        walk.rounds(3, seconds=2)
        walk.check_settled()
    # What goes wrong is said, except where it does no harm: a transaction that was not taken is sent again.
    quiet = {method for method, codes in met.items() if not codes}
    assert quiet <= {"eth_sendRawTransaction", "eth_getBalance", "eth_getTransactionCount", "eth_maxPriorityFeePerGas"}
    walk.settle()
    assert walk.nonces_used() == len(chosen)


def test_words_of_a_node_that_are_no_text_can_be_kept_as_an_alarm(walk, faulty):
    walk.fill()
    faulty.fault("eth_call", rpc_error(-32000, "\ud800 over\nhere, /v3/a-secret-of-32-letters"))
    assert walk.round() == {"chain.refused"}
    with pytest.raises(Unavailable) as refused:
        walk.world.anchorer.tick(walk.world.now + 1)
    with walk.world.database.write() as connection:
        alarms.put(connection, "anchorer", {"chain.refused": refused.value.params}, walk.world.now)
    with walk.world.database.read() as connection:
        [alarm] = alarms.alarms(connection)
    assert alarm.params["message"] == "  over here, /v3/a-secret-of-32-letters"


def test_a_secret_of_the_nodes_url_is_not_in_its_words(walk, faulty):
    walk.world.anchorer._port = EvmChain(faulty.url + "/v3/a-secret-of-32-letters")
    faulty.fault(None, rpc_error(-32000, "project a-secret-of-32-letters has no credit"))
    with pytest.raises(Unavailable) as refused:
        walk.world.anchorer.tick(walk.world.now + 1)
    assert refused.value.params["message"] == "project … has no credit"


@pytest.mark.usefixtures("impatient")
def test_a_node_that_drips_is_given_up_on(walk, faulty):
    def dripping(call):
        content = call.forward().content

        def pieces():
            for at in range(len(content)):
                time.sleep(0.05)
                yield content[at : at + 1]

        return Reply(pieces(), len(content))

    faulty.fault("eth_getBlockByNumber", dripping)
    assert walk.round() == {"chain.unreachable"}


@pytest.mark.usefixtures("impatient")
def test_a_node_that_hangs_is_given_up_on_and_asked_again(walk, faulty):
    walk.fill()
    faulty.fault("eth_call", hang)
    assert walk.round() == {"chain.unreachable"}
    faulty.heal()
    walk.settle()


@pytest.mark.parametrize(("fault", "happened"), [(cut, False), (lost, True)], ids=["not sent", "sent, answer lost"])
def test_a_transaction_whose_sending_failed_is_paid_once(walk, faulty, fault, happened):
    walk.fill()
    faulty.fault("eth_sendRawTransaction", fault, times=1)
    assert walk.round() == {"chain.unreachable"}
    assert walk.nonces_used() == happened
    walk.rounds(3)
    walk.check_settled()
    assert walk.nonces_used() == walk.transactions() == 1


def test_a_receipt_that_is_lost_is_not_needed(walk, faulty):
    walk.fill()
    faulty.fault("eth_getTransactionReceipt", cut)
    walk.settle()
    assert faulty.count("eth_getTransactionReceipt") == 0


def test_a_node_that_lags_takes_no_anchor_away_and_makes_none_final(walk, faulty, chain):
    stale = frozen(chain.url)
    for _ in range(2):
        walk.fill()
        walk.rounds(2)
    kept = walk.anchors()
    assert len(kept) == 2
    chain.request("anvil_mine", "0x8")
    faulty.fault(None, stale)
    walk.rounds(6)
    assert walk.anchors() == kept
    faulty.heal()
    walk.settle()
    assert walk.nonces_used() == 2


def test_a_node_that_lags_behind_a_final_anchor_is_not_heard(walk, faulty, chain):
    walk.fill()
    stale = frozen(chain.url)
    walk.settle()
    walk.fill()
    faulty.fault(None, stale)
    assert walk.rounds(3) == {"chain.behind"}
    faulty.heal()
    walk.settle()


@pytest.mark.parametrize(
    "method",
    [
        *("eth_call", "eth_getProof"),
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("eth_getTransactionCount", "eth_getBlockByNumber")),
    ],
)
def test_one_of_several_nodes_behind_a_url_lags(walk, faulty, chain, method):
    walk.fill()
    walk.rounds(2)
    stale = frozen(chain.url)
    for _ in range(6):
        walk.fill()
        faulty.fault(method, stale, times=1)
        walk.rounds(2)
        faulty.fault(method, stale, times=3)
        walk.rounds(2)
        faulty.heal()
        walk.rounds(3, seconds=3)
        walk.check_settled()
    walk.settle()
    assert {state for *_, state in walk.attempts()} == {"final"}


@pytest.mark.parametrize("seed", range(4))
def test_a_branch_that_was_lost_makes_nothing_final(walk, faulty, chain, seed):
    """Now and then an answer comes from a node on the lost branch, where the anchor's block would be deep enough."""
    chooser = random.Random(seed)
    walk.fill()
    walk.rounds(2)
    [lost_block] = blocks(chain, walk.anchors()[0].proof_number, walk.anchors()[0].proof_number)
    raw = reorganise(chain, 1)
    chain.request("anvil_mine", "0x10")
    before = [False]

    def sometimes(block):
        known = block is not None and block["number"] == lost_block["number"]
        before[0] = known and not before[0] and chooser.random() < 0.5  # never twice in a row
        return lost_block if before[0] else block

    faulty.fault("eth_getBlockByNumber", changed(sometimes))
    walk.rounds(12)
    assert walk.finals.get(1) != bytes.fromhex(lost_block["hash"][2:])
    assert len(raw) == 1
    faulty.heal()
    walk.settle()


def test_another_chain_in_mid_run_is_named_and_nothing_is_sent_there(walk, faulty, tmp_path):
    with running_anvil("--chain-id", "5") as other:
        connect(open_world(Database(f"sqlite:///{tmp_path / 'other.sqlite'}"), chains=(5,)), other.url, chain_id=5)
        walk.fill()
        walk.rounds(2)
        kept = walk.anchors()
        walk.fill()
        faulty.fault(None, instead(other.url))
        assert walk.rounds(3) == {"chain.other_chain"}
        assert walk.anchors() == kept
        assert (
            int(other.request("eth_getTransactionCount", "0x" + walk.world.identity.operator.hex(), "latest"), 16) == 0
        )
    faulty.heal()
    walk.settle()


def test_a_root_that_the_node_made_up_stops_nothing_and_is_not_believed(walk, faulty):
    walk.fill()
    walk.rounds(2)
    kept = walk.anchors()
    selector = "0x" + keccak256(b"head()")[:4].hex()
    lying = changed(lambda words: words[:66] + "ab" * 32 + words[130:])
    faulty.fault("eth_call", lying, where=lambda params: params[0]["data"].startswith(selector))
    assert walk.rounds(3) == {"chain.contradicts"}
    larger = changed(lambda words: "0x" + (99).to_bytes(32, "big").hex() + words[66:])
    faulty.heal()
    faulty.fault("eth_call", larger, where=lambda params: params[0]["data"].startswith(selector))
    assert walk.rounds(3) == {"chain.contradicts"}
    assert walk.anchors() == kept
    faulty.heal()
    walk.settle()


def test_a_proof_with_a_flipped_bit_is_not_kept(walk, faulty):
    def flipped(proof):
        last = proof["storageProof"][0]["proof"]
        last[-1] = last[-1][:-1] + format(int(last[-1][-1], 16) ^ 1, "x")
        return proof

    walk.fill()
    faulty.fault("eth_getProof", changed(flipped))
    assert walk.rounds(4) == {"chain.contradicts"}
    assert walk.anchors() == []
    faulty.heal()
    walk.settle()


def test_a_block_that_does_not_have_its_hash_is_not_believed(walk, faulty):
    walk.fill()
    faulty.fault("eth_getBlockByNumber", changed(lambda block: block | {"stateRoot": "0x" + "00" * 32}))
    assert walk.round() == {"chain.unknown_fields"}
    faulty.heal()
    walk.settle()
