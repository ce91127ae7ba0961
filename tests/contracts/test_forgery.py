"""Anybody can put this very code on a chain with any state under it; only the address tells it apart."""

from __future__ import annotations

from eth_utils import keccak

from deedlog.anchor.evm.identity import DETERMINISTIC_DEPLOYER


def test_a_contract_made_with_forged_state_answers_like_the_real_one_elsewhere(contract, tree, evm):
    """No debugging node is needed for it: creation code that writes heads first and then returns the same code."""
    root, word = tree.root(9), 9 | 1_000_000_000 << 64 | 4 << 128 | 1 << 192
    forged = contract.forged({"root": root, root: word})
    assert evm.code(forged.address) == evm.code(contract.address)
    assert forged.read("head") == (9, root, 1_000_000_000)
    assert forged.read("headOf", root) == (9, 1_000_000_000, 4, 1)
    assert forged.read("verifyEntry", tree.entries[5], 5, root, tree.inclusion(5, 9))

    assert forged.address != contract.identity.address
    assert contract.read("headOf", root) == (0, 0, 0, 0)


def test_the_deployer_with_the_same_salt_puts_it_elsewhere_too(contract, tree, evm):
    """CREATE2 hashes the creation code: one that writes something else first is another."""
    creation = contract.forgery({"root": tree.root(9), tree.root(9): 9})
    data = contract.identity.salt + creation
    made = evm.call(DETERMINISTIC_DEPLOYER, data, contract.identity.owner)
    assert evm.send(DETERMINISTIC_DEPLOYER, data, evm.keys[0])["status"] == 1
    assert evm.code(made) == evm.code(contract.address)
    assert made == keccak(b"\xff" + DETERMINISTIC_DEPLOYER + contract.identity.salt + keccak(creation))[12:]
    assert made != contract.identity.address
