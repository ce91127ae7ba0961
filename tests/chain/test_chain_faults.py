"""A chain, or its node, that misbehaves: each fault ends in the right state or in what says what to do.

After every round the anchors that are called final are compared with the real chain (`anchoring_walk`).
"""

from __future__ import annotations

import random
import time

import pytest
from anchoring_walk import PUBLIC, Walk
from conftest import running_anvil
from eth_account import Account
from faulty_node import (
    FaultyNode,
    Reply,
    answer,
    body,
    changed,
    cut,
    cut_short,
    frozen,
    hang,
    instead,
    lost,
    rpc_error,
    status,
    zeros,
)
from registry_world import OPERATOR, connect, open_world
from reorganisation import blocks, reorganise
from waiting import until

from anchor import log, node, tiles
from anchor.chain import EvmChain
from anchor.chain_port import AnchorCall
from anchor.view import StopAnchoringError
from registry import alarms
from registry.database import Database
from registry.digest import keccak256
from registry.errors import Unavailable

METHODS = (
    "eth_chainId",
    "eth_getBlockByNumber",
    "eth_call",
    "eth_getProof",
    "eth_getTransactionCount",
    "eth_getBalance",
    "eth_maxPriorityFeePerGas",
    "eth_sendRawTransaction",
)

BROKEN = {
    "429": status(429),
    "500": status(500),
    "503": status(503),
    "cut": cut,
    "lost": lost,
    "cut short": cut_short,
    "rate limit": rpc_error(-32005, "rate limited"),
    "null": answer(None),
    "{}": answer({}),
    "[]": answer([]),
    "0x": answer("0x"),
    "a number": answer(7),
    "below zero": answer("-0x1"),
    "huge": answer("0x" + "f" * 65),
    "wide": answer(hex(2**63)),
    "list": body(b"[]"),
    "no JSON": body(b"<html>"),
    "no result": body(b'{"jsonrpc":"2.0","id":1}'),
    "deep": body(b"[" * 100_000),
    "endless": zeros(50 * 1024 * 1024),
}


@pytest.fixture
def chain():
    with running_anvil("--chain-id", str(PUBLIC)) as anvil:
        yield anvil


@pytest.fixture
def faulty(chain):
    with FaultyNode(chain.url) as faulty_node:
        yield faulty_node


@pytest.fixture
def walk(chain, faulty, tmp_path, monkeypatch):
    monkeypatch.setattr(node, "TIMEOUT", 1)
    return Walk(Database(f"sqlite:///{tmp_path / 'deedlog.sqlite'}"), chain, faulty.url, confirmations=4)


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


@pytest.mark.parametrize("method", ["eth_call", "eth_getTransactionCount", "eth_getBlockByNumber", "eth_getProof"])
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
        connect(open_world(Database(f"sqlite:///{tmp_path / 'other.sqlite'}")), other.url, chain_id=5)
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


def test_a_transaction_that_never_mines_is_an_alarm_with_a_deadline(walk, chain):
    chain.automine(on=False)
    walk.fill()
    codes = walk.rounds(30, seconds=walk.world.anchorer._plan.chain.resend)
    assert {"alarm.anchor_late", "alarm.fee_limit"} <= codes
    assert [state for *_, state in walk.attempts()] == ["sent"]
    chain.automine(on=True)
    walk.settle()
    assert walk.nonces_used() == 1


def test_a_fee_spike_is_waited_out_within_the_limit(walk, chain):
    limit = 20 * 10**9
    walk.change_plan(max_fee=limit)
    chain.request("anvil_setNextBlockBaseFeePerGas", hex(10**12))
    chain.request("evm_mine")
    walk.fill()
    codes = walk.rounds(8, seconds=walk.world.anchorer._plan.chain.resend)
    assert "alarm.fee_limit" in codes
    assert walk.nonces_used() == 0
    with walk.world.database.read() as connection:
        offered = connection.exec_driver_sql("SELECT max_fee FROM anchor_transaction").scalars().all()
    assert max(map(int, offered)) <= limit
    chain.request("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.request("evm_mine")
    walk.settle()
    assert walk.nonces_used() == 1


def test_a_tip_that_a_node_made_up_stays_within_the_limit(walk, faulty):
    faulty.fault("eth_maxPriorityFeePerGas", answer(hex(10**20)))
    walk.fill()
    walk.settle()
    with walk.world.database.read() as connection:
        offered = connection.exec_driver_sql("SELECT max_fee FROM anchor_transaction").scalars().all()
    assert max(map(int, offered)) <= walk.world.anchorer._plan.chain.max_fee


def test_an_empty_account_is_an_alarm_until_it_is_funded(walk, chain):
    operator = "0x" + walk.world.identity.operator.hex()
    chain.request("anvil_setBalance", operator, "0x0")
    chain.request("evm_mine")
    walk.fill()
    assert walk.rounds(4) >= {"alarm.balance_low", "alarm.not_taken"}
    chain.request("anvil_setBalance", operator, hex(10**18))
    chain.request("evm_mine")
    walk.settle()
    assert walk.round() == set()


def of_operator(nonce):
    """Return a raw transaction of the operator's key that this registry did not make."""
    return Account.sign_transaction(
        {
            "type": 2,
            "chainId": PUBLIC,
            "nonce": nonce,
            "to": "0x" + "11" * 20,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 100 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        },
        OPERATOR,
    ).raw_transaction


def test_a_nonce_used_by_somebody_else_is_an_alarm_and_anchoring_goes_on(walk, chain):
    chain.automine(on=False)
    walk.fill()
    walk.rounds(1)
    chain.request("anvil_dropAllTransactions")
    chain.request("eth_sendRawTransaction", "0x" + of_operator(0).hex())
    chain.request("evm_mine")
    chain.automine(on=True)
    codes = walk.rounds(8, seconds=2)
    assert "alarm.nonce_taken" in codes
    walk.settle()
    assert [(nonce, state) for _, nonce, state in walk.attempts()] == [(0, "nonce_taken"), (1, "final")]
    assert walk.round() == set()


def test_a_nonce_that_the_node_counted_too_high_is_given_up(walk, faulty):
    walk.fill()
    faulty.fault("eth_getTransactionCount", answer("0x5"), times=1)
    walk.rounds(1)
    assert [(nonce, state) for _, nonce, state in walk.attempts()] == [(5, "sent")]
    walk.settle()
    assert [(nonce, state) for _, nonce, state in walk.attempts()] == [(5, "abandoned"), (0, "final")]
    # What was sent with the nonce that comes up later is void by then, and harms nothing.
    for _ in range(8):
        walk.fill()
        walk.settle()


def stuck_at_the_limit(walk, chain, faulty):
    """Let an attempt wait that cannot be replaced within the limit, and be given up by two wrong answers."""
    walk.fill()
    walk.settle()
    chain.automine(on=False)
    tip = walk.truth.tip()
    walk.change_plan(max_fee=walk.truth.fees(tip).max_fee * 11 // 10)
    walk.fill()
    walk.rounds(2)
    assert "alarm.fee_limit" in walk.rounds(2, seconds=5)
    faulty.fault("eth_getTransactionCount", answer("0x0"))
    walk.rounds(1, seconds=5)
    assert walk.attempts()[-1] == (2, 1, "sent")  # one answer does not do it
    walk.rounds(1, seconds=5)
    assert walk.attempts()[-1] == (2, 1, "abandoned")
    faulty.heal()


def test_what_was_given_up_and_is_signed_again_to_the_byte_goes_on(walk, faulty, chain):
    stuck_at_the_limit(walk, chain, faulty)
    walk.rounds(2)
    assert walk.attempts() == [(1, 0, "final"), (2, 1, "sent")]
    chain.automine(on=True)
    walk.settle()


def test_a_transaction_of_an_attempt_that_was_given_up_and_comes_up_is_no_theft(walk, faulty, chain):
    stuck_at_the_limit(walk, chain, faulty)
    with walk.world.database.read() as connection:
        [[raw]] = connection.exec_driver_sql("SELECT raw FROM anchor_transaction ORDER BY created_at DESC LIMIT 1")
    walk.change_plan(max_fee=500 * 10**9)
    walk.fill()
    walk.rounds(1)
    assert walk.attempts()[-2:] == [(2, 1, "abandoned"), (3, 1, "sent")]
    chain.request("anvil_dropAllTransactions")
    chain.request("eth_sendRawTransaction", "0x" + raw.hex())
    chain.request("evm_mine")
    chain.automine(on=True)
    codes = walk.rounds(8, seconds=2)
    assert "alarm.nonce_taken" not in codes
    walk.settle()
    assert [state for *_, state in walk.attempts()][-2:] == ["abandoned", "final"]


def test_a_nonce_that_was_used_before_ours_could_be_paid_for_is_noticed(walk, chain):
    operator = "0x" + walk.world.identity.operator.hex()
    chain.request("anvil_setBalance", operator, "0x0")
    chain.request("evm_mine")
    walk.fill()
    assert "alarm.not_taken" in walk.rounds(3)
    chain.request("anvil_setBalance", operator, hex(10**18))
    chain.request("eth_sendRawTransaction", "0x" + of_operator(0).hex())
    until(lambda: walk.nonces_used() == 1)
    walk.rounds(3, seconds=5)
    assert walk.attempts()[0] == (1, 0, "nonce_taken")
    walk.settle()


@pytest.mark.parametrize("covering", ["the same head", "a later head"])
def test_an_anchor_made_by_somebody_else_while_an_attempt_is_open(walk, chain, covering):
    chain.automine(on=False)
    walk.fill(2)
    walk.rounds(1)
    chain.request("anvil_dropAllTransactions")
    if covering == "a later head":
        walk.fill(2)
    with walk.world.database.read() as connection:
        size = log.state(connection).size
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
    for number in range(20):
        walk.fill(2)
        with walk.world.database.read() as connection:
            size = log.state(connection).size
            root, _ = log.checked_head(connection, size)
        with walk.world.database.read() as connection:
            proof = tiles.consistency_proof(log.tile_reader(connection), sizes[-1], size) if sizes else []
        call = AnchorCall(walk.world.identity.address, sizes[-1] if sizes else 0, size, root, tuple(proof))
        port.send(port.sign(call, OPERATOR, PUBLIC, number, port.fees(port.tip()))[1])
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


@pytest.mark.parametrize("seed", [1, 2, pytest.param(None, marks=pytest.mark.slow)])
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
