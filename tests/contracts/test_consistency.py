"""The contract accepts exactly the heads whose RFC 9162 §2.1.4 proof holds: the Python implementation is the oracle.

Each case is a call from the operator at the state that the real transactions before it left.
"""

from __future__ import annotations

import pytest

from deedlog.anchor import merkle
from deedlog.registry.errors import VerificationError

LARGEST = 2**64 - 1


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(32, "big")


def python_accepts(old, old_root, new, new_root, proof) -> bool:
    try:
        merkle.verify_consistency(old, old_root, new, new_root, proof)
    except VerificationError:
        return False
    return True


@pytest.mark.on_one_evm
def test_every_pair_to_64_is_accepted(contract, tree):
    for old in range(1, 64):
        contract.send("anchor", *tree.growth(old - 1, old))
        for new in range(old + 1, 65):
            assert contract.refusal("anchor", *tree.growth(old, new)) is None, (old, new)


def test_a_forked_history_is_refused(contract, tree):
    """One anchored entry is another: its log's honest proof, between its own roots, does not extend this head."""
    for old in range(1, 64):
        contract.send("anchor", *tree.growth(old - 1, old))
        changed = old * 5 // 7
        fork = type(tree)([*tree.entries[:changed], b"rewritten", *tree.entries[changed + 1 :]])
        for new in sorted({old + 1, (old + 65) // 2, 64}):
            growth = fork.growth(old, new)
            assert contract.refusal("anchor", *growth) == ("NotConsistent", *growth[:3]), (old, new, changed)


@pytest.mark.on_one_evm
def test_a_wrong_size_is_judged_as_in_python(contract, tree):
    """A root does not bind its tree's size: many a wrong size is accepted, by both, and which ones is the same."""
    judged = []
    for old in range(1, 40):
        contract.send("anchor", *tree.growth(old - 1, old))
        for new in (old + 2, old + 7, 2 * old + 1):
            _, _, root, proof = tree.growth(old, min(new, 64))
            for wrong in (new - 1, new + 1, new + 2):
                holds = python_accepts(old, tree.root(old), wrong, root, proof)
                accepted = contract.refusal("anchor", old, wrong, root, proof) is None
                assert accepted == holds, (old, new, wrong)
                judged.append(holds)
    assert True in judged
    assert False in judged


@pytest.mark.on_one_evm
def test_every_single_bit_of_a_proof_counts(contract, tree):
    """6 → 7 has a node of each role: the old tree's last subtree, one to its right, one to its left."""
    contract.send("anchor", *tree.growth(0, 6))
    old, new, root, proof = tree.growth(6, 7)
    assert len(proof) == 3
    for bit in range(256):
        assert contract.refusal("anchor", old, new, flipped(root, bit), proof) is not None, bit
        for at in range(3):
            changed = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
            assert contract.refusal("anchor", old, new, root, changed) == ("NotConsistent", old, new, root), (at, bit)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (8, 21), (43, 44), (63, 64)])
def test_a_bit_of_every_byte_counts(contract, tree, old, new):
    contract.send("anchor", *tree.growth(0, old))
    _, _, root, proof = tree.growth(old, new)
    for at in range(len(proof)):
        for byte in range(32):
            changed = [*proof[:at], flipped(proof[at], 8 * byte + (at + byte) % 8), *proof[at + 1 :]]
            refusal = contract.refusal("anchor", old, new, root, changed)
            assert refusal == ("NotConsistent", old, new, root), (at, byte)


@pytest.mark.parametrize(("old", "new"), [(1, 3), (4, 7), (6, 7), (11, 13), (32, 64), (37, 53)])
def test_nodes_missing_added_doubled_or_swapped_are_refused(contract, tree, old, new):
    contract.send("anchor", *tree.growth(0, old))
    _, _, root, proof = tree.growth(old, new)
    wrong = [[]]
    for at in range(len(proof)):
        wrong += [proof[:at] + proof[at + 1 :], [*proof[: at + 1], *proof[at:]]]
        wrong += [[*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]]] if at + 1 < len(proof) else []
    for spare in (bytes(32), root, tree.root(old)):
        wrong += [[spare, *proof], [*proof, spare]]
    for nodes in wrong:
        assert not python_accepts(old, tree.root(old), new, root, nodes)
        assert contract.refusal("anchor", old, new, root, nodes) == ("NotConsistent", old, new, root)
    assert contract.refusal("anchor", old, new, root, proof) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1_000_000, 1_000_256),
        (999_999, 1_999_999),
        (2**32 - 1, 2**32 + 1),
        (2**53 - 1, 2**53 + 1),
        (2**62 + 12_345, 2**63),
        (2**63 - 1, 2**63),
        (2**63, LARGEST),
        (1, LARGEST),
        (LARGEST - 1, LARGEST),
    ],
)
def test_sizes_to_the_largest(contract, sparse, old, new):
    growth = sparse.growth(old, new)
    _, _, root, proof = growth
    assert python_accepts(old, sparse.root(0, old), new, root, proof)
    contract.send("anchor", 0, old, sparse.root(0, old), [])
    wrong = [*proof[:-1], flipped(proof[-1], 0)]
    assert contract.refusal("anchor", old, new, root, wrong) == ("NotConsistent", old, new, root)
    contract.send("anchor", *growth)
    assert contract.read("head")[:2] == (new, root)


def test_64_nodes_are_accepted_and_65_refused_unread(contract, sparse):
    """Half of all leaves but one: no sibling is left out on the way up, and the way is 63 levels long."""
    old, new = 2**62 + 1, 2**63
    growth = sparse.growth(old, new)
    assert len(growth[3]) == 64
    contract.send("anchor", 0, old, sparse.root(0, old), [])
    long = [*growth[3], bytes(32)]
    assert contract.refused("anchor", *growth[:3], long) == ("ProofLength", 65)
    assert contract.refused("anchor", *growth[:3], [bytes(32)] * 500) == ("ProofLength", 500)
    contract.send("anchor", *growth)
