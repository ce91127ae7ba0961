"""Verification accepts exactly the honest proof: in all small trees, and in sparse trees of up to 2^64 - 1 leaves.

The oracle rebuilds the root by the recursion of RFC 6962's PATH and PROOF read backwards: no loop, no bit tricks.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from vectors.generate.log_trees import SparseTree, Tree, largest_power_below, leaf, node

from deedlog.anchor import merkle
from deedlog.registry.errors import VerificationError

ALL = 130
LEAVES = [leaf(bytes([i])) for i in range(ALL)]
TREE = Tree(LEAVES)
TOP = 2**64 - 1

anyhow_slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy


class UnbuildableError(Exception):
    """The proof has too many or too few nodes."""


def rebuilt(index, size, leaf_hash, proof):
    """Return the root to which PATH(index, D[size]) = proof leads."""
    if size == 1:
        if proof:
            raise UnbuildableError
        return leaf_hash
    if not proof:
        raise UnbuildableError
    k = largest_power_below(size)
    if index < k:
        return node(rebuilt(index, k, leaf_hash, proof[:-1]), proof[-1])
    return node(proof[-1], rebuilt(index - k, size - k, leaf_hash, proof[:-1]))


def rebuilt_pair(old, new, proof, old_root):
    """Return the two roots to which PROOF(old, D[new]) = proof leads; `old_root` is what a whole old tree has."""

    def subproof(m, size, nodes, *, known):
        if m == size:
            if len(nodes) != (0 if known else 1):
                raise UnbuildableError
            return (old_root, old_root) if known else (nodes[0], nodes[0])
        if not nodes:
            raise UnbuildableError
        k = largest_power_below(size)
        if m <= k:
            before, after = subproof(m, k, nodes[:-1], known=known)
            return before, node(after, nodes[-1])
        before, after = subproof(m - k, size - k, nodes[:-1], known=False)
        return node(nodes[-1], before), node(nodes[-1], after)

    return subproof(old, new, proof, known=True)


def refusal(check, *arguments):
    """Return the code with which a check refuses; None if it accepts."""
    try:
        assert check(*arguments) is None
    except VerificationError as error:
        return error.code
    return None


def expect_inclusion(leaf_hash, index, size, proof, root):
    """Check that our verdict on a question with valid sizes and lengths is the oracle's."""
    try:
        expected = None if rebuilt(index, size, leaf_hash, proof) == root else "merkle.root_mismatch"
    except UnbuildableError:
        expected = "merkle.proof_length"
    assert refusal(merkle.verify_inclusion, leaf_hash, index, size, proof, root) == expected
    return expected


def expect_consistency(old, old_root, new, new_root, proof):
    try:
        same = rebuilt_pair(old, new, proof, old_root) == (old_root, new_root)
        expected = None if same else "merkle.root_mismatch"
    except UnbuildableError:
        expected = "merkle.proof_length"
    assert refusal(merkle.verify_consistency, old, old_root, new, new_root, proof) == expected
    return expected


def test_every_honest_proof_of_every_small_tree_holds():
    for size in range(1, ALL + 1):
        root = TREE.root(size)
        for index in range(size):
            assert expect_inclusion(LEAVES[index], index, size, TREE.path(index, 0, size), root) is None
        for old in range(1, size + 1):
            assert expect_consistency(old, TREE.root(old), size, root, TREE.proof(old, size)) is None


def test_of_all_lengths_only_the_right_one_is_hashed():
    for size in range(1, 34):
        for length in range(9):
            nodes = [LEAVES[100]] * length
            for index in range(size):
                expect_inclusion(LEAVES[index], index, size, nodes, TREE.root(size))
            for old in range(1, size + 1):
                expect_consistency(old, TREE.root(old), size, TREE.root(size), nodes)


def test_an_honest_proof_under_every_other_label_gets_the_verdict_of_the_definition():
    # Some hold, for a root does not bind its size (see test_merkle_facts); which ones is not left to chance.
    labels = [(place, size) for size in range(1, 36) for place in range(size)]
    for index, size in labels[: 17 * 18 // 2]:
        proof = TREE.path(index, 0, size)
        for place, other in labels:
            expect_inclusion(LEAVES[index], place, other, proof, TREE.root(size))
    for old, new in itertools.combinations(range(1, 18), 2):
        proof = TREE.proof(old, new)
        for other_old, other_new in itertools.combinations(range(1, 36), 2):
            expect_consistency(other_old, TREE.root(old), other_new, TREE.root(new), proof)


# Sizes near powers of two are where the shapes change.
SIZES = st.one_of(
    st.integers(1, 300),
    st.integers(1, TOP),
    st.builds(lambda height, off: max(1, min(TOP, 2**height + off)), st.integers(0, 64), st.integers(-3, 3)),
)


def mutated(draw, proof):
    """Return the proof with one fault of those that an attacker or an accident makes."""
    position = st.integers(0, max(0, len(proof) - 1))
    kind = draw(st.sampled_from(["flip", "drop", "add", "repeat", "swap", "shorten", "lengthen", "cut", "empty"]))
    proof = list(proof)
    if kind == "add":
        proof.insert(draw(st.integers(0, len(proof))), draw(st.binary(min_size=32, max_size=32)))
        return proof
    assume(proof)
    at = draw(position)
    if kind == "flip":
        bit = draw(st.integers(0, 255))
        proof[at] = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
    elif kind == "drop":
        del proof[at]
    elif kind == "repeat":
        proof.insert(at, proof[at])
    elif kind == "swap":
        other = draw(position)
        assume(proof[at] != proof[other])
        proof[at], proof[other] = proof[other], proof[at]
    elif kind == "shorten":
        proof[at] = proof[at][: draw(st.integers(0, 31))]
    elif kind == "lengthen":
        proof[at] += draw(st.binary(min_size=1, max_size=32))
    elif kind == "cut":
        del proof[at:]
    else:
        proof.clear()
    return proof


@st.composite
def inclusion_questions(draw):
    """Return (leaf hash, index, size, proof, root) of an honest proof, and the tree."""
    size = draw(SIZES)
    index = draw(st.integers(0, size - 1))
    neighbours = draw(st.sets(st.integers(0, size - 1), max_size=3))
    tree = SparseTree({place: leaf(b"%d" % place) for place in {index, *neighbours}})
    return (tree.mth(index, index + 1), index, size, tree.path(index, 0, size), tree.root(size)), tree


@st.composite
def consistency_questions(draw):
    """Return (old size, old root, new size, new root, proof) of an honest proof, with old < new."""
    old, new = sorted(draw(st.tuples(SIZES, SIZES)))
    assume(old < new)
    tree = SparseTree({place: leaf(b"%d" % place) for place in draw(st.sets(st.integers(0, new - 1), max_size=3))})
    return old, tree.root(old), new, tree.root(new), tree.proof(old, new)


@anyhow_slow
@given(inclusion_questions())
def test_an_honest_inclusion_proof_of_any_size_holds(question):
    assert expect_inclusion(*question[0]) is None
    assert len(question[0][3]) <= 64


@anyhow_slow
@given(consistency_questions())
def test_an_honest_consistency_proof_of_any_size_holds(question):
    assert expect_consistency(*question) is None


@anyhow_slow
@given(inclusion_questions(), st.data())
def test_a_faulty_inclusion_proof_of_any_size_is_refused(question, data):
    (leaf_hash, index, size, proof, root), _ = question
    faulty = mutated(data.draw, proof)
    assert refusal(merkle.verify_inclusion, leaf_hash, index, size, faulty, root) in {
        "merkle.root_mismatch",
        "merkle.proof_length",
        "merkle.hash_length",
    }


@anyhow_slow
@given(consistency_questions(), st.data())
def test_a_faulty_consistency_proof_of_any_size_is_refused(question, data):
    old, old_root, new, new_root, proof = question
    faulty = mutated(data.draw, proof)
    assert refusal(merkle.verify_consistency, old, old_root, new, new_root, faulty) in {
        "merkle.root_mismatch",
        "merkle.proof_length",
        "merkle.hash_length",
    }


@anyhow_slow
@given(inclusion_questions(), st.data())
def test_an_entry_is_nowhere_else_and_nothing_else_is_there(question, data):
    (leaf_hash, index, size, proof, root), tree = question
    elsewhere = data.draw(st.integers(0, size - 1))
    if elsewhere != index:
        assert refusal(merkle.verify_inclusion, leaf_hash, elsewhere, size, proof, root) is not None
        theirs = tree.path(elsewhere, 0, size)
        assert refusal(merkle.verify_inclusion, leaf_hash, elsewhere, size, theirs, root) == "merkle.root_mismatch"
    other = merkle.leaf_hash(b"never logged")
    assert refusal(merkle.verify_inclusion, other, index, size, proof, root) == "merkle.root_mismatch"
    assert refusal(merkle.verify_inclusion, leaf_hash, index, size, proof, other) == "merkle.root_mismatch"


@anyhow_slow
@given(consistency_questions())
def test_the_two_roots_are_both_checked(question):
    old, old_root, new, new_root, proof = question
    other = merkle.leaf_hash(b"never logged")
    assert refusal(merkle.verify_consistency, old, other, new, new_root, proof) == "merkle.root_mismatch"
    assert refusal(merkle.verify_consistency, old, old_root, new, other, proof) == "merkle.root_mismatch"
    if old_root != new_root:
        assert refusal(merkle.verify_consistency, old, new_root, new, old_root, proof) == "merkle.root_mismatch"


@anyhow_slow
@given(SIZES, SIZES, st.lists(st.sampled_from(LEAVES[:3]), max_size=66))
def test_invented_proofs_get_the_verdict_of_the_definition(one, other, nodes):
    old, new = sorted((one, other))
    expect_consistency(old, LEAVES[0], new, LEAVES[1], nodes)
    expect_inclusion(LEAVES[0], old - 1, new, nodes, LEAVES[1])


@pytest.mark.parametrize("number", [-1, 2**64, True, False, 1.0, "1", None])
def test_what_is_no_size_is_refused(number):
    root = TREE.root(2)
    assert refusal(merkle.verify_inclusion, LEAVES[0], number, 2, [LEAVES[1]], root) == "merkle.integer"
    assert refusal(merkle.verify_inclusion, LEAVES[0], 0, number, [LEAVES[1]], root) == "merkle.integer"
    assert refusal(merkle.verify_consistency, number, LEAVES[0], 2, root, [LEAVES[1]]) == "merkle.integer"
    assert refusal(merkle.verify_consistency, 1, LEAVES[0], number, root, [LEAVES[1]]) == "merkle.integer"


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), bytearray(32), "0" * 32, None, 0])
def test_what_is_no_hash_is_refused(wrong):
    root, expected = TREE.root(2), "merkle.hash_length"
    assert refusal(merkle.verify_inclusion, wrong, 0, 2, [LEAVES[1]], root) == expected
    assert refusal(merkle.verify_inclusion, LEAVES[0], 0, 2, [wrong], root) == expected
    assert refusal(merkle.verify_inclusion, LEAVES[0], 0, 2, [LEAVES[1]], wrong) == expected
    assert refusal(merkle.verify_inclusion, wrong, 0, 1, [], wrong) == expected
    assert refusal(merkle.verify_consistency, 1, wrong, 2, root, [LEAVES[1]]) == expected
    assert refusal(merkle.verify_consistency, 1, LEAVES[0], 2, wrong, [LEAVES[1]]) == expected
    assert refusal(merkle.verify_consistency, 1, LEAVES[0], 2, root, [wrong]) == expected
    assert refusal(merkle.verify_consistency, 2, wrong, 2, wrong, []) == expected


def test_a_proof_of_a_million_nodes_is_refused_by_its_length_alone():
    unread = [None] * 10**6  # no hash, and nobody looks
    assert refusal(merkle.verify_inclusion, LEAVES[0], 0, 2, unread, TREE.root(2)) == "merkle.proof_length"
    assert refusal(merkle.verify_consistency, 1, LEAVES[0], 2, TREE.root(2), unread) == "merkle.proof_length"
