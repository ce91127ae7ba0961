"""Who calls is who called last, not who signed the transaction: rights are tried through another contract."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_utils import keccak

# A contract that copies its calldata from byte 32 on, sends it by CALL to the account in the first 32 bytes, and
# returns whether that succeeded.
FORWARDER = bytes.fromhex("602036038060205f375f5f825f5f5f355af15f5260205ff3")


@pytest.fixture
def through(contract):
    """Call the contract through the forwarder, as whoever signs; and the forwarder's address."""
    evm = contract.evm
    # PUSH1 length, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
    creation = bytes([0x60, len(FORWARDER), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + FORWARDER
    address = bytes.fromhex(evm.send(None, creation, evm.keys[0])["contractAddress"][2:])

    def call(name, *arguments, key):
        """Send the transaction; return whether the inner call succeeded."""
        data = contract.address.rjust(32, b"\0") + contract.data(name, *arguments)
        sender = bytes.fromhex(Account.from_key(key).address[2:])
        expected = bool(int.from_bytes(evm.call(address, data, sender), "big"))
        assert evm.send(address, data, key)["status"] == 1
        return expected

    return call, "0x" + address.hex()


def test_a_contract_that_the_operator_calls_does_not_anchor(contract, tree, through):
    call, _ = through
    assert not call("anchor", *tree.growth(0, 3), key=contract.operator)
    assert contract.read("head")[0] == 0


@pytest.mark.parametrize(
    ("name", "argument"),
    [("setOperator", "0x" + "11" * 20), ("setLogKey", b"\x07" * 32), ("transferOwnership", "0x" + "11" * 20)],
)
def test_a_contract_that_the_owner_calls_sets_nothing(contract, through, name, argument):
    call, _ = through
    before = contract.settings()
    assert not call(name, argument, key=contract.owner)
    assert contract.settings() == before


def test_a_contract_that_the_next_owner_calls_accepts_nothing(contract, through):
    call, _ = through
    heir = contract.evm.keys[5]
    contract.send("transferOwnership", Account.from_key(heir).address, key=contract.owner)
    before = contract.settings()
    assert not call("acceptOwnership", key=heir)
    assert contract.settings() == before


def test_a_contract_can_be_operator_and_owner(contract, tree, through):
    """Such as a wallet of several people: then everybody whom it lets call acts, whoever signs."""
    call, address = through
    stranger = contract.evm.keys[8]
    contract.send("setOperator", address, key=contract.owner)
    assert call("anchor", *tree.growth(0, 3), key=stranger)
    assert contract.read("head")[:2] == (3, tree.root(3))
    contract.send("transferOwnership", address, key=contract.owner)
    assert call("acceptOwnership", key=stranger)
    assert contract.read("owner") == address
    assert call("setLogKey", keccak(b"another"), key=stranger)
    assert contract.read("logKey") == keccak(b"another")
