"""Each head of the contract's history is compared with the log, from state alone: `fsck` and `audit` with a chain."""

from __future__ import annotations

import itertools

import pytest
from support.worlds.chains.anvil import running_anvil
from support.worlds.chains.chain_world import anchor_by_hand
from support.worlds.databases.damage_world import fill
from support.worlds.registries.registry_world import OPERATOR, open_world

from deedlog.anchor import merkle
from deedlog.anchor.anchoring.chain_port import AnchorCall
from deedlog.anchor.audit.audit import audit_log
from deedlog.anchor.fsck.database import DatabaseSource, check_database
from deedlog.anchor.log import store as log_store
from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.tlog import tiles
from deedlog.registry.errors import InvalidData, Unavailable, VerificationError
from deedlog.registry.store.database import Database


class Scene:
    """A log of 600 entries, and an operator's key in anybody's hands."""

    def __init__(self, folder, chain) -> None:
        self.world = open_world(Database(f"sqlite:///{folder / 'deedlog.sqlite'}"))
        fill(self.world)
        self.chain = chain
        self.port = EvmChain(chain.url)
        self.port.deploy_local(self.world.identity)
        with self.world.database.read() as connection:
            read = log_store.tile_reader(connection)
            self.leaf_hashes = [
                row[at : at + 32] for row in (read(0, 0), read(0, 1), read(0, 2)) for at in range(0, len(row), 32)
            ]

    def call(self, start, size, leaf_hashes=None, *, labelled=None):
        """Return the call that anchors a tree of these leaves (default: the log's), perhaps with another size."""
        leaves = leaf_hashes or self.leaf_hashes
        proof = merkle.consistency_proof(leaves, start, size) if start else []
        root = merkle.root_from_leaf_hashes(leaves[:size])
        return AnchorCall(self.world.identity.address, start, labelled or size, root, tuple(proof))

    def anchor(self, call) -> None:
        anchor_by_hand(self.port, call, OPERATOR, 31337)

    def heads(self):
        """Return how many heads both `audit` and `fsck` find in order; raise what they find wrong."""
        address = self.world.identity.address
        with NodeContract(self.chain.url, address) as contract, self.world.database.read() as connection:
            report = audit_log(DatabaseSource(connection), self.world.identity.verifier_key, contract=contract)
        with NodeContract(self.chain.url, address) as contract:
            assert check_database(self.world.database, contract=contract).log.heads == report.heads
        return report.heads

    def wrong(self):
        with pytest.raises(VerificationError) as caught:
            self.heads()
        return caught.value.code, caught.value.params["size"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    with running_anvil() as chain:
        yield Scene(tmp_path_factory.mktemp("history"), chain)


@pytest.fixture
def scene(built):
    """The scene before the first head."""
    snapshot = built.chain.request("evm_snapshot")
    yield built
    built.chain.request("evm_revert", snapshot)


FOREIGN = [merkle.leaf_hash(b"foreign %d" % number) for number in range(700)]


def test_own_heads_of_any_sizes(scene):
    assert scene.heads() == 0
    sizes = [0, 1, 2, 255, 256, 257, 300, 511, 512, 600]
    for start, size in itertools.pairwise(sizes):
        scene.anchor(scene.call(start, size))
    assert scene.heads() == len(sizes) - 1


def test_a_foreign_first_head(scene):
    scene.anchor(scene.call(0, 300, FOREIGN))
    assert scene.wrong() == ("audit.foreign_head", 300)


def test_a_foreign_head_after_own_ones(scene):
    scene.anchor(scene.call(0, 256))
    scene.anchor(scene.call(256, 300))
    scene.anchor(scene.call(300, 400, self_then_foreign(scene, 300)))
    assert scene.wrong() == ("audit.foreign_head", 400)


def test_a_foreign_head_of_more_entries_than_the_log_has(scene):
    scene.anchor(scene.call(0, 300))
    scene.anchor(scene.call(300, 700, self_then_foreign(scene, 300)))
    assert scene.wrong() == ("audit.contract_ahead", 700)


def self_then_foreign(scene, own):
    return [*scene.leaf_hashes[:own], *FOREIGN[own:]]


def test_the_logs_own_root_with_a_wrong_size(scene):
    scene.anchor(scene.call(0, 300, labelled=301))
    assert scene.wrong() == ("audit.foreign_head", 301)


def test_a_wrong_size_that_the_contract_cannot_tell_after_an_own_head(scene):
    scene.anchor(scene.call(0, 300))
    for label in range(590, 600):
        try:
            scene.port.simulate(scene.call(300, 600, labelled=label), scene.world.identity.operator)
        except InvalidData:
            continue
        scene.anchor(scene.call(300, 600, labelled=label))
        break
    else:
        pytest.fail("the contract told every wrong size")
    assert scene.wrong() == ("audit.foreign_head", label)


def test_a_mislabelled_head_below_a_right_one(scene):
    """Once the contract has a wrong size, a proof made for it can lead to a right head: the history still shows it."""
    with scene.world.database.read() as connection:
        reader = log_store.tile_reader(connection)
        roots = {size: tiles.root(reader, size) for size in (256, 512)}
    # The root of 256 entries with size 128: from there RFC 9162 proves the tree of 512 as if 128 were a half.
    scene.anchor(scene.call(0, 256, labelled=128))
    proof = [merkle.root_from_leaf_hashes(scene.leaf_hashes[256:512])]
    scene.anchor(AnchorCall(scene.world.identity.address, 128, 256, roots[512], tuple(proof)))
    assert scene.wrong() == ("audit.foreign_head", 256)


def test_a_chain_without_the_contract_and_no_chain(scene):
    with pytest.raises(Unavailable, match=r"node\.no_contract"):
        NodeContract(scene.chain.url, b"\x01" * 20)
    with pytest.raises(Unavailable, match=r"chain\.other_chain"):
        NodeContract(scene.chain.url, scene.world.identity.address, 1)
    with pytest.raises(Unavailable, match=r"node\.unreachable"):
        NodeContract("http://127.0.0.1:1", scene.world.identity.address)
