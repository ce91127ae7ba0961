"""`anchor`: who may, from where, to what, and what is kept of it."""

from __future__ import annotations

import pytest
from eth_utils import keccak, to_checksum_address

from deedlog.anchor.evm.identity import Head, head_slot

ZERO = bytes(32)


def test_there_is_no_head_before_the_first(contract, tree):
    assert contract.read("head") == (0, ZERO, 0)
    assert contract.read("headOf", tree.root(1)) == (0, 0, 0, 0)
    assert contract.read("headOf", ZERO) == (0, 0, 0, 0)


def test_heads_follow_each_other_and_stay(contract, tree, evm):
    kept = {}
    for old, new in [(0, 3), (3, 4), (4, 11), (11, 64)]:
        receipt = contract.send("anchor", *tree.growth(old, new))
        block = evm.web3.eth.get_block(receipt["blockNumber"])
        assert contract.read("head") == (new, tree.root(new), block["timestamp"])
        kept[tree.root(new)] = (new, block["timestamp"], old, block["number"])
        assert {root: contract.read("headOf", root) for root in kept} == kept


def test_a_head_is_one_word_in_the_slot_of_its_root(contract, tree, evm):
    """keccak256(root ‖ slot 0): what state proofs in bundles rest on. It stays when later heads come."""
    for old, new in [(0, 3), (3, 7), (7, 50)]:
        contract.send("anchor", *tree.growth(old, new))
    for old, new in [(0, 3), (3, 7), (7, 50)]:
        _, time, _, block = contract.read("headOf", tree.root(new))
        slot = head_slot(tree.root(new))
        assert slot == keccak(tree.root(new) + bytes(32))
        stored = evm.web3.eth.get_storage_at(to_checksum_address(contract.address), int.from_bytes(slot, "big"))
        word = bytes(stored).rjust(32, b"\0")
        assert int.from_bytes(word, "big") == new | time << 64 | old << 128 | block << 192
        assert Head.unpack(word) == Head(new, time, old, block)


def test_the_event_names_root_size_and_previous_size(contract, tree):
    contract.send("anchor", *tree.growth(0, 3))
    (log,) = contract.send("anchor", *tree.growth(3, 5))["logs"]
    assert [bytes(topic) for topic in log["topics"]] == [
        keccak(text="Anchored(bytes32,uint64,uint64)"),
        tree.root(5),
        (5).to_bytes(32, "big"),
    ]
    assert bytes(log["data"]) == (3).to_bytes(32, "big")
    assert bytes.fromhex(log["address"][2:]) == contract.address


def test_only_the_operator_anchors(contract, tree, evm):
    for person in (0, 1, 3):  # somebody, the owner, somebody
        key = evm.keys[person]
        error = contract.refused("anchor", *tree.growth(0, 2), key=key)
        assert error == ("NotOperator", evm.web3.eth.account.from_key(key).address.lower())


@pytest.mark.parametrize("size", [0, 1, 4, 5])
def test_a_size_that_is_not_larger_is_refused(contract, tree, size):
    contract.send("anchor", *tree.growth(0, 5))
    assert contract.refused("anchor", 5, size, tree.root(7), []) == ("SizeNotLarger", size, 5)
    # Nor with a proof that holds for the larger of the two sizes.
    assert contract.refused("anchor", 5, size, tree.root(7), tree.growth(5, 7)[3]) == ("SizeNotLarger", size, 5)


def test_the_same_size_with_the_same_root_is_refused_too(contract, tree):
    contract.send("anchor", *tree.growth(0, 5))
    assert contract.refused("anchor", 5, 5, tree.root(5), []) == ("SizeNotLarger", 5, 5)


def test_the_first_head_has_a_size_a_root_and_no_proof(contract, tree):
    assert contract.refused("anchor", 0, 0, tree.root(1), []) == ("SizeNotLarger", 0, 0)
    assert contract.refused("anchor", 0, 4, ZERO, []) == ("RootRefused", ZERO)
    assert contract.refused("anchor", 0, 4, tree.root(4), [tree.root(3)]) == ("ProofLength", 1)
    contract.send("anchor", 0, 4, tree.root(4), [])


def test_a_second_head_needs_a_proof(contract, tree):
    contract.send("anchor", *tree.growth(0, 3))
    assert contract.refused("anchor", 3, 4, tree.root(4), []) == ("NotConsistent", 3, 4, tree.root(4))
    # Starting over from nothing is not a way round it.
    assert contract.refused("anchor", 0, 4, tree.root(4), []) == ("HeadMoved", 0, 3)


@pytest.mark.parametrize("start", [0, 3, 6, 64, 2**64 - 1])
def test_another_start_is_a_moved_head_and_not_a_bad_proof(contract, tree, start, evm):
    contract.send("anchor", *tree.growth(0, 5))
    _, new, root, proof = tree.growth(5, 9)
    assert contract.refused("anchor", start, new, root, proof) == ("HeadMoved", start, 5)
    # It comes first: before the operator, the size, the proof's length.
    assert contract.refused("anchor", start, 0, ZERO, [ZERO] * 65, key=evm.keys[0]) == ("HeadMoved", start, 5)


def test_a_root_that_is_a_head_already_is_never_overwritten(contract, tree):
    """No honest log comes back to an earlier root, so the state in which it would is forged, under the real code."""
    forged = contract.forged({"root": tree.root(5), tree.root(5): 5, tree.root(9): 2 << 64 | 7})
    assert forged.read("head")[:2] == (5, tree.root(5))
    assert forged.refused("anchor", *tree.growth(5, 9)) == ("RootRefused", tree.root(9))
    forged.send("anchor", *tree.growth(5, 10))


def test_ether_is_refused(contract, evm):
    assert evm.send(contract.address, b"", evm.keys[0], value=1)["status"] == 0
    assert evm.send(contract.address, contract.data("acceptOwnership"), evm.keys[0], value=1)["status"] == 0
