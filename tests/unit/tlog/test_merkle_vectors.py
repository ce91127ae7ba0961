"""`tests/vectors/merkle.json`: our code agrees with every case, and the file is what its generator makes."""

from __future__ import annotations

import json

import pytest
from vectors.generate import log_vectors

from deedlog.anchor import merkle
from deedlog.registry.errors import VerificationError

VECTORS = json.loads((log_vectors.FOLDER / "merkle.json").read_text(encoding="utf-8"))


def data(text):
    return bytes.fromhex(text[2:])


def check_inclusion(case):
    proof = [data(item) for item in case["proof"]]
    merkle.verify_inclusion(data(case["leaf_hash"]), int(case["index"]), int(case["size"]), proof, data(case["root"]))


def check_consistency(case):
    proof = [data(item) for item in case["proof"]]
    old, new = int(case["old_size"]), int(case["new_size"])
    merkle.verify_consistency(old, data(case["old_root"]), new, data(case["new_root"]), proof)


def test_the_file_is_what_its_generator_makes():
    assert (log_vectors.FOLDER / "merkle.json").read_text(encoding="utf-8") == log_vectors.render("merkle.json")


def test_leaf_hashes_and_roots():
    leaves = [merkle.leaf_hash(data(entry)) for entry in VECTORS["entries"]]
    assert leaves == [data(item) for item in VECTORS["leaf_hashes"]]
    roots = [merkle.root_from_leaf_hashes(leaves[:size]) for size in range(len(leaves) + 1)]
    assert roots == [data(item) for item in VECTORS["roots"]]


def test_proofs_are_made_and_hold():
    leaves = [data(item) for item in VECTORS["leaf_hashes"]]
    for case in VECTORS["inclusion"]:
        made = merkle.inclusion_proof(leaves, int(case["index"]), int(case["size"]))
        assert made == [data(item) for item in case["proof"]]
        check_inclusion(case)
    for case in VECTORS["consistency"]:
        made = merkle.consistency_proof(leaves, int(case["old_size"]), int(case["new_size"]))
        assert made == [data(item) for item in case["proof"]]
        check_consistency(case)


@pytest.mark.parametrize("case", VECTORS["large"]["inclusion"] + VECTORS["any_size"]["inclusion"])
def test_inclusion_holds(case):
    check_inclusion(case)


@pytest.mark.parametrize("case", VECTORS["large"]["consistency"] + VECTORS["any_size"]["consistency"])
def test_consistency_holds(case):
    check_consistency(case)


def test_the_labels_of_any_size_are_false():
    roots = VECTORS["roots"]
    assert all(case["root"] != roots[int(case["size"])] for case in VECTORS["any_size"]["inclusion"])
    assert all(case["new_root"] != roots[int(case["new_size"])] for case in VECTORS["any_size"]["consistency"])


@pytest.mark.parametrize(
    ("check", "case"),
    [(check_inclusion, case) for case in VECTORS["refused"]["inclusion"]]
    + [(check_consistency, case) for case in VECTORS["refused"]["consistency"]],
)
def test_what_is_refused_and_why(check, case):
    with pytest.raises(VerificationError) as caught:
        check(case)
    assert caught.value.code == case["code"]
