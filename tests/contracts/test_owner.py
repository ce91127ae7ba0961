"""What the owner can do, what only the owner can do, and with what a contract can be made."""

from __future__ import annotations

import dataclasses
import itertools

import eth_abi
import pytest
from eth_account import Account
from eth_utils import keccak

from deedlog.anchor.contract import current, rights_anchor
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.registry.errors import InvalidData

NOBODY = "0x" + "00" * 20


def address(key: bytes) -> str:
    return Account.from_key(key).address.lower()


def event(receipt) -> tuple[bytes, list[bytes]]:
    (log,) = receipt["logs"]
    topics = [bytes(topic) for topic in log["topics"]]
    return topics[0], [topic[12:] for topic in topics[1:]]


def test_a_new_contract_is_what_its_identity_says(contract):
    assert contract.settings() == {
        "head": (0, bytes(32), 0),
        "owner": "0x" + contract.identity.owner.hex(),
        "pendingOwner": NOBODY,
        "operator": "0x" + contract.identity.operator.hex(),
        "logKey": contract.identity.log_key,
        "origin": contract.identity.origin,
    }


def test_the_constructor_tells_what_it_set(contract, evm):
    identity = dataclasses.replace(contract.identity, salt=bytes(32))
    logs = evm.deploy(identity, evm.keys[0])["logs"]
    assert [[bytes(topic) for topic in log["topics"]] for log in logs] == [
        [keccak(text="LogKeySet(bytes32)"), identity.log_key],
        [keccak(text="OwnershipTransferred(address,address)"), bytes(32), identity.owner.rjust(32, b"\0")],
        [keccak(text="OperatorSet(address)"), identity.operator.rjust(32, b"\0")],
    ]
    assert {bytes(log["data"]) for log in logs} == {b""}


def test_each_change_changes_nothing_else(contract, tree):
    """Every setting is compared before and after each call, in a state where none has its first value."""
    keys = contract.evm.keys
    contract.send("anchor", *tree.growth(0, 3))
    contract.send("transferOwnership", address(keys[6]), key=contract.owner)
    steps = [
        ("setOperator", (address(keys[4]),), contract.owner, {"operator": address(keys[4])}),
        ("setLogKey", (b"\x07" * 32,), contract.owner, {"logKey": b"\x07" * 32}),
        ("transferOwnership", (address(keys[5]),), contract.owner, {"pendingOwner": address(keys[5])}),
        ("setOperator", (address(keys[3]),), contract.owner, {"operator": address(keys[3])}),
        ("setLogKey", (b"\x08" * 32,), contract.owner, {"logKey": b"\x08" * 32}),
        ("acceptOwnership", (), keys[5], {"owner": address(keys[5]), "pendingOwner": NOBODY}),
    ]
    for name, arguments, key, changes in steps:
        before = contract.settings()
        contract.send(name, *arguments, key=key)
        assert contract.settings() == before | changes, name
    before = contract.settings()
    contract.send("anchor", *tree.growth(3, 7), key=keys[3])
    after = contract.settings()
    assert after.pop("head")[:2] == (7, tree.root(7))
    assert after == {name: value for name, value in before.items() if name != "head"}


def test_the_owner_names_the_operator(contract, tree):
    old, new = contract.operator, contract.evm.keys[4]
    receipt = contract.send("setOperator", address(new), key=contract.owner)
    assert event(receipt) == (keccak(text="OperatorSet(address)"), [bytes.fromhex(address(new)[2:])])
    assert contract.read("operator") == address(new)
    assert contract.refused("anchor", *tree.growth(0, 2), key=old) == ("NotOperator", address(old))
    contract.send("anchor", *tree.growth(0, 2), key=new)


def test_the_owner_names_the_log_key(contract):
    key = b"\x07" * 32
    (log,) = contract.send("setLogKey", key, key=contract.owner)["logs"]
    assert [bytes(topic) for topic in log["topics"]] == [keccak(text="LogKeySet(bytes32)"), key]
    assert contract.read("logKey") == key


@pytest.mark.parametrize(
    ("name", "argument"),
    [("setOperator", "0x" + "11" * 20), ("setLogKey", b"\x07" * 32), ("transferOwnership", "0x" + "11" * 20)],
)
def test_nobody_else_does(contract, name, argument):
    for key in (contract.operator, contract.evm.keys[0]):
        assert contract.refused(name, argument, key=key) == ("NotOwner", address(key))


@pytest.mark.parametrize(
    ("name", "argument"), [("setOperator", NOBODY), ("setLogKey", bytes(32)), ("transferOwnership", NOBODY)]
)
def test_zero_is_refused(contract, name, argument):
    assert contract.refused(name, argument, key=contract.owner) == ("Zero",)


def test_ownership_moves_in_two_steps(contract):
    old, new, other = contract.owner, contract.evm.keys[5], contract.evm.keys[6]
    receipt = contract.send("transferOwnership", address(new), key=old)
    parties = [bytes.fromhex(address(key)[2:]) for key in (old, new)]
    assert event(receipt) == (keccak(text="OwnershipTransferStarted(address,address)"), parties)
    # Nothing has moved yet.
    assert (contract.read("owner"), contract.read("pendingOwner")) == (address(old), address(new))
    assert contract.refused("setLogKey", b"\x07" * 32, key=new) == ("NotOwner", address(new))
    for key in (old, other, contract.operator):
        assert contract.refused("acceptOwnership", key=key) == ("NotPendingOwner", address(key))

    receipt = contract.send("acceptOwnership", key=new)
    assert event(receipt) == (keccak(text="OwnershipTransferred(address,address)"), parties)
    assert (contract.read("owner"), contract.read("pendingOwner")) == (address(new), NOBODY)
    assert contract.refused("setLogKey", b"\x07" * 32, key=old) == ("NotOwner", address(old))
    assert contract.refused("acceptOwnership", key=new) == ("NotPendingOwner", address(new))
    contract.send("setLogKey", b"\x07" * 32, key=new)


def test_an_offer_is_replaced_by_the_next(contract):
    first, second = contract.evm.keys[5], contract.evm.keys[6]
    contract.send("transferOwnership", address(first), key=contract.owner)
    contract.send("transferOwnership", address(second), key=contract.owner)
    assert contract.refused("acceptOwnership", key=first) == ("NotPendingOwner", address(first))
    contract.send("acceptOwnership", key=second)


def test_the_owner_does_not_anchor(contract, tree):
    error = contract.refused("anchor", *tree.growth(0, 2), key=contract.owner)
    assert error == ("NotOperator", address(contract.owner))


ARGUMENTS = ["string", "bytes32", "address", "address", "uint64[]"]


def construct(evm, origin: str, log_key: bytes, owner: bytes, operator: bytes):
    """Return the error that creation ends in, or None."""
    arguments = eth_abi.encode(ARGUMENTS, [origin, log_key, owner, operator, [evm.chain_id]])
    return evm.refusal(None, bytes.fromhex(rights_anchor()["creation_code"][2:]) + arguments)


@pytest.mark.parametrize("member", ["log_key", "owner", "operator"])
def test_no_contract_is_made_with_a_zero(evm, contract, member):
    identity = contract.identity
    arguments = {name: getattr(identity, name) for name in ("log_key", "owner", "operator")}
    assert construct(evm, identity.origin, **arguments) is None
    arguments[member] = bytes(len(arguments[member]))
    assert construct(evm, identity.origin, **arguments) == ("Zero",)


def test_origins_are_judged_as_in_python(evm, contract):
    """Every ASCII character once, the lengths at both ends, and what is not ASCII."""
    identity = contract.identity
    origins = [f"a{chr(code)}b" for code in range(128)]
    origins += [
        "",
        "a",
        "a" * 31,
        "a" * 32,
        "a" * 33,
        "a" * 255,
        "a" * 256,
        "deeds.example.com/log",
        "法.example",
        "é",
        "+",
    ]
    judged = []
    for origin in origins:
        try:
            dataclasses.replace(identity, origin=origin)
        except InvalidData:
            expected = ("OriginRefused", origin)
        else:
            expected = None
        assert construct(evm, origin, identity.log_key, identity.owner, identity.operator) == expected, origin
        judged.append(expected is None)
    # 0x21 to 0x7e without plus, five lengths, one example.
    assert sum(judged) == 94 - 1 + 6


@pytest.mark.parametrize(("length", "chains"), [(1, 1), (31, 8), (32, 1), (33, 2), (63, 3), (64, 1), (255, 8)])
def test_arguments_are_encoded_as_eth_abi_does(evm, contract, length, chains):
    """The contract made with the arguments of the address has these very settings, at that address."""
    values = itertools.count(1)
    identity = RegistryIdentity(
        contract=current(),
        salt=bytes([length]) * 32,
        origin="o" * length,
        chains=tuple(range(evm.chain_id, evm.chain_id + chains)),
        log_key=contract.identity.log_key,
        **{name: bytes([next(values)]) * 20 for name in ("owner", "operator")},
    )
    members = [identity.origin, identity.log_key, identity.owner, identity.operator, identity.chains]
    assert identity.constructor_arguments() == eth_abi.encode(ARGUMENTS, members)
    assert evm.deploy(identity, evm.keys[0])["status"] == 1
    other = dataclasses.replace(contract, identity=identity, address=identity.address)
    assert (other.read("origin"), other.read("logKey")) == (identity.origin, identity.log_key)
    assert (other.read("owner"), other.read("operator")) == ("0x" + "01" * 20, "0x" + "02" * 20)
