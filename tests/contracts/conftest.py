"""What the contract tests share: a chain as ape was told, people with keys, and the contract as it is shipped.

    ape test tests/contracts                                      ape's own EVM, py-evm
    ape test tests/contracts --network ethereum:local:foundry     anvil, on a port of its own

The bytecode is the committed artifact's, deployed by CREATE2 as everywhere. Nothing goes through ape's contract
objects: these trace and print every revert on anvil, and reverts are most of what is tested here. Transactions go
through web3; calls too, but on anvil straight to its node.
"""

from __future__ import annotations

import os
from ast import literal_eval
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import eth_abi
import pytest
from eth_account import Account
from eth_tester.exceptions import TransactionFailed
from eth_utils import to_checksum_address
from eth_utils.abi import abi_to_signature, function_signature_to_4byte_selector
from local_registry import anvil_binary

from deedlog.anchor import merkle
from deedlog.anchor.contract import current, rights_anchor
from deedlog.anchor.evm.deployment import creation_data
from deedlog.anchor.evm.identity import DETERMINISTIC_DEPLOYER, RegistryIdentity, head_slot

ROOT = Path(__file__).resolve().parents[2]

# ape starts anvil by its name and ends it with a signal, which npm's script around the binary would not hand on; and it
# would use one that already listens on the usual port: somebody's local registry.
os.environ["PATH"] = f"{anvil_binary().parent}:{ROOT / '.venv/bin'}:{os.environ['PATH']}"
os.environ["APE_FOUNDRY_HOST"] = "auto"


def pytest_collection_modifyitems(config, items):
    """Go through thousands of calls on one EVM only, unless the long tests are asked for."""
    if "foundry" not in str(config.getoption("network")) and not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("on_one_evm") is not None:
                item.add_marker(pytest.mark.skip(reason="gone through on anvil; on both with --slow"))


# The well-known transaction that makes the deterministic deployer on any chain: signed by nobody's key, so that it
# always has this sender and this result. py-evm starts without it.
DEPLOYER_SENDER = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
DEPLOYER_TRANSACTION = (
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba022222222222222"
    "22222222222222222222222222222222222222222222222222a0222222222222222222222222222222222222222222222222222222222222"
    "2222"
)

GAS = 10_000_000
"""Enough for anything here: the largest entry as calldata costs 2.6 million (EIP-7623)."""

ROOT_SLOT = 1
OPERATOR_SLOT = 5
LOG_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # RFC 8032 §7.1, test 1
ORIGIN = "deeds.example.com/log"


class Reverted(Exception):  # noqa: N818 - it is what the tests look for, not what went wrong with them
    """The contract refused: the custom error's name and values, or ("", data) where there is no such error."""

    @property
    def error(self) -> tuple[Any, ...]:
        """What it refused with."""
        return self.args


@dataclass
class Evm:
    """The chain under test, and people with funds on it."""

    provider: Any
    keys: list[bytes]

    @property
    def web3(self):
        return self.provider.web3

    @property
    def is_anvil(self) -> bool:
        return self.provider.name == "foundry"

    @property
    def chain_id(self) -> int:
        return self.web3.eth.chain_id

    def request(self, method: str, *parameters):
        answer = self.web3.provider.make_request(method, list(parameters))
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, to: bytes | None, data: bytes, key: bytes, value: int = 0):
        """Send a real transaction; return its receipt, whatever its status."""
        account = Account.from_key(key)
        transaction = {
            "chainId": self.chain_id,
            "nonce": self.web3.eth.get_transaction_count(account.address),
            "gas": GAS,
            "maxFeePerGas": 2 * 10**9,
            "maxPriorityFeePerGas": 0,
            "value": value,
            "data": data,
        }
        if to is not None:
            transaction["to"] = to_checksum_address(to)
        raw = account.sign_transaction(transaction).raw_transaction
        return self.web3.eth.wait_for_transaction_receipt(self.web3.eth.send_raw_transaction(raw), poll_latency=0.01)

    def call(self, to: bytes | None, data: bytes, sender: bytes) -> bytes:
        """Return what a call gives; raise `Reverted`."""
        if self.is_anvil:
            return self._call_anvil(to, data, sender)
        transaction = {"from": to_checksum_address(sender), "data": data, "gas": GAS}
        if to is not None:
            transaction["to"] = to_checksum_address(to)
        try:
            return bytes(self.web3.eth.call(transaction))
        except TransactionFailed as error:  # eth-tester prints the bytes into a text
            raise Reverted(*decoded_error(literal_eval(str(error).removeprefix("execution reverted: ")))) from error

    def _call_anvil(self, to: bytes | None, data: bytes, sender: bytes) -> bytes:
        """Do `call` past what web3 does with a request, which takes ten times as long as anvil's answer."""
        call = {"from": "0x" + sender.hex(), "data": "0x" + data.hex(), "gas": hex(GAS)}
        if to is not None:
            call["to"] = "0x" + to.hex()
        answer = self.web3.provider.make_request("eth_call", [call, "latest"])
        if "error" in answer:
            raise Reverted(*decoded_error(bytes.fromhex(answer["error"]["data"][2:])))
        return bytes.fromhex(answer["result"][2:])

    def refusal(self, to: bytes | None, data: bytes, sender: bytes | None = None) -> tuple[Any, ...] | None:
        """Return the error that a call ends in, as (name, values…), or None."""
        try:
            self.call(to, data, account(self.keys[0]) if sender is None else sender)
        except Reverted as refused:
            return refused.error
        return None

    def deploy(self, identity: RegistryIdentity, key: bytes):
        """Deploy through the deterministic deployer, which is made first where it is missing; return the receipt."""
        if not self.code(DETERMINISTIC_DEPLOYER):
            self.send(bytes.fromhex(DEPLOYER_SENDER[2:]), b"", key, value=10**16)
            self.web3.eth.send_raw_transaction(DEPLOYER_TRANSACTION)
        return self.send(DETERMINISTIC_DEPLOYER, creation_data(identity), key)

    def code(self, address: bytes) -> bytes:
        return bytes(self.web3.eth.get_code(to_checksum_address(address)))


@dataclass
class Contract:
    """The contract of one registry, spoken to in its own terms: names and values in, names and values out."""

    evm: Evm
    identity: RegistryIdentity
    address: bytes
    owner: bytes
    operator: bytes
    """Private keys."""

    def read(self, name: str, *arguments):
        """Return what a function answers: one value, or a tuple of several."""
        outputs = [output["type"] for output in FUNCTIONS[name]["outputs"]]
        stranger = account(self.evm.keys[9])
        values = eth_abi.decode(outputs, self.evm.call(self.address, calldata(name, *arguments), stranger))
        return values[0] if len(values) == 1 else values

    def send(self, name: str, *arguments, key: bytes | None = None):
        """Send a transaction that must succeed; return its receipt."""
        receipt = self.evm.send(self.address, calldata(name, *arguments), key or self.operator)
        assert receipt["status"] == 1, self.refusal(name, *arguments, key=key)
        return receipt

    def data(self, name: str, *arguments) -> bytes:
        return calldata(name, *arguments)

    def refusal(self, name: str, *arguments, key: bytes | None = None):
        """Return the error that a call ends in, as (name, values…), or None."""
        return self.evm.refusal(self.address, calldata(name, *arguments), account(key or self.operator))

    def refused(self, name: str, *arguments, key: bytes | None = None):
        """Send a transaction that must fail and leave everything as it was; return its error."""
        error = self.refusal(name, *arguments, key=key)
        before = self.settings()
        receipt = self.evm.send(self.address, calldata(name, *arguments), key or self.operator)
        assert (receipt["status"], receipt["logs"], self.settings()) == (0, [], before), error
        return error

    def forged(self, heads: dict[bytes | str, Any], operator: bytes | None = None) -> Contract:
        """Deploy a `forgery`; return it as a contract."""
        receipt = self.evm.send(None, self.forgery(heads, operator), self.evm.keys[0])
        assert receipt["status"] == 1
        return replace(self, address=bytes.fromhex(receipt["contractAddress"][2:]))

    def forgery(self, heads: dict[bytes | str, Any], operator: bytes | None = None) -> bytes:
        """Return creation code that ends in this contract's very code, in a state that nobody anchored.

        `heads` maps roots to packed words, and "root" to the root of the last head. The operator is this one's or
        another.
        """
        storage = {ROOT_SLOT: int.from_bytes(heads["root"], "big")}
        storage |= {int.from_bytes(head_slot(root), "big"): word for root, word in heads.items() if root != "root"}
        storage[OPERATOR_SLOT] = int.from_bytes(self.identity.operator if operator is None else operator, "big")
        runtime = self.evm.code(self.address)
        # PUSH32 value, PUSH32 key, SSTORE, for each; PUSH2 length, DUP1, PUSH2 offset, PUSH0, CODECOPY, PUSH0, RETURN.
        stores = b"".join(b"\x7f%b\x7f%b\x55" % (_word(value), _word(key)) for key, value in storage.items())
        length, offset = len(runtime).to_bytes(2, "big"), (len(stores) + 11).to_bytes(2, "big")
        copy = b"\x61" + length + b"\x80\x61" + offset + b"\x5f\x39\x5f\xf3"
        return stores + copy + runtime

    def settings(self) -> dict[str, Any]:
        """Return everything that a setter or an anchoring could change."""
        return {name: self.read(name) for name in ("head", "owner", "pendingOwner", "operator", "logKey", "origin")}


@dataclass
class Tree:
    """A log as far as the contract sees it: leaf hashes of short entries."""

    entries: list[bytes] = field(default_factory=lambda: [b"entry %d" % index for index in range(66)])

    @cached_property
    def leaves(self) -> list[bytes]:
        return [merkle.leaf_hash(entry) for entry in self.entries]

    def root(self, size: int) -> bytes:
        return merkle.root_from_leaf_hashes(self.leaves[:size])

    def growth(self, old: int, new: int) -> tuple[int, int, bytes, list[bytes]]:
        """Return the arguments of an honest `anchor`."""
        proof = merkle.consistency_proof(self.leaves, old, new) if old else []
        return old, new, self.root(new), proof

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return merkle.inclusion_proof(self.leaves, index, size)


@dataclass
class SparseTree:
    """A tree of any size up to 2^64 - 1, of which only the subtrees that a proof names are known.

    Their hashes are made up, and the roots follow from them by the recursive definition (RFC 9162 §2.1.1), so that a
    proof of the right shape is an honest one without hashing a million leaves.
    """

    known: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def invent(self, *ranges: tuple[int, int]) -> list[bytes]:
        for start, end in ranges:
            self.known.setdefault((start, end), sha256(b"subtree %d %d" % (start, end)).digest())
        return [self.known[where] for where in ranges]

    def root(self, start: int, end: int) -> bytes:
        if (start, end) in self.known:
            return self.known[start, end]
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        return merkle.node_hash(self.root(start, middle), self.root(middle, end))

    def growth(self, old: int, new: int) -> tuple[int, int, bytes, list[bytes]]:
        """Return the arguments of an honest `anchor`; `root(0, old)` is the root that it starts from."""
        if old & (old - 1) == 0:
            self.invent((0, old))
        proof = self.invent(*merkle.consistency_ranges(old, new))
        return old, new, self.root(0, new), proof


FUNCTIONS = {entry["name"]: entry for entry in rights_anchor()["abi"] if entry["type"] == "function"}
ERRORS = {
    function_signature_to_4byte_selector(abi_to_signature(entry)): entry
    for entry in rights_anchor()["abi"]
    if entry["type"] == "error"
}


def calldata(name: str, *arguments) -> bytes:
    entry = FUNCTIONS[name]
    types = [parameter["type"] for parameter in entry["inputs"]]
    return function_signature_to_4byte_selector(abi_to_signature(entry)) + eth_abi.encode(types, arguments)


def decoded_error(data: bytes) -> tuple[Any, ...]:
    entry = ERRORS.get(data[:4])
    if entry is None:
        return "", data
    types = [parameter["type"] for parameter in entry["inputs"]]
    return entry["name"], *eth_abi.decode(types, data[4:])


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def account(key: bytes) -> bytes:
    return bytes.fromhex(Account.from_key(key).address[2:])


@pytest.fixture(scope="session")
def evm(networks, accounts):
    return Evm(networks.provider, [bytes.fromhex(person.private_key.removeprefix("0x")) for person in accounts])


@pytest.fixture
def contract(evm):
    """A registry's contract without a head. ape puts the chain back after each test."""
    owner, operator = evm.keys[1], evm.keys[2]
    identity = RegistryIdentity(
        contract=current(),
        salt=sha256(b"salt").digest(),
        origin=ORIGIN,
        log_key=LOG_KEY,
        owner=account(owner),
        operator=account(operator),
        chains=(evm.chain_id,),
    )
    assert not evm.code(identity.address), "the chain was not put back after the last test"
    evm.deploy(identity, evm.keys[0])
    return Contract(evm, identity, identity.address, owner, operator)


@pytest.fixture(scope="session")
def tree():
    return Tree()


@pytest.fixture
def sparse():
    return SparseTree()
