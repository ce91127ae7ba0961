"""A hash that was not computed is never taken: on a chain without the SHA-256 precompile every proof reverts."""

from __future__ import annotations

import dataclasses

import pytest

CALL = bytes.fromhex("60025afa")
"""PUSH1 2, GAS, STATICCALL: a call of the precompile."""

TO_NOBODY = bytes.fromhex("60ee5afa")
"""The same, to an account that has no code: the call succeeds and returns nothing, as it would without a precompile."""

PLACES = 4
"""The leaf, the path of an inclusion proof, and two hashes of a consistency proof."""


@pytest.fixture
def blind(contract, tree):
    """Return the contract with a head of 13 entries and without some of its calls of the precompile."""

    def make(*places: int):
        runtime = contract.evm.code(contract.address)
        pieces = runtime.split(CALL)
        assert len(pieces) == PLACES + 1
        calls = [TO_NOBODY if place in places else CALL for place in range(PLACES)]
        code = b"".join(piece + call for piece, call in zip(pieces, [*calls, b""], strict=True))
        forged = contract.forgery({"root": tree.root(13), tree.root(13): 13})
        receipt = contract.evm.send(None, forged.removesuffix(runtime) + code, contract.evm.keys[0])
        assert receipt["status"] == 1
        return dataclasses.replace(contract, address=bytes.fromhex(receipt["contractAddress"][2:]))

    return make


def outcomes(contract, tree):
    """Return what honest proofs give: False and an error by name are answers, ("", b"") is none."""
    entry = tree.entries[5], 5, tree.root(13), tree.inclusion(5, 13)
    leaf = tree.leaves[5], *entry[1:]
    answers = [contract.refusal(name, *given) for name, given in (("verifyEntry", entry), ("verifyInclusion", leaf))]
    return [*answers, contract.refusal("anchor", *tree.growth(13, 27))]


def test_with_the_precompile_honest_proofs_hold(blind, tree):
    assert outcomes(blind(), tree) == [None, None, None]


def test_without_it_nothing_is_answered(blind, tree):
    assert outcomes(blind(*range(PLACES)), tree) == [("", b"")] * 3


def test_no_single_hash_may_be_missing(blind, tree):
    """Each of the four places by itself makes what depends on it revert, never answer false or "not consistent"."""
    reverting = [outcomes(blind(place), tree) for place in range(PLACES)]
    for found in reverting:
        assert set(found) <= {None, ("", b"")}
        assert ("", b"") in found
