"""Merkle-Patricia proofs: what the Ethereum Foundation's `trie` proves is what is read, and nothing else is."""

from __future__ import annotations

import itertools

import pytest
import rlp as reference
from eth_utils import keccak
from hypothesis import assume, given
from hypothesis import strategies as st
from trie import HexaryTrie
from trie.exceptions import BadTrieProof, ValidationError

from deedlog.anchor.evm import trie_proof
from deedlog.registry.errors import VerificationError

# Short keys out of few bytes share beginnings: extensions, values in branches, nodes within their parents.
CROWDED = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xFF]), max_size=4).map(bytes)
VALUES = st.binary(min_size=1, max_size=40)
CROWDED_TRIES = st.dictionaries(CROWDED, VALUES, min_size=1, max_size=24)
SECURE_TRIES = st.dictionaries(st.binary(max_size=8), VALUES, min_size=1, max_size=60)


def trie_of(items):
    trie = HexaryTrie({})
    for key, value in items.items():
        trie[key] = value
    return trie


def proof_of(trie, key):
    """Return the nodes as a chain's node gives them: those that have a hash, from the root down."""
    nodes = [reference.encode(node) for node in trie.get_proof(key)]
    return [node for position, node in enumerate(nodes) if position == 0 or len(node) >= 32]


def outcome(root, key, nodes):
    """Return the value, None if there is none, or the code of what is wrong."""
    try:
        return trie_proof.value_at(root, key, nodes)
    except trie_proof.AbsentError:
        return None
    except VerificationError as error:
        return error.code


def refused(root, key, nodes):
    result = outcome(root, key, nodes)
    assert isinstance(result, str), result
    return result


def hashed(item):
    """Return the root of the trie that consists of that node, and the proof."""
    node = reference.encode(item)
    return keccak(node), [node]


@given(CROWDED_TRIES, CROWDED)
def test_every_key_of_a_crowded_trie_has_its_value_and_no_other_has_any(items, other):
    trie = trie_of(items)
    for key, value in items.items():
        assert outcome(trie.root_hash, key, proof_of(trie, key)) == value
    assert outcome(trie.root_hash, other, proof_of(trie, other)) == items.get(other)


@given(SECURE_TRIES, st.binary(max_size=8))
def test_every_key_of_a_secure_trie_has_its_value_and_no_other_has_any(items, other):
    hashed_items = {keccak(key): value for key, value in items.items()}
    trie = trie_of(hashed_items)
    for key, value in hashed_items.items():
        assert outcome(trie.root_hash, key, proof_of(trie, key)) == value
    assert outcome(trie.root_hash, keccak(other), proof_of(trie, keccak(other))) == items.get(other)


@given(CROWDED_TRIES, CROWDED, CROWDED)
def test_a_proof_of_one_key_never_says_something_untrue_of_another(items, key, other):
    trie = trie_of(items)
    result = outcome(trie.root_hash, other, proof_of(trie, key))
    assert isinstance(result, str) or result == items.get(other)


@given(CROWDED_TRIES, CROWDED, st.data())
def test_any_choice_of_nodes_says_the_truth_or_nothing(items, key, data):
    trie = trie_of(items)
    all_nodes = sorted({node for each in items for node in proof_of(trie, each)})
    nodes = data.draw(st.lists(st.sampled_from(all_nodes), max_size=6))
    result = outcome(trie.root_hash, key, nodes)
    if not isinstance(result, str):
        assert nodes == proof_of(trie, key)
        assert result == items.get(key)
        try:
            theirs = HexaryTrie.get_from_proof(trie.root_hash, key, [reference.decode(node) for node in nodes])
        except ValidationError:  # the library stops in an extension that goes on beyond the key
            assert result is None
            assert any(other.startswith(key) for other in items)
        else:
            assert (result or b"") == theirs


@given(CROWDED_TRIES, CROWDED, st.data())
def test_a_changed_byte_is_refused(items, key, data):
    trie = trie_of(items)
    nodes = proof_of(trie, key)
    position = data.draw(st.integers(0, len(nodes) - 1))
    offset = data.draw(st.integers(0, len(nodes[position]) - 1))
    change = data.draw(st.integers(1, 255))
    node = bytearray(nodes[position])
    node[offset] ^= change
    nodes[position] = bytes(node)
    assert refused(trie.root_hash, key, nodes) == "patricia.node_mismatch"


@pytest.fixture(scope="module")
def deep():
    """A secure trie of several levels, with a key that is in it and one that is not."""
    trie = trie_of({keccak(b"%d" % number): b"value %d" % number for number in range(700)})
    present = max((keccak(b"%d" % number) for number in range(700)), key=lambda key: len(proof_of(trie, key)))
    absent = max((keccak(b"no %d" % number) for number in range(100)), key=lambda key: len(proof_of(trie, key)))
    assert len(proof_of(trie, present)) >= 4
    assert len(proof_of(trie, absent)) >= 3
    return trie, present, absent


@pytest.fixture(params=[1, 2], ids=["included", "excluded"])
def proven(request, deep):
    trie, key = deep[0], deep[request.param]
    nodes = proof_of(trie, key)
    assert not isinstance(outcome(trie.root_hash, key, nodes), str)
    return trie.root_hash, key, nodes


def test_every_bit_of_every_node_counts(proven):
    root, key, nodes = proven
    for position, node in enumerate(nodes):
        number = int.from_bytes(node, "big")
        for bit in range(8 * len(node)):
            flipped = (number ^ 1 << bit).to_bytes(len(node), "big")
            changed = [*nodes[:position], flipped, *nodes[position + 1 :]]
            assert refused(root, key, changed) == "patricia.node_mismatch", (position, bit)


def test_every_bit_of_the_root_counts(proven):
    root, key, nodes = proven
    for bit in range(256):
        other = (int.from_bytes(root, "big") ^ 1 << bit).to_bytes(32, "big")
        assert refused(other, key, nodes) == "patricia.node_mismatch"


def test_a_dropped_node_is_missed(proven):
    root, key, nodes = proven
    for position in range(len(nodes)):
        code = "patricia.node_missing" if position == len(nodes) - 1 else "patricia.node_mismatch"
        assert refused(root, key, nodes[:position] + nodes[position + 1 :]) == code
    assert refused(root, key, []) == "patricia.node_missing"


def test_an_added_node_is_refused_wherever_it_stands(proven):
    root, key, nodes = proven
    for position, added in itertools.product(range(len(nodes) + 1), [*nodes, b"", b"\x80", b"\xc0", nodes[0] * 2]):
        changed = [*nodes[:position], added, *nodes[position:]]
        if position == len(nodes) or added == nodes[position]:
            # The node twice in succession: the second of them is where the next is expected.
            code = "patricia.node_unused" if position >= len(nodes) - 1 else "patricia.node_mismatch"
        else:
            code = "patricia.node_mismatch"
        assert refused(root, key, changed) == code, (position, added)


def test_an_order_other_than_from_the_root_down_is_refused(proven):
    root, key, nodes = proven
    for order in itertools.permutations(nodes):
        if list(order) != nodes:
            assert refused(root, key, list(order)) == "patricia.node_mismatch"


def test_a_key_of_another_length_is_not_taken_for_it(deep):
    trie, present, _ = deep
    nodes = proof_of(trie, present)
    for key in (b"", present[:1], present[:-1], present + b"\0"):
        result = outcome(trie.root_hash, key, nodes)
        assert result is None or result == "patricia.node_unused"


def test_what_is_absent_has_a_code_and_is_no_value(deep):
    trie, _, absent = deep
    with pytest.raises(VerificationError) as caught:
        trie_proof.value_at(trie.root_hash, absent, proof_of(trie, absent))
    assert isinstance(caught.value, trie_proof.AbsentError)
    assert caught.value.code == "patricia.absent"


def test_the_caller_hashes_the_key():
    trie = trie_of({keccak(b"account"): b"value"})
    nodes = proof_of(trie, keccak(b"account"))
    assert outcome(trie.root_hash, keccak(b"account"), nodes) == b"value"
    assert outcome(trie.root_hash, b"account", nodes) is None


def test_the_empty_trie_has_nothing_and_both_ways_to_say_so():
    empty = trie_of({}).root_hash
    assert empty == trie_proof.EMPTY_TRIE
    assert outcome(empty, bytes(32), []) is None
    assert outcome(empty, bytes(32), [b"\x80"]) is None  # anvil and reth
    for nodes in ([b"\x80", b"\x80"], [b""], [b"\xc0"], proof_of(trie_of({b"a": b"b"}), b"a")):
        refused(empty, bytes(32), nodes)


def test_no_other_trie_is_empty():
    trie = trie_of({b"a": b"b"})
    assert refused(trie.root_hash, b"a", []) == "patricia.node_missing"
    assert refused(trie.root_hash, b"a", [b"\x80"]) == "patricia.node_mismatch"


@pytest.mark.parametrize("size", [0, 1, 31, 33])
def test_a_root_is_32_bytes(size):
    assert refused(bytes(size), bytes(32), [b"\xc0"]) == "patricia.malformed"


def test_more_nodes_than_a_key_can_have_are_not_looked_at():
    assert refused(bytes(32), bytes(32), [b""] * (trie_proof.MAXIMUM_NODES + 1)) == "patricia.too_many_nodes"
    assert refused(bytes(32), bytes(32), [b""] * trie_proof.MAXIMUM_NODES) == "patricia.node_mismatch"


def test_a_key_can_need_as_many_nodes_as_are_allowed():
    # One key with a neighbour at every nibble: 64 branches and a leaf, none short enough to stand in its parent.
    key = bytes(32)
    neighbours = {
        bytes([*[0] * byte, mark, *[0xFF] * (31 - byte)]): b"n" * 33 for byte in range(32) for mark in (0x10, 0x01)
    }
    trie = trie_of({key: b"v" * 33} | neighbours)
    nodes = proof_of(trie, key)
    assert len(nodes) == trie_proof.MAXIMUM_NODES
    assert outcome(trie.root_hash, key, nodes) == b"v" * 33


KEY = b"\x12\x34"
BRANCH = [b""] * 16
MALFORMED = {
    "no list": b"a node that is a string, of some length",
    "empty list": [],
    "one item": [b"\x20\x12\x34"],
    "three items": [b"\x20\x12\x34", b"value", b"value"],
    "sixteen items": BRANCH,
    "eighteen items": [*BRANCH, b"", b""],
    "path an empty list": [[], b"value"],
    "path a list": [[b"\x20\x12\x34"], b"value"],
    "path without a flag": [b"", b"value"],
    "flag above three": [b"\x40\x12\x34", b"value"],
    "flag's high bit": [b"\xa0\x12\x34", b"value"],
    "even path with a nibble beside the flag": [b"\x21\x12\x34", b"value"],
    "leaf's value empty": [b"\x20\x12\x34", b""],
    "leaf's value a list": [b"\x20\x12\x34", [b"value"]],
    "extension of nothing": [b"\x00", b"h" * 32],
    "extension to no node": [b"\x11", b""],
    "extension to 31 bytes": [b"\x11", b"h" * 31],
    "extension to 33 bytes": [b"\x11", b"h" * 33],
    "branch to 31 bytes": [b"", b"h" * 31, *[b""] * 15],
    "branch to a node of 32 bytes in itself": [b"", [b"\x32\x34", b"v" * 27], *[b""] * 15],
    "branch to a leaf with an empty value": [b"", [b"\x32\x34", b""], *[b""] * 15],
    "branch to an empty list": [b"", [], *[b""] * 15],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_node_that_no_trie_has_is_refused_even_under_its_own_hash(name):
    root, nodes = hashed(MALFORMED[name])
    assert refused(root, KEY, nodes) == "patricia.malformed"


def test_a_branch_may_not_hold_a_list_as_its_value():
    root, nodes = hashed([*BRANCH, [b"value"]])
    assert refused(root, b"", nodes) == "patricia.malformed"


WELL_FORMED = {
    "leaf": ([b"\x20\x12\x34", b"value"], b"value"),
    "branch to a leaf in itself": ([b"", [b"\x32\x34", b"value"], *[b""] * 15], b"value"),
    "branch to a node of 31 bytes in itself": ([b"", [b"\x32\x34", b"v" * 26], *[b""] * 15], b"v" * 26),
    "extension to a branch in itself": ([b"\x11", [b"", b"", [b"\x20\x34", b"value"], *[b""] * 14]], b"value"),
    "branch to nothing": ([b"", b"", [b"\x32\x34", b"value"], *[b""] * 14], None),
    "leaf of another path": ([b"\x20\x12\x35", b"value"], None),
    "leaf of a longer path": ([b"\x20\x12\x34\x56", b"value"], None),
    "leaf of a shorter path": ([b"\x20\x12", b"value"], None),
    "extension of another path": ([b"\x00\x13", b"h" * 32], None),
    "extension of a longer path": ([b"\x00\x12\x34\x56", b"h" * 32], None),
}


@pytest.mark.parametrize("name", WELL_FORMED)
def test_the_nodes_that_the_malformed_ones_were_changed_from_are_read(name):
    item, value = WELL_FORMED[name]
    root, nodes = hashed(item)
    assert outcome(root, KEY, nodes) == value


def test_a_node_shorter_than_its_hash_may_not_be_named_by_it():
    leaf = reference.encode([b"\x32\x34", b"value"])
    root, nodes = hashed([b"", keccak(leaf), *[b""] * 15])
    assert refused(root, KEY, [*nodes, leaf]) == "patricia.malformed"


def test_a_node_that_is_not_canonical_rlp_is_refused_even_under_its_own_hash():
    node = b"\xcb\x83\x20\x12\x34\xb8\x05value"
    assert refused(keccak(node), KEY, [node]) == "rlp.not_canonical"
    trailing = reference.encode([b"\x20\x12\x34", b"value"]) + b"\0"
    assert refused(keccak(trailing), KEY, [trailing]) == "rlp.trailing"


@given(CROWDED_TRIES, CROWDED)
def test_the_reference_refuses_what_is_refused_for_a_missing_node(items, key):
    trie = trie_of(items)
    nodes = proof_of(trie, key)
    assume(len(nodes) > 1)
    assert refused(trie.root_hash, key, nodes[:-1]) == "patricia.node_missing"
    with pytest.raises(BadTrieProof):
        HexaryTrie.get_from_proof(trie.root_hash, key, [reference.decode(node) for node in nodes[:-1]])
