"""Merkle trees: roots and proofs are those of the recursive definitions, of what is published, and of pymerkle."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from vectors.generate import log_trees
from vectors.generate.log_trees import CLASSIC, CLASSIC_ROOTS, Tree, accumulate, subtrees

from deedlog.anchor import merkle
from deedlog.registry.errors import InvalidData

ALL = 130
ENTRIES = [bytes([i]) for i in range(ALL)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
TREE = Tree([log_trees.leaf(entry) for entry in ENTRIES])


@pytest.fixture(scope="module")
def pymerkle_tree():
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(ENTRIES)
    return tree


def code_of(call, *arguments):
    with pytest.raises(InvalidData) as caught:
        call(*arguments)
    return caught.value.code


def test_the_roots_that_everybody_publishes():
    leaves = [merkle.leaf_hash(entry) for entry in CLASSIC]
    assert [merkle.root_from_leaf_hashes(leaves[: n + 1]).hex() for n in range(len(leaves))] == CLASSIC_ROOTS
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root_from_leaf_hashes([]) == merkle.EMPTY_ROOT


def test_leaf_and_node_do_not_mix():
    # RFC 9162 §2.1.1: the prefixes keep a node from passing as an entry.
    left, right = LEAVES[:2]
    assert merkle.node_hash(left, right) != merkle.leaf_hash(left + right)


def test_roots_and_proofs_of_all_trees_follow_the_recursive_definition():
    for size in range(ALL + 1):
        assert merkle.root_from_leaf_hashes(LEAVES[:size]) == TREE.root(size)
        for index in range(size):
            assert merkle.inclusion_proof(LEAVES, index, size) == TREE.path(index, 0, size), (index, size)
        for old in range(1, size + 1):
            assert merkle.consistency_proof(LEAVES, old, size) == TREE.proof(old, size), (old, size)


def test_the_definition_that_we_compare_with_gives_the_hashes_that_the_draft_publishes():
    assert log_trees.accumulated() == {
        "subtrees": "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81",
        "subtree_inclusion": "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f",
        "subtree_consistency": "10fa99b37bf9bf9ffa26b412fbd98bd75363256d0b75d61bc4538b9c9c5a0a74",
    }


def test_our_roots_give_the_hash_that_the_draft_publishes():
    lines = (
        (f"[{start}, {end}) {merkle.root_from_leaf_hashes(LEAVES[start:end]).hex()}", [])
        for start, end in subtrees(ALL)
    )
    assert accumulate(lines) == log_trees.SUBTREES


def test_our_inclusion_proofs_give_the_hash_that_the_draft_publishes():
    lines = (
        (f"{index} [{start}, {end})", merkle.inclusion_proof(LEAVES[start:end], index - start, end - start))
        for start, end in subtrees(ALL)
        for index in range(start, end)
    )
    assert accumulate(lines) == log_trees.SUBTREE_INCLUSION


def test_our_proofs_where_they_are_subtree_proofs_give_the_hash_that_the_draft_publishes():
    # The draft: SUBTREE_PROOF(0, end) is a consistency proof, SUBTREE_PROOF(start, start + 1) an inclusion proof.
    # What is neither is the draft's alone, and comes from its definition.
    def proof(start, end, size):
        if start == end:
            return []
        if start == 0:
            return merkle.consistency_proof(LEAVES, end, size)
        if end == start + 1:
            return merkle.inclusion_proof(LEAVES, start, size)
        return log_trees.subtree_proof(TREE, start, end, 0, size, known=True)

    lines = (
        (f"[{start}, {end}) {size}", proof(start, end, size))
        for size in range(ALL + 1)
        for start, end in subtrees(size)
    )
    assert accumulate(lines) == log_trees.SUBTREE_CONSISTENCY


def test_roots_and_inclusion_proofs_are_pymerkles(pymerkle_tree):
    for size in range(1, ALL + 1):
        assert merkle.root_from_leaf_hashes(LEAVES[:size]) == pymerkle_tree.get_root(size)
        for index in range(size):
            # pymerkle counts from one, and starts its path with the leaf.
            path = pymerkle_tree.prove_inclusion(index + 1, size).path
            assert [LEAVES[index], *merkle.inclusion_proof(LEAVES, index, size)] == path


def test_consistency_proofs_hold_between_pymerkles_roots(pymerkle_tree):
    roots = [pymerkle_tree.get_root(size) for size in range(ALL + 1)]
    for new in range(1, ALL + 1):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(LEAVES, old, new)
            merkle.verify_consistency(old, roots[old], new, roots[new], proof)


@settings(deadline=None)
@given(st.integers(1, 2**64 - 1), st.data())
def test_the_ranges_of_an_inclusion_proof_cover_all_other_leaves_once(size, data):
    index = data.draw(st.integers(0, size - 1))
    ranges = sorted([(index, index + 1), *merkle.inclusion_ranges(index, size)])
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))


@pytest.mark.parametrize("number", [-1, 2**64, True, False, 1.0, "1", None])
def test_what_is_no_size_is_refused(number):
    assert code_of(merkle.inclusion_proof, LEAVES, number, 5) == "merkle.integer"
    assert code_of(merkle.inclusion_proof, LEAVES, 0, number) == "merkle.integer"
    assert code_of(merkle.consistency_proof, LEAVES, number, 5) == "merkle.integer"
    assert code_of(merkle.consistency_proof, LEAVES, 1, number) == "merkle.integer"


def test_proofs_that_do_not_exist_are_refused():
    assert code_of(merkle.inclusion_proof, LEAVES, 5, 5) == "merkle.index"
    assert code_of(merkle.inclusion_proof, LEAVES, 0, 0) == "merkle.index"
    assert code_of(merkle.inclusion_proof, LEAVES, 0, ALL + 1) == "merkle.size_beyond_tree"
    assert code_of(merkle.consistency_proof, LEAVES, 0, 5) == "merkle.sizes"
    assert code_of(merkle.consistency_proof, LEAVES, 6, 5) == "merkle.sizes"
    assert code_of(merkle.consistency_proof, LEAVES, 5, ALL + 1) == "merkle.size_beyond_tree"
