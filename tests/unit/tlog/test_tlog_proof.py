"""Proofs of inclusion as text: `tests/vectors/tlog_proof.json`, and any bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors.generate import log_vectors

from deedlog.anchor import merkle
from deedlog.anchor.tlog import checkpoint, note
from deedlog.anchor.tlog import proof as tlog_proof

VECTORS = json.loads((log_vectors.FOLDER / "tlog_proof.json").read_text(encoding="utf-8"))


def data(text):
    return bytes.fromhex(text[2:])


def code_of(call, *arguments):
    with pytest.raises(tlog_proof.TlogProofError) as caught:
        call(*arguments)
    return caught.value.code


def test_the_file_is_what_its_generator_makes():
    assert (log_vectors.FOLDER / "tlog_proof.json").read_text(encoding="utf-8") == log_vectors.render("tlog_proof.json")


@pytest.mark.parametrize("case", VECTORS["proofs"], ids=lambda case: f"{case['index']} of {case['size']}")
def test_proofs_are_read_and_written_and_hold(case):
    proof = tlog_proof.parse(case["text"].encode())
    assert (proof.index, proof.hashes) == (int(case["index"]), tuple(map(data, case["hashes"])))
    assert proof.format() == case["text"].encode()
    head = checkpoint.open_signed(proof.note, note.parse_key(VECTORS["vkey"]))
    assert (head.size, head.root) == (int(case["size"]), data(case["root"]))
    merkle.verify_inclusion(merkle.leaf_hash(data(case["entry"])), proof.index, head.size, proof.hashes, head.root)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["why"])
def test_proofs_that_are_not_read(case):
    assert code_of(tlog_proof.parse, case["text"].encode()) == "tlog_proof.malformed"


def test_the_limits():
    hashes = (bytes(32),) * tlog_proof.MAXIMUM_HASHES
    largest = tlog_proof.TlogProof(2**64 - 1, hashes, b"x" * note.MAXIMUM_NOTE)
    assert tlog_proof.parse(largest.format()) == largest
    assert code_of(tlog_proof.parse, bytes(tlog_proof.MAXIMUM_PROOF + 1)) == "tlog_proof.too_large"


@pytest.mark.parametrize("members", [(-1, ()), (2**64, ()), (True, ()), (0, (bytes(31),)), (0, (bytes(32),) * 65)])
def test_there_is_no_such_proof(members):
    assert code_of(tlog_proof.TlogProof, *members, b"") == "tlog_proof.malformed"


@given(st.integers(0, 2**64 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=64), st.binary(max_size=50))
def test_every_proof_comes_back(index, hashes, rest):
    proof = tlog_proof.TlogProof(index, tuple(hashes), rest)
    assert tlog_proof.parse(proof.format()) == proof


@given(st.binary(max_size=80))
def test_what_is_read_is_the_only_text_of_its_proof(junk):
    for text in (junk, b"c2sp.org/tlog-proof@v1\n" + junk, b"c2sp.org/tlog-proof@v1\nindex 1\n" + junk + b"\n\nnote\n"):
        try:
            proof = tlog_proof.parse(text)
        except tlog_proof.TlogProofError:
            continue
        assert proof.format() == text
