"""A world with an anchored work and a rendition, on a chain with a public chain's id and on a development chain."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest
from support.worlds.chains.anvil import running_anvil
from support.worlds.registries.registry_world import (
    ALICE,
    PLATFORM_KEY,
    VIDEO,
    World,
    connect,
    open_world,
    rendition,
    work,
)
from support.worlds.session.waiting import until

from deedlog.anchor.evm.state_proof import parse_header
from deedlog.anchor.verify.bundle import Bundle
from deedlog.registry.file_digest import FileDigest
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.store.database import Database

PUBLIC_CHAIN_ID = 11155111


@dataclass
class Proven:
    """An anchored bundle, and what a careful verifier knows besides."""

    world: World
    bundle: Bundle
    rendition: Bundle
    url: str

    @property
    def registry(self) -> bytes:
        return self.world.identity.address

    @property
    def block_hash(self) -> bytes:
        return parse_header(self.bundle.anchors[0].header).hash


def anchor_by_hand(port, call, operator_key: bytes, chain_id: int) -> None:
    """Send a call as whoever has the operator's key; return once it is mined, for a node answers before."""
    tip = port.tip()
    nonce = port.next_nonce(account_of_private_key(operator_key), tip.number)
    port.send(port.sign(call, operator_key, chain_id, nonce, port.fees(tip))[1])
    until(lambda: port.head_of(call.contract, call.root, port.tip().number), "the head is in the contract")


FILE = FileDigest(hashlib.sha256(VIDEO).digest(), len(VIDEO))


def prove(folder, chain, chain_id) -> Proven:
    world = connect(open_world(Database(f"sqlite:///{folder / 'deedlog.sqlite'}")), chain.url, chain_id=chain_id)
    accepted = world.accept(work(), ALICE)
    made = world.accept(rendition(accepted.digest), PLATFORM_KEY)
    world.accept(work(content=b"another"), ALICE)
    world.sequence()
    world.anchor()
    # anvil's finalized tag follows after two epochs of one slot.
    chain.request("anvil_mine", "0x10")
    return Proven(world, world.bundle(accepted.digest), world.bundle(made.digest), chain.url)


@pytest.fixture(scope="session")
def proven(tmp_path_factory):
    """Anchored on a chain that calls itself Sepolia."""
    with running_anvil("--chain-id", str(PUBLIC_CHAIN_ID), "--slots-in-an-epoch", "1") as chain:
        yield prove(tmp_path_factory.mktemp("public"), chain, PUBLIC_CHAIN_ID)


@pytest.fixture(scope="session")
def proven_locally(tmp_path_factory):
    """Anchored on a development chain."""
    with running_anvil("--slots-in-an-epoch", "1") as chain:
        yield prove(tmp_path_factory.mktemp("local"), chain, 31337)
