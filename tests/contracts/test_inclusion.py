"""`verifyInclusion` and `verifyEntry`: true for exactly what the anchored tree holds; Python is the oracle."""

from __future__ import annotations

import pytest

from deedlog.anchor import merkle
from deedlog.registry.errors import VerificationError


def python_accepts(leaf, index, size, proof, root) -> bool:
    try:
        merkle.verify_inclusion(leaf, index, size, proof, root)
    except VerificationError:
        return False
    return True


@pytest.fixture
def grown(contract, tree):
    """The contract with a head of every size to 64."""
    for size in range(1, 65):
        contract.send("anchor", *tree.growth(size - 1, size))
    return contract


@pytest.mark.on_one_evm
def test_every_index_of_every_size_to_64(grown, tree):
    for size in range(1, 65):
        root = tree.root(size)
        for index in range(size):
            proof = tree.inclusion(index, size)
            assert grown.read("verifyInclusion", tree.leaves[index], index, root, proof), (index, size)


def test_every_entry_of_64(contract, tree):
    contract.send("anchor", *tree.growth(0, 64))
    for index in range(64):
        proof = tree.inclusion(index, 64)
        assert contract.read("verifyEntry", tree.entries[index], index, tree.root(64), proof)
        assert not contract.read("verifyEntry", tree.entries[index] + b"!", index, tree.root(64), proof)


@pytest.mark.parametrize("entry", [b"", b"\x00", b"x" * 31, b"x" * 32, b"x" * 33, b"x" * 65_535], ids=len)
def test_entries_of_any_length(contract, tree, entry):
    log = type(tree)([b"first", entry, b"last"])
    contract.send("anchor", *log.growth(0, 3))
    proof = log.inclusion(1, 3)
    assert contract.read("verifyEntry", entry, 1, log.root(3), proof)
    assert not contract.read("verifyEntry", entry + b"\0", 1, log.root(3), proof)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_a_wrong_index_is_judged_as_in_python(contract, tree, size):
    contract.send("anchor", *tree.growth(0, size))
    root = tree.root(size)
    for index in range(size):
        proof = tree.inclusion(index, size)
        for claimed in [*range(size + 3), 2**63, 2**64 - 1]:
            leaf = tree.leaves[index]
            holds = python_accepts(leaf, claimed, size, proof, root)
            assert holds == (claimed == index)
            assert contract.read("verifyInclusion", leaf, claimed, root, proof) == holds, (index, claimed)


@pytest.mark.on_one_evm
def test_every_single_bit_counts(contract, tree):
    """Index 4 of 7 has a sibling on its right, one that rises from below, and one on its left."""
    contract.send("anchor", *tree.growth(0, 7))
    root, proof = tree.root(7), tree.inclusion(4, 7)
    assert len(proof) == 3
    words = [tree.leaves[4], root, *proof]
    for bit in range(256):
        for at in range(len(words)):
            changed = [*words]
            changed[at] = (int.from_bytes(words[at], "big") ^ 1 << bit).to_bytes(32, "big")
            leaf, claimed, *nodes = changed
            assert not contract.read("verifyInclusion", leaf, 4, claimed, nodes), (at, bit)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (4, 7), (6, 7), (12, 13), (31, 64)])
def test_nodes_missing_added_doubled_or_swapped_are_no_proof(contract, tree, index, size):
    contract.send("anchor", *tree.growth(0, size))
    root, leaf, proof = tree.root(size), tree.leaves[index], tree.inclusion(index, size)
    wrong = [[*proof, root], [root, *proof], [*proof, bytes(32)]]
    for at in range(len(proof)):
        wrong += [proof[:at] + proof[at + 1 :], [*proof[: at + 1], *proof[at:]]]
        wrong += [[*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]]] if at + 1 < len(proof) else []
    for nodes in wrong:
        assert not contract.read("verifyInclusion", leaf, index, root, nodes)
    assert contract.read("verifyInclusion", leaf, index, root, proof)


def test_a_root_that_is_no_head_includes_nothing(contract, tree):
    contract.send("anchor", *tree.growth(0, 4))
    for size in (3, 5, 8):
        assert not contract.read("verifyInclusion", tree.leaves[0], 0, tree.root(size), tree.inclusion(0, size))
        assert not contract.read("verifyEntry", tree.entries[0], 0, tree.root(size), tree.inclusion(0, size))
    assert not contract.read("verifyInclusion", bytes(32), 0, bytes(32), [])
    assert not contract.read("verifyInclusion", merkle.EMPTY_ROOT, 0, merkle.EMPTY_ROOT, [])


def test_an_old_head_still_includes_what_it_held(contract, tree):
    contract.send("anchor", *tree.growth(0, 5))
    contract.send("anchor", *tree.growth(5, 9))
    for size in (5, 9):
        assert contract.read("verifyEntry", tree.entries[3], 3, tree.root(size), tree.inclusion(3, size))
    assert not contract.read("verifyEntry", tree.entries[7], 7, tree.root(5), tree.inclusion(7, 9))


def test_the_bytes_of_an_inner_node_are_no_entry(contract, tree):
    """Leaves and nodes are hashed apart (RFC 9162 §2.1.1): what a node is made of never passes as an entry."""
    contract.send("anchor", *tree.growth(0, 2))
    for entry in (b"\x01" + b"".join(tree.leaves[:2]), b"".join(tree.leaves[:2])):
        assert not contract.read("verifyEntry", entry, 0, tree.root(2), [])


@pytest.mark.parametrize(
    ("index", "size"),
    [(0, 2**20), (2**20 - 1, 2**20), (999_999, 1_000_000), (2**63, 2**63 + 1), (2**64 - 2, 2**64 - 1)],
)
def test_sizes_to_the_largest(contract, sparse, index, size):
    leaf = sparse.invent((index, index + 1))[0]
    proof = sparse.invent(*merkle.inclusion_ranges(index, size))
    root = sparse.root(0, size)
    contract.send("anchor", 0, size, root, [])
    assert python_accepts(leaf, index, size, proof, root)
    assert contract.read("verifyInclusion", leaf, index, root, proof)
    assert not contract.read("verifyInclusion", leaf, index - 1 if index else 1, root, proof)
    assert not contract.read("verifyInclusion", leaf, size, root, proof)


def test_64_nodes_are_read_and_65_are_not(contract, sparse):
    index, size = 0, 2**64 - 1
    leaf = sparse.invent((index, index + 1))[0]
    proof = sparse.invent(*merkle.inclusion_ranges(index, size))
    assert len(proof) == 64
    contract.send("anchor", 0, size, sparse.root(0, size), [])
    assert contract.read("verifyInclusion", leaf, index, sparse.root(0, size), proof)
    assert not contract.read("verifyInclusion", leaf, index, sparse.root(0, size), [*proof, bytes(32)])
