"""The registry address commits to code and arguments; code read from a chain commits to nothing."""

from __future__ import annotations

import dataclasses

import pytest
from eth_utils import keccak, to_checksum_address

from deedlog.anchor.evm import state_proof
from deedlog.anchor.evm.identity import DETERMINISTIC_DEPLOYER, Head, RegistryIdentity, head_slot

OTHER_LOG_KEY = bytes.fromhex("58" + "66" * 31)  # Ed25519's base point


@pytest.fixture
def on_anvil(evm):
    if not evm.is_anvil:
        pytest.skip("py-evm serves no proofs and forges no state")
    return evm


@pytest.fixture
def anchored(contract, tree):
    """The contract with two heads."""
    contract.send("anchor", *tree.growth(0, 5))
    contract.send("anchor", *tree.growth(5, 13))
    return contract


def others(identity: RegistryIdentity):
    """Return identities that differ from this one in one thing each."""
    changes = {
        "salt": bytes(32),
        "origin": identity.origin + "2",
        "log_key": OTHER_LOG_KEY,
        "owner": identity.operator,
        "operator": identity.owner,
        "chains": (*identity.chains, 2**53 - 1),
    }
    return [dataclasses.replace(identity, **{name: value}) for name, value in changes.items()]


def test_the_address_computed_offline_is_where_the_deployer_puts_it(contract, evm):
    for identity in others(contract.identity):
        assert not evm.code(identity.address)
        receipt = evm.deploy(identity, evm.keys[0])
        assert receipt["status"] == 1
        # The constructor's events come from the contract itself: the chain says where it is.
        assert {log["address"] for log in receipt["logs"]} == {to_checksum_address(identity.address)}
        there = dataclasses.replace(contract, address=identity.address)
        assert there.read("origin") == identity.origin
        assert there.read("logKey") == identity.log_key
        assert there.read("owner") == "0x" + identity.owner.hex()
        assert there.read("operator") == "0x" + identity.operator.hex()
        assert there.read("head") == (0, bytes(32), 0)


def test_the_address_is_eip_1014s(contract):
    """EIP-1014: keccak256(0xff ‖ deployer ‖ salt ‖ keccak256(init code))[12:], on the bytes that the deployer got."""
    identity = contract.identity
    preimage = b"\xff" + DETERMINISTIC_DEPLOYER + identity.salt + keccak(identity.initialisation_code())
    assert contract.address == keccak(preimage)[12:]


def test_each_thing_that_it_commits_to_changes_the_address(contract):
    addresses = {identity.address for identity in others(contract.identity)}
    assert len(addresses | {contract.address}) == 7


def test_every_registry_has_the_same_runtime_code(contract, evm):
    """So neither code nor its hash says whose registry it is."""
    code = evm.code(contract.address)
    for identity in others(contract.identity):
        evm.deploy(identity, evm.keys[0])
        assert evm.code(identity.address) == code


def test_the_same_registry_cannot_be_made_twice(anchored, evm):
    head = anchored.read("head")
    receipt = evm.deploy(anchored.identity, evm.keys[0])
    assert receipt["status"] == 0
    assert anchored.read("head") == head


def test_made_by_anybody_else_it_is_elsewhere(contract, evm):
    receipt = evm.send(None, contract.identity.initialisation_code(), evm.keys[0])
    address = bytes.fromhex(receipt["contractAddress"][2:])
    assert evm.code(address) == evm.code(contract.address)
    assert address != contract.address


def test_the_same_code_with_a_forged_state_is_elsewhere(anchored, on_anvil, tree):
    """It answers as the real one would about a log that nobody anchored; only its address tells."""
    elsewhere = keccak(b"a forger's")[12:]
    on_anvil.request("anvil_setCode", to_checksum_address(elsewhere), "0x" + on_anvil.code(anchored.address).hex())
    root = keccak(b"a forged root")
    word = (13).to_bytes(8, "big").rjust(32, b"\0")
    for slot, value in ((head_slot(root), word), ((1).to_bytes(32, "big"), root)):
        on_anvil.request("anvil_setStorageAt", to_checksum_address(elsewhere), "0x" + slot.hex(), "0x" + value.hex())
    forged = dataclasses.replace(anchored, address=elsewhere)
    assert on_anvil.code(elsewhere) == on_anvil.code(anchored.address)
    assert forged.read("head") == (13, root, 0)
    assert anchored.read("head")[:2] == (13, tree.root(13))
    assert anchored.identity.address == anchored.address != elsewhere


def test_a_head_lies_in_the_slot_that_the_format_names(anchored, on_anvil, tree):
    """`eth_getProof` of `head_slot(root)`: the packed word, for the last head and for the one before."""
    for size, previous in ((5, 0), (13, 5)):
        root = tree.root(size)
        block = on_anvil.request("eth_getBlockByNumber", *("latest", False))
        slot = head_slot(root)
        proof = on_anvil.request(
            "eth_getProof", to_checksum_address(anchored.address), ["0x" + slot.hex()], block["number"]
        )
        word = int(proof["storageProof"][0]["value"], 16).to_bytes(32, "big")
        _, time, _, number = kept = anchored.read("headOf", root)
        assert kept == (size, time, previous, number)
        assert int.from_bytes(word, "big") == size | time << 64 | previous << 128 | number << 192
        assert Head.unpack(word) == Head(size, time, previous, number)
        # And the proof is one: it leads from the block's header to this very word.
        header = state_proof.parse_header(state_proof.encode_header(block))
        account_proof, storage_proof = (
            [bytes.fromhex(node[2:]) for node in nodes]
            for nodes in (proof["accountProof"], proof["storageProof"][0]["proof"])
        )
        assert state_proof.storage_value(header, anchored.address, slot, account_proof, storage_proof) == word


def test_a_root_that_is_no_head_has_an_empty_slot(anchored, on_anvil, tree):
    slot = "0x" + head_slot(tree.root(6)).hex()
    proof = on_anvil.request("eth_getProof", to_checksum_address(anchored.address), [slot], "latest")
    assert int(proof["storageProof"][0]["value"], 16) == 0
