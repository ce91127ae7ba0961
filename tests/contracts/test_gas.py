"""What anchoring and proving cost, to the unit of gas, on trees of a million leaves.

The figures are in gas_snapshot.json and are the same on py-evm and on anvil. A change of the contract that changes them
is seen in the difference: DEEDLOG_GAS_SNAPSHOT=write ape test tests/contracts/test_gas.py writes them anew.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from deedlog.anchor.tlog import tiles

SNAPSHOT = Path(__file__).with_name("gas_snapshot.json")
WRITE = os.environ.get("DEEDLOG_GAS_SNAPSHOT") == "write"
FIGURES = {} if WRITE else json.loads(SNAPSHOT.read_text(encoding="utf-8"))
# Aims of the design: what people are told that it costs.
AIMS = {
    "anchor 1,000,000 to 1,000,256": 72_000,
    "anchor 999,999 to 1,999,999": 86_000,
    "verifyInclusion at 2^20, execution only": 22_000,
}
STEP = 50_000


class LargeLog:
    """A log of two million entries, kept in tiles as the registry keeps one."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], bytes] = {}
        for start in range(0, 2_000_000, STEP):
            leaves = [self.leaf(index) for index in range(start, start + STEP)]
            self.rows.update(tiles.append(self.read, start, leaves).tiles)

    def leaf(self, index: int) -> bytes:
        return sha256(b"entry %d" % index).digest()

    def read(self, level: int, index: int) -> bytes:
        return self.rows.get((level, index), b"")

    def first(self, size: int):
        """Return the arguments of `anchor` for a first head."""
        return 0, size, tiles.root(self.read, size), []

    def growth(self, old: int, new: int):
        return old, new, tiles.root(self.read, new), tiles.consistency_proof(self.read, old, new)


@functools.cache
def the_large_log() -> LargeLog:
    return LargeLog()


@pytest.fixture
def large():
    """The one large log. Not a fixture of the session: ape takes these for state of the chain, and makes them again."""
    return the_large_log()


def compare(name: str, gas: int) -> None:
    """Check a figure against the file, or write it."""
    assert gas <= AIMS.get(name, gas)
    if WRITE:
        FIGURES[name] = gas
        SNAPSHOT.write_text(json.dumps(FIGURES, indent=2) + "\n", encoding="utf-8")
    assert FIGURES.get(name) == gas, f"{name}: {gas}"


# A contract that copies its calldata from byte 32 on, forwards it by STATICCALL to the account in the first 32 bytes,
# and returns how much less gas there was after the call than before.
METER = bytes.fromhex("602036038060205f375a905f5f825f5f355afa5a92915050035f5260205ff3")


def execution_gas(contract, evm, name: str, *arguments) -> int:
    """Return what the contract's code uses for a call that finds its storage cold; not the call's own cost.

    A transaction's receipt would not tell: with this much calldata, EIP-7623's floor can be what is charged.
    """
    # PUSH1 length, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
    creation = bytes([0x60, len(METER), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + METER
    meter = bytes.fromhex(evm.send(None, creation, evm.keys[0])["contractAddress"][2:])

    def used(target: bytes) -> int:
        data = target.rjust(32, b"\0") + contract.data(name, *arguments)
        return int.from_bytes(evm.call(meter, data, contract.identity.operator), "big")

    return used(contract.address) - used(sha256(b"an account without code").digest()[:20])


def test_the_deployment(contract, evm):
    identity = dataclasses.replace(contract.identity, salt=sha256(b"another salt").digest())
    compare("deployment", evm.deploy(identity, evm.keys[0])["gasUsed"])


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_the_first_head(contract, large, size):
    compare(f"anchor 0 to {size:,}", contract.send("anchor", *large.first(size))["gasUsed"])


@pytest.mark.parametrize(("old", "new"), [(1_000_000, 1_000_256), (999_999, 1_999_999), (999_999, 1_000_000)])
def test_a_head_that_extends_the_last(contract, large, old, new):
    contract.send("anchor", *large.first(old))
    compare(f"anchor {old:,} to {new:,}", contract.send("anchor", *large.growth(old, new))["gasUsed"])


def test_the_longest_proof_stays_below_what_the_worker_offers(contract, sparse):
    """`anchor.rpc.evm_chain.GAS_LIMIT`: a transaction that runs out of gas anchors nothing and is paid for."""
    from deedlog.anchor.rpc.evm_chain import GAS_LIMIT  # noqa: PLC0415 - imports web3, which the other tests here do without

    # 64 nodes, and two hashes for nearly each.
    old, new = 2**63 - 1, 2**63
    growth = sparse.growth(old, new)
    contract.send("anchor", 0, old, sparse.root(0, old), [])
    gas = contract.send("anchor", *growth)["gasUsed"]
    assert len(growth[3]) == 64
    assert gas < GAS_LIMIT
    compare("anchor 2^63 - 1 to 2^63", gas)


def test_a_moved_head_is_cheap_to_notice(contract, large, evm):
    contract.send("anchor", *large.first(1_000_000))
    growth = large.growth(999_999, 1_999_999)
    assert contract.refusal("anchor", *growth) == ("HeadMoved", 999_999, 1_000_000)
    compare("HeadMoved, execution only", execution_gas(contract, evm, "anchor", *growth))


@pytest.mark.parametrize("function", ["verifyInclusion", "verifyEntry"])
def test_a_proof_of_inclusion(contract, large, evm, function):
    index, size = 700_001, 2**20
    contract.send("anchor", *large.first(size))
    leaf = large.leaf(index)
    if function == "verifyEntry":
        # The log's leaves are synthetic: what is timed is an entry of 400 bytes that turns out not to be there.
        leaf = bytes(range(200)) * 2
    arguments = (leaf, index, tiles.root(large.read, size), tiles.inclusion_proof(large.read, index, size))
    assert contract.read(function, *arguments) is (function == "verifyInclusion")
    compare(f"{function} at 2^20, execution only", execution_gas(contract, evm, function, *arguments))
