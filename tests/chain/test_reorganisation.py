"""Reorganisations of anvil, which other tests rely on."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from support.faults.reorganisation import blocks, reorganise
from support.worlds.session.waiting import until

from deedlog.registry.keccak import keccak256


def whole_chain(anvil):
    return blocks(anvil, 0, int(anvil.request("eth_blockNumber"), 16))


def pay(anvil):
    payer, payee = anvil.request("eth_accounts")[:2]
    transaction = anvil.request("eth_sendTransaction", {"from": payer, "to": payee, "value": "0x1"})
    until(lambda: block_of(anvil, transaction) is not None)  # anvil answers before it has mined
    return transaction


def block_of(anvil, transaction):
    receipt = anvil.request("eth_getTransactionReceipt", transaction)
    return None if receipt is None else int(receipt["blockNumber"], 16)


def nonce(anvil):
    return int(anvil.request("eth_getTransactionCount", anvil.request("eth_accounts")[0], "latest"), 16)


@pytest.mark.parametrize("depth", [1, 2, 5, 33, 64])
def test_blocks_are_others_exactly_from_the_fork_on(anvil, depth):
    anvil.request("anvil_mine", "0x40")
    pay(anvil)
    old = whole_chain(anvil)
    reorganise(anvil, depth)
    new = whole_chain(anvil)
    assert len(new) == len(old) == 66
    assert [a["hash"] == b["hash"] for a, b in zip(old, new, strict=True)] == [True] * (66 - depth) + [False] * depth
    assert all(below["hash"] == above["parentHash"] for below, above in pairwise(new))


def test_later_blocks_have_the_time_of_day(anvil):
    anvil.request("anvil_mine", "0x2")
    time.sleep(3)
    reorganise(anvil, 1)
    mined_after = int(time.time())
    anvil.request("evm_mine")
    assert int(whole_chain(anvil)[-1]["timestamp"], 16) >= mined_after - 1


def test_what_was_taken_out_does_not_return_by_itself(anvil):
    kept, first, second = pay(anvil), pay(anvil), pay(anvil)
    taken_out = reorganise(anvil, 2)
    assert len(taken_out) == 2
    anvil.request("anvil_mine", "0x2")
    assert [block_of(anvil, transaction) for transaction in (kept, first, second)] == [1, None, None]
    assert nonce(anvil) == 1
    assert [anvil.request("eth_sendRawTransaction", raw) for raw in taken_out] == [first, second]
    until(lambda: nonce(anvil) == 3)


def test_what_was_taken_out_returns_in_the_block_that_was_asked(anvil):
    first, second = pay(anvil), pay(anvil)
    anvil.request("anvil_mine", "0x2")
    assert reorganise(anvil, 1) == []
    raw = [anvil.request("eth_getRawTransactionByHash", transaction) for transaction in (first, second)]
    assert reorganise(anvil, 4, [(raw[0], 1), (raw[1], 3)]) == raw
    assert (block_of(anvil, first), block_of(anvil, second)) == (2, 4)


def test_another_transaction_takes_the_nonce(anvil):
    payer, payee = anvil.request("eth_accounts")[:2]
    first = pay(anvil)
    reorganise(anvil, 1, [({"from": payer, "to": payee, "value": "0x2"}, 0)])
    assert block_of(anvil, first) is None
    assert nonce(anvil) == 1


def test_state_is_proven_at_every_block_of_the_new_chain(anvil):
    for _ in range(6):
        pay(anvil)
    anvil.request("eth_sendRawTransaction", reorganise(anvil, 3)[0])
    payer = anvil.request("eth_accounts")[0]
    proven = []
    for block in whole_chain(anvil)[1:]:
        proof = anvil.request("eth_getProof", payer, [], block["number"])
        assert "0x" + keccak256(bytes.fromhex(proof["accountProof"][0][2:])).hex() == block["stateRoot"]
        proven.append(int(proof["nonce"], 16))
    assert proven == [1, 2, 3, 3, 3, 3, 4]
