"""`anchorFor`: anybody brings a head that the operator signed; eth-account is the oracle for signatures."""

from __future__ import annotations

import dataclasses

import pytest
from eth_account import Account

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NOBODY = "0x" + "00" * 20


def signed(contract, size: int, root: bytes, key: bytes | None = None, **domain) -> bytes:
    """Return the operator's (or another's) 65 bytes over a head, in this contract's domain unless told otherwise."""
    domain = {
        "name": "Deedlog",
        "version": "1",
        "chainId": contract.evm.chain_id,
        "verifyingContract": "0x" + contract.address.hex(),
    } | domain
    types = {"Head": [{"name": "size", "type": "uint64"}, {"name": "root", "type": "bytes32"}]}
    head = {"size": size, "root": root}
    return bytes(Account.sign_typed_data(key or contract.operator, domain, types, head).signature)


@pytest.fixture
def relay(contract, tree):
    """Relay a head as somebody who is nobody here; the next head is that of 5 entries after 3."""
    contract.send("anchor", *tree.growth(0, 3))
    stranger = contract.evm.keys[7]

    def refused(signature: bytes, growth=None):
        return contract.refused("anchorFor", *(growth or tree.growth(3, 5)), signature, key=stranger)

    def accepted(signature: bytes, growth=None):
        return contract.send("anchorFor", *(growth or tree.growth(3, 5)), signature, key=stranger)

    return refused, accepted


def test_anybody_relays_what_the_operator_signed(contract, tree, relay):
    _, accepted = relay
    receipt = accepted(signed(contract, 5, tree.root(5)))
    assert len(receipt["logs"]) == 1
    assert contract.read("head")[:2] == (5, tree.root(5))
    assert contract.read("headOf", tree.root(5))[2] == 3


def test_a_first_head_can_be_relayed(contract, tree):
    contract.send("anchorFor", *tree.growth(0, 4), signed(contract, 4, tree.root(4)), key=contract.evm.keys[7])
    assert contract.read("head")[:2] == (4, tree.root(4))


def test_a_signature_does_not_stand_in_for_a_proof(contract, tree, relay):
    refused, _ = relay
    fork = type(tree)([b"another", *tree.entries[1:]])
    growth = fork.growth(3, 5)
    assert refused(signed(contract, 5, growth[2]), growth) == ("NotConsistent", 3, 5, growth[2])


def test_a_replay_changes_nothing(contract, tree, relay):
    refused, accepted = relay
    signature = signed(contract, 5, tree.root(5))
    accepted(signature)
    assert refused(signature) == ("HeadMoved", 3, 5)
    assert refused(signature, (5, 5, tree.root(5), [])) == ("SizeNotLarger", 5, 5)


def test_a_late_relay_finds_the_head_moved(contract, tree, relay):
    refused, _ = relay
    contract.send("anchor", *tree.growth(3, 8))
    late = signed(contract, 5, tree.root(5))
    assert refused(late) == ("HeadMoved", 3, 8)
    assert refused(late, (8, 5, tree.root(5), [])) == ("SizeNotLarger", 5, 8)


def test_the_signature_is_over_the_head_and_not_over_where_it_starts(contract, tree, relay):
    """It was made when 3 entries were anchored; then 4 were; the relay rebuilds the proof, the signature holds."""
    _, accepted = relay
    signature = signed(contract, 5, tree.root(5))
    contract.send("anchor", *tree.growth(3, 4))
    accepted(signature, tree.growth(4, 5))


@pytest.mark.parametrize("signer", [0, 1, 7])
def test_another_signer_is_refused_and_named(contract, tree, relay, signer):
    refused, _ = relay
    key = contract.evm.keys[signer]
    error = refused(signed(contract, 5, tree.root(5), key))
    assert error == ("SignatureRefused", Account.from_key(key).address.lower())


@pytest.mark.parametrize(
    "domain",
    [
        {"chainId": 1},
        {"verifyingContract": "0x" + "11" * 20},
        {"name": "Deedlog2"},
        {"version": "2"},
    ],
    ids=lambda domain: next(iter(domain)),
)
def test_a_signature_for_elsewhere_is_refused(contract, tree, relay, domain):
    refused, _ = relay
    name, recovered = refused(signed(contract, 5, tree.root(5), **domain))
    assert name == "SignatureRefused"
    assert recovered not in {NOBODY, "0x" + contract.identity.operator.hex()}


def test_a_signature_for_another_registry_of_the_same_operator_is_refused(contract, tree, relay):
    identity = dataclasses.replace(contract.identity, origin="other.example.com/log")
    assert contract.evm.deploy(identity, contract.evm.keys[0])["status"] == 1
    other = dataclasses.replace(contract, identity=identity, address=identity.address)
    other.send("anchor", *tree.growth(0, 3))
    signature = signed(contract, 5, tree.root(5))
    assert other.refused("anchorFor", *tree.growth(3, 5), signature)[0] == "SignatureRefused"
    _, accepted = relay
    accepted(signature)


def test_the_chain_id_is_the_one_of_now(contract, tree, relay):
    """After a fork of the chain that takes another id, signatures for the old id are no longer good there."""
    if not contract.evm.is_anvil:
        pytest.skip("py-evm cannot change its chain id")
    refused, accepted = relay
    before = contract.evm.chain_id
    old = signed(contract, 5, tree.root(5))
    contract.evm.request("anvil_setChainId", before + 1)
    try:
        assert refused(old)[0] == "SignatureRefused"
        accepted(signed(contract, 5, tree.root(5), chainId=before + 1))
    finally:
        contract.evm.request("anvil_setChainId", before)


@pytest.mark.parametrize(("size", "entries"), [(5, 6), (6, 5)])
def test_size_and_root_are_signed_together(contract, tree, relay, size, entries):
    refused, _ = relay
    name, recovered = refused(signed(contract, size, tree.root(entries)))
    assert name == "SignatureRefused"
    assert recovered != NOBODY


def test_the_twin_with_a_high_s_is_refused(contract, tree, relay):
    refused, accepted = relay
    signature = signed(contract, 5, tree.root(5))
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    twin = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    assert refused(twin) == ("SignatureRefused", NOBODY)
    accepted(signature)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 35, 255])
def test_v_is_27_or_28(contract, tree, relay, v):
    refused, _ = relay
    assert refused(signed(contract, 5, tree.root(5))[:64] + bytes([v])) == ("SignatureRefused", NOBODY)


@pytest.mark.parametrize("length", [0, 1, 64, 66, 97])
def test_a_signature_has_65_bytes(contract, tree, relay, length):
    refused, _ = relay
    signature = signed(contract, 5, tree.root(5)).ljust(length, b"\0")[:length]
    assert refused(signature) == ("SignatureRefused", NOBODY)


@pytest.mark.parametrize("r", [0, ORDER], ids=["zero", "order"])
def test_a_signature_that_recovers_nobody_is_refused(relay, r):
    refused, _ = relay
    signature = r.to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\x1b"
    assert refused(signature) == ("SignatureRefused", NOBODY)


def test_nobody_is_refused_even_where_the_operator_is_nobody(contract, tree):
    """The zero that ecrecover gives is no account. Nothing makes zero the operator, so that state is forged."""
    forged = contract.forged({"root": tree.root(3), tree.root(3): 3}, operator=bytes(20))
    assert forged.read("operator") == NOBODY
    signature = bytes(32) + (1).to_bytes(32, "big") + b"\x1b"
    assert forged.refused("anchorFor", *tree.growth(3, 5), signature) == ("SignatureRefused", NOBODY)


def test_a_former_operator_signs_no_more(contract, tree, relay):
    refused, accepted = relay
    new = contract.evm.keys[4]
    contract.send("setOperator", Account.from_key(new).address, key=contract.owner)
    error = refused(signed(contract, 5, tree.root(5)))
    assert error == ("SignatureRefused", "0x" + contract.identity.operator.hex())
    accepted(signed(contract, 5, tree.root(5), new))


def test_a_moved_head_is_told_before_the_signature_is_looked_at(tree, relay):
    refused, _ = relay
    assert refused(b"", tree.growth(4, 5)) == ("HeadMoved", 4, 3)
