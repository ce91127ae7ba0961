"""Two facts about RFC 9162 that are easy to get wrong, shown; and for each, what keeps us from getting it wrong.

`bare_consistency` is §2.1.4.2 with nothing added. Each case that it believes and that is false, or not a question at
all, is refused by ours.
"""

from __future__ import annotations

import pytest
from vectors.generate.log_trees import EMPTY, Tree, leaf, node

from deedlog.anchor import merkle
from deedlog.registry.errors import VerificationError

LEAVES = [leaf(bytes([i])) for i in range(130)]
TREE = Tree(LEAVES)
MASK = 2**64 - 1


def bare_consistency(first, first_hash, second, second_hash, path):
    """RFC 9162 §2.1.4.2, steps 1 to 7, in 64-bit arithmetic: a verdict."""
    if not path:
        return False
    if first & (first - 1 & MASK) == 0 and first:
        path = [first_hash, *path]
    fn, sn = first - 1 & MASK, second - 1 & MASK
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_hash and sr == second_hash and sn == 0


def refusal(check, *arguments):
    try:
        check(*arguments)
    except VerificationError as error:
        return error.code
    return None


# ---- Fact 1: a root does not bind the size of its tree ----


def test_one_proof_holds_for_two_places_in_two_trees_under_one_root():
    entry, root, proof = LEAVES[2], TREE.root(3), TREE.path(2, 0, 3)
    merkle.verify_inclusion(entry, 2, 3, proof, root)  # what is true
    merkle.verify_inclusion(entry, 1, 2, proof, root)  # and what is not: same entry, same root, another place


def test_most_inclusion_proofs_hold_for_another_size():
    pairs = [(index, size) for size in range(1, 65) for index in range(size)]
    moved = [
        (index, size)
        for index, size in pairs
        if any(
            refusal(merkle.verify_inclusion, LEAVES[index], index, other, TREE.path(index, 0, size), TREE.root(size))
            is None
            for other in (size - 1, size + 1)
        )
    ]
    assert len(moved) > len(pairs) * 0.9


def test_most_consistency_proofs_hold_for_a_size_that_is_off_by_one():
    # So a contract that checks the proof alone would take such a head, and no honest one ever after. What signs heads
    # must compare size and root with what is stored.
    pairs = [(old, new) for new in range(2, 65) for old in range(1, new)]
    mislabelled = [
        (old, new)
        for old, new in pairs
        if any(
            refusal(merkle.verify_consistency, old, TREE.root(old), wrong, TREE.root(new), TREE.proof(old, new)) is None
            for wrong in (new - 1, new + 1)
        )
    ]
    assert len(mislabelled) > len(pairs) * 0.9


def test_after_a_mislabelled_head_no_honest_head_follows():
    honest, label = 7, 8
    merkle.verify_consistency(3, TREE.root(3), label, TREE.root(honest), TREE.proof(3, honest))
    # The chain now says that root(7) has 8 leaves: of all proofs that the log can make, none leads from there.
    for new in range(label + 1, 65):
        for old in range(1, new):
            proof = TREE.proof(old, new)
            assert refusal(merkle.verify_consistency, label, TREE.root(honest), new, TREE.root(new), proof), (old, new)


def test_with_the_true_size_the_place_is_certain():
    # The other half of the fact: size and root from one trusted place, and an entry stands where its proof says.
    for size in range(1, 40):
        for index in range(size):
            proof = TREE.path(index, 0, size)
            places = [
                place
                for place in range(size)
                if refusal(merkle.verify_inclusion, LEAVES[index], place, size, proof, TREE.root(size)) is None
            ]
            assert places == [index]


# ---- Fact 2: RFC 9162 §2.1.4.2 holds for 0 < old < new only ----


def test_between_its_bounds_the_bare_algorithm_is_ours():
    for new in range(2, 40):
        for old in range(1, new):
            question = old, TREE.root(old), new, TREE.root(new), TREE.proof(old, new)
            assert bare_consistency(*question)
            assert refusal(merkle.verify_consistency, *question) is None


def test_nothing_is_not_a_beginning():
    # old = 0: the bare algorithm takes any root for both.
    root = TREE.root(7)
    assert bare_consistency(0, root, 7, root, [root])
    assert refusal(merkle.verify_consistency, 0, root, 7, root, [root]) == "merkle.sizes"
    assert refusal(merkle.verify_consistency, 0, EMPTY, 7, root, []) == "merkle.sizes"
    assert refusal(merkle.verify_consistency, 0, EMPTY, 0, EMPTY, []) == "merkle.sizes"


def test_a_log_that_shrinks_is_refused():
    # old > new: the bare algorithm takes a new root that is made up on the spot.
    old_root, invented = TREE.root(3), leaf(b"invented")
    new_root = node(old_root, invented)
    assert bare_consistency(3, old_root, 2, new_root, [old_root, invented])
    assert refusal(merkle.verify_consistency, 3, old_root, 2, new_root, [old_root, invented]) == "merkle.sizes"


def test_equal_sizes_need_equal_roots_and_no_node():
    root = TREE.root(3)
    merkle.verify_consistency(3, root, 3, root, [])
    assert not bare_consistency(3, root, 3, root, [])
    padded = [LEAVES[2], TREE.root(2)]
    assert bare_consistency(3, root, 3, root, padded)
    assert refusal(merkle.verify_consistency, 3, root, 3, root, padded) == "merkle.proof_length"
    assert refusal(merkle.verify_consistency, 3, root, 3, TREE.root(2), []) == "merkle.root_mismatch"


@pytest.mark.parametrize("cut", [0, 1, 31, 33, 63, 64])
def test_every_hash_has_32_bytes(cut):
    # The same 64 bytes under one node, cut elsewhere: the hash cannot tell.
    joined = LEAVES[0] + LEAVES[1]
    left, right, root = joined[:cut], joined[cut:], TREE.root(2)
    assert node(left, right) == root
    assert bare_consistency(1, left, 2, root, [right])
    assert refusal(merkle.verify_consistency, 1, left, 2, root, [right]) == "merkle.hash_length"
    assert refusal(merkle.verify_inclusion, left, 0, 2, [right], root) == "merkle.hash_length"


def test_no_node_is_left_over():
    for old, new in ((3, 7), (4, 7), (6, 8)):
        proof = TREE.proof(old, new)
        for at in range(len(proof) + 1):
            padded = [*proof[:at], LEAVES[9], *proof[at:]]
            assert refusal(merkle.verify_consistency, old, TREE.root(old), new, TREE.root(new), padded) == (
                "merkle.proof_length"
            )
