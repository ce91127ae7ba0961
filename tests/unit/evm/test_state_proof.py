"""From a header to a storage slot: what a real chain (anvil) proves is read, whatever else is said is refused."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import subprocess
import sys

import pytest
import rlp as reference
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from local_registry import ROOT
from trie import HexaryTrie
from vectors.generate import state_proof_vectors as vectors

from deedlog.anchor.evm.identity import Head, head_slot
from deedlog.anchor.evm.state_proof import (
    MAXIMUM_FIELDS,
    MINIMUM_FIELDS,
    Header,
    encode_header,
    parse_header,
    storage_value,
)
from deedlog.registry.errors import InvalidData, VerificationError

VECTORS = json.loads(vectors.PATH.read_text(encoding="utf-8"))
HEADERS = {case["name"]: case for case in VECTORS["headers"]}


def data(text):
    assert text.startswith("0x")
    return bytes.fromhex(text[2:])


def by_name(cases):
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def code_of(function, *arguments):
    with pytest.raises(InvalidData) as caught:
        function(*arguments)
    return caught.value.code


def arguments(case):
    """Return what `storage_value` takes."""
    proofs = [[data(node) for node in case[which]] for which in ("account_proof", "storage_proof")]
    return parse_header(data(HEADERS[case["header"]]["rlp"])), data(case["account"]), data(case["slot"]), *proofs


# The committed vectors.


@by_name(VECTORS["headers"])
def test_a_header_says_what_the_chain_says(case):
    assert parse_header(data(case["rlp"])) == Header(
        data(case["hash"]), data(case["state_root"]), case["number"], case["timestamp"]
    )


@by_name(VECTORS["headers_refused"])
def test_a_header_is_refused(case):
    with pytest.raises(VerificationError) as caught:
        parse_header(data(case["rlp"]))
    assert caught.value.code == case["code"]


@by_name(VECTORS["storage"])
def test_a_slot_has_the_value_that_was_put_there(case):
    assert storage_value(*arguments(case)) == data(case["value"])


@by_name(VECTORS["storage_refused"])
def test_a_slot_is_refused(case):
    with pytest.raises(VerificationError) as caught:
        storage_value(*arguments(case))
    assert caught.value.code == case["code"]


def test_what_is_refused_for_its_own_reason_has_its_own_code():
    codes = {case["name"]: case["code"] for case in VECTORS["storage_refused"]}
    assert {"state.account_missing", "state.slot_empty"} < set(codes.values())
    assert {f"patricia.node_{what}" for what in ("missing", "unused", "mismatch")} < set(codes.values())


# The chain itself.


@pytest.fixture(scope="module")
def chain():
    with vectors.chain_of(vectors.FORKS[-1]) as running:
        running.block = vectors.fill(running)
        yield running


@pytest.fixture(scope="module")
def header(chain):
    return parse_header(encode_header(chain.block))


def test_the_committed_vectors_are_what_the_chain_gives_now(chain):
    blocks = {fork: vectors.first_block(fork) for fork in vectors.FORKS[:-1]}
    assert vectors.make(blocks | {vectors.FORKS[-1]: chain.block}, chain) == VECTORS


def test_every_slot_of_the_chain_is_proven(chain, header):
    contract = data(vectors.CONTRACT)
    for slot, value in vectors.SLOTS.items():
        account_proof, storage_proof = (
            list(map(data, nodes)) for nodes in chain.proof(vectors.CONTRACT, slot, chain.block)
        )
        word = storage_value(header, contract, data(slot), account_proof, storage_proof)
        assert word == value.to_bytes(32, "big")


def test_a_head_is_read_from_its_slot(chain, header):
    root = hashlib.sha256(b"root 3").digest()
    proofs = [
        list(map(data, nodes)) for nodes in chain.proof(vectors.CONTRACT, "0x" + head_slot(root).hex(), chain.block)
    ]
    word = storage_value(header, data(vectors.CONTRACT), head_slot(root), *proofs)
    assert Head.unpack(word) == Head(size=28, time=vectors.TIME + 3, previous_size=21, block_number=1003)


def test_a_slot_set_back_to_zero_is_empty_from_then_on_and_still_proven_before(chain):
    slot = vectors.head_slot(5)
    (saved,) = chain.request(("evm_snapshot",))
    try:
        old = arguments_now(chain, slot, chain.block)
        chain.request(("anvil_setStorageAt", vectors.CONTRACT, slot, vectors.word(0)))
        later = chain.mine(vectors.TIME + 12)
        new = arguments_now(chain, slot, later)
    finally:
        chain.request(("evm_revert", saved))
    assert code_of(storage_value, *new) == "state.slot_empty"
    assert storage_value(*old) == vectors.head(5).to_bytes(32, "big")
    assert code_of(storage_value, new[0], *old[1:]) == "patricia.node_mismatch"
    assert code_of(storage_value, old[0], *new[1:]) == "patricia.node_mismatch"


def test_a_slot_that_a_transaction_only_read_is_empty(chain):
    reads_its_argument = "0x6000355450" + "00"  # SLOAD(CALLDATALOAD(0))
    slot = vectors.head_slot(vectors.HEADS + 1)
    (saved, accounts) = chain.request(("evm_snapshot",), ("eth_accounts",))
    try:
        call = {"from": accounts[0], "to": vectors.CONTRACT, "data": slot}
        chain.request(
            ("anvil_setCode", vectors.CONTRACT, reads_its_argument),
            ("anvil_setAutomine", False),
            ("eth_sendTransaction", call),
        )
        block = chain.mine(vectors.TIME + 12)
        assert len(block["transactions"]) == 1
        new = arguments_now(chain, slot, block)
    finally:
        chain.request(("evm_revert", saved), ("anvil_setAutomine", True))
    assert reference.decode(new[-1][-1])[1] == reference.encode(b""), "anvil keeps no zeros any more"
    assert code_of(storage_value, *new) == "state.slot_empty"


def arguments_now(chain, slot, block):
    proofs = [list(map(data, nodes)) for nodes in chain.proof(vectors.CONTRACT, slot, block)]
    return parse_header(encode_header(block)), data(vectors.CONTRACT), data(slot), *proofs


# Every change of a proof.


@pytest.fixture(params=["included", "excluded"])
def proven(request):
    wanted = {
        "included": max(VECTORS["storage"], key=lambda case: len(case["storage_proof"])),
        "excluded": next(case for case in VECTORS["storage_refused"] if case["name"] == "no such slot"),
    }[request.param]
    result = arguments(wanted)
    if request.param == "included":
        assert storage_value(*result) == data(wanted["value"])
    else:
        assert code_of(storage_value, *result) == "state.slot_empty"
    return result


@pytest.mark.parametrize("which", [3, 4], ids=["account", "storage"])
def test_no_bit_of_a_proof_can_change(proven, which):
    nodes = proven[which]
    for position, node in enumerate(nodes):
        number = int.from_bytes(node, "big")
        for bit in range(8 * len(node)):
            flipped = (number ^ 1 << bit).to_bytes(len(node), "big")
            changed = [*proven]
            changed[which] = [*nodes[:position], flipped, *nodes[position + 1 :]]
            assert code_of(storage_value, *changed) == "patricia.node_mismatch", (position, bit)


@pytest.mark.parametrize("which", [3, 4], ids=["account", "storage"])
def test_no_node_can_be_dropped_added_doubled_or_moved(proven, which):
    nodes = proven[which]
    added = [proven[7 - which][0], b"", b"\x80"]
    variants = [nodes[:i] + nodes[i + 1 :] for i in range(len(nodes))]
    variants += [[*nodes[:i], node, *nodes[i:]] for i in range(len(nodes) + 1) for node in (*nodes, *added)]
    variants += [list(order) for order in itertools.permutations(nodes) if list(order) != nodes]
    codes = set()
    for variant in variants:
        changed = [*proven]
        changed[which] = variant
        codes.add(code_of(storage_value, *changed))
    assert codes == {f"patricia.node_{what}" for what in ("missing", "unused", "mismatch")}


def test_no_bit_of_the_state_root_can_change(proven):
    header = proven[0]
    for bit in range(256):
        root = (int.from_bytes(header.state_root, "big") ^ 1 << bit).to_bytes(32, "big")
        other = Header(header.hash, root, header.number, header.timestamp)
        assert code_of(storage_value, other, *proven[1:]) == "patricia.node_mismatch"


def test_no_bit_of_a_header_can_change_and_leave_its_hash():
    encoded = data(HEADERS["osaka"]["rlp"])
    number = int.from_bytes(encoded, "big")
    for bit in range(8 * len(encoded)):
        with contextlib.suppress(VerificationError):
            changed = parse_header((number ^ 1 << bit).to_bytes(len(encoded), "big"))
            assert changed.hash != data(HEADERS["osaka"]["hash"])


@given(st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32))
def test_a_proof_is_of_one_account_and_one_slot(account, slot):
    header, _, right_slot, account_proof, storage_proof = arguments(VECTORS["storage"][0])
    right = arguments(VECTORS["storage"][0])[1]
    assert code_of(storage_value, header, account, right_slot, account_proof, storage_proof).startswith(
        ("patricia.node_", "state.account_missing")
    )
    assert code_of(storage_value, header, right, slot, account_proof, storage_proof).startswith(
        ("patricia.node_", "state.slot_empty")
    )


# Headers of other forks.


def later_header(*more):
    """Return the newest header with further fields, as a fork to come would append them."""
    fields = reference.decode(data(HEADERS["osaka"]["rlp"]))
    return reference.encode([*fields, *more])


@given(
    st.lists(st.recursive(st.binary(max_size=40), lambda inner: st.lists(inner, max_size=3)), min_size=1, max_size=40)
)
def test_a_header_with_more_fields_than_today_is_read_and_proves(more):
    encoded = later_header(*more)
    later = parse_header(encoded)
    today = parse_header(data(HEADERS["osaka"]["rlp"]))
    assert later == Header(keccak(encoded), today.state_root, today.number, today.timestamp)
    assert later.hash != today.hash
    case = VECTORS["storage"][0]
    assert storage_value(later, *arguments(case)[1:]) == data(case["value"])


@pytest.mark.parametrize("count", [0, 1, 12, MINIMUM_FIELDS - 1, MINIMUM_FIELDS, MAXIMUM_FIELDS, MAXIMUM_FIELDS + 1])
def test_a_header_has_at_least_15_fields_and_at_most_64(count):
    fields = reference.decode(later_header(*[b""] * MAXIMUM_FIELDS))[:count]
    encoded = reference.encode(fields)
    if MINIMUM_FIELDS <= count <= MAXIMUM_FIELDS:
        assert parse_header(encoded).hash == keccak(encoded)
    else:
        assert code_of(parse_header, encoded) == "header.malformed"


@pytest.mark.parametrize("position", [8, 11], ids=["number", "timestamp"])
@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 2**64 - 1])
def test_numbers_are_read_to_64_bits(position, value):
    fields = reference.decode(data(HEADERS["osaka"]["rlp"]))
    fields = [*fields[:position], reference.sedes.big_endian_int.serialize(value), *fields[position + 1 :]]
    header = parse_header(reference.encode(fields))
    assert {8: header.number, 11: header.timestamp}[position] == value


# Headers out of a node's JSON.


@pytest.mark.parametrize(("fork", "count"), zip(vectors.FORKS, (15, 16, 17, 20, 21, 21), strict=True), ids=str)
def test_the_header_of_each_fork_has_the_hash_that_its_chain_gave_it(fork, count):
    block = vectors.first_block(fork)
    encoded = encode_header(block)
    assert parse_header(encoded).hash == data(block["hash"])
    assert len(reference.decode(encoded)) == count


def test_the_first_block_of_the_main_network_has_its_hash():
    assert parse_header(encode_header(vectors.GENESIS)).hash == data(vectors.GENESIS["hash"])


AMSTERDAM = {"blockAccessListHash": "0x" + "ab" * 32, "slotNumber": "0x123"}


@pytest.mark.parametrize("count", [1, 2])
def test_the_fields_scheduled_for_amsterdam_follow_those_of_prague(chain, count):
    encoded = later_block_header(chain.block, [b"\xab" * 32, b"\x01\x23"][:count])
    block = chain.block | dict(list(AMSTERDAM.items())[:count]) | {"hash": "0x" + keccak(encoded).hex()}
    assert encode_header(block) == encoded


def later_block_header(block, more):
    return reference.encode([*vectors.fields_of(block), *more])


def test_a_block_with_a_field_that_is_not_known_is_refused_by_that_reason(chain):
    encoded = later_block_header(chain.block, [b"\xab" * 32, b"\x01\x23", b"\x01"])
    block = chain.block | AMSTERDAM | {"fieldOfTomorrow": "0x1", "hash": "0x" + keccak(encoded).hex()}
    with pytest.raises(InvalidData) as caught:
        encode_header(block)
    assert caught.value.code == "header.unknown_fields"
    assert caught.value.params == {"block": block["hash"]}


@pytest.mark.parametrize("name", vectors.ORDER)
def test_no_field_of_a_block_can_be_changed_or_left_out(chain, name):
    value = chain.block[name]
    # A digit on: another number, another hash; of empty data a byte.
    changed = value[:-1] + f"{int(value[-1], 16) ^ 1:x}" if value != "0x" else "0x00"
    assert code_of(encode_header, chain.block | {name: changed}) == "header.unknown_fields"
    without = {key: other for key, other in chain.block.items() if key != name}
    assert code_of(encode_header, without) == "header.unknown_fields"
    assert code_of(encode_header, chain.block | {name: None}) == "header.unknown_fields"


@pytest.mark.parametrize(
    "change",
    [
        {"number": 1},
        {"number": "0x-1"},
        {"number": "0x"},
        {"number": "0xone"},
        {"number": ["0x1"]},
        {"stateRoot": "0x" + "0" * 63},
        {"stateRoot": "0x" + "zz" * 32},
        {"stateRoot": 5},
        {"stateRoot": {}},
        {"extraData": True},
        {"hash": None},
        {"hash": "0x"},
        {"hash": "0x" + "00" * 31},
        {"hash": "0x" + "00" * 33},
        {"hash": 7},
    ],
    ids=str,
)
def test_a_block_that_is_no_block_is_malformed(chain, change):
    assert code_of(encode_header, chain.block | change) == "header.malformed"


@pytest.mark.parametrize("answer", [None, [], "0x", 1, {}])
def test_an_answer_that_is_no_block_is_malformed(answer):
    assert code_of(encode_header, answer) == "header.malformed"


# Accounts and slots that no chain has, under roots of our own.


def world(account_value, storage=None):
    """Return the arguments of `storage_value` for a state with one account and one slot, and whatever they hold."""
    slot, account = b"s" * 32, b"a" * 20
    slots, state = HexaryTrie({}), HexaryTrie({})
    if storage is not None:
        slots[keccak(slot)] = storage
    state[keccak(account)] = account_value(slots.root_hash)
    proofs = [
        [reference.encode(node) for node in trie.get_proof(keccak(key))]
        for trie, key in ((state, account), (slots, slot))
    ]
    return Header(bytes(32), state.root_hash, 1, 1), account, slot, *proofs


def plain_account(storage_root):
    return reference.encode([b"\x01", b"", storage_root, keccak(b"")])


@pytest.mark.parametrize("value", [b"\x01", b"\x7f", b"\x80", b"\x01\x00", b"\xff" * 32])
def test_a_word_is_32_bytes_whatever_its_value(value):
    assert storage_value(*world(plain_account, reference.encode(value))) == value.rjust(32, b"\0")


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        (b"\x80", "state.slot_empty"),  # zero, as anvil keeps it
        (b"\x00", "state.slot_malformed"),
        (b"\x82\x00\x01", "state.slot_malformed"),
        (reference.encode(b"\x01" * 33), "state.slot_malformed"),
        (reference.encode([b"\x01"]), "state.slot_malformed"),
        (b"\x81\x01", "rlp.not_canonical"),
        (b"\x01\x02", "rlp.trailing"),
    ],
)
def test_a_slot_that_no_chain_has_is_malformed(stored, code):
    assert code_of(storage_value, *world(plain_account, stored)) == code


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (lambda root: reference.encode([b"\x01", b"", root]), "state.account_malformed"),
        (lambda root: reference.encode([b"\x01", b"", root, keccak(b""), b""]), "state.account_malformed"),
        (lambda root: reference.encode([b"\x01", b"", root[1:], keccak(b"")]), "state.account_malformed"),
        (lambda _: reference.encode([b"\x01", b"", [b"\x01"] * 32, keccak(b"")]), "state.account_malformed"),
        (reference.encode, "state.account_malformed"),
        (lambda root: plain_account(root) + b"\0", "rlp.trailing"),
    ],
    ids=["three fields", "five fields", "root of 31 bytes", "root a list of 32", "a string", "a byte behind"],
)
def test_an_account_that_no_chain_has_is_malformed(account, code):
    assert code_of(storage_value, *world(account, b"\x01")) == code


def test_the_code_of_an_account_says_nothing():
    forged = world(lambda root: reference.encode([b"\x01", b"", root, b"\xcc" * 32]), b"\x05")
    honest = world(plain_account, b"\x05")
    assert storage_value(*forged) == storage_value(*honest)


# What a verifier has to load for this.


def test_a_state_proof_needs_no_package_but_the_hash():
    program = (
        "import sys; before = set(sys.modules); import deedlog.anchor.evm.state_proof;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    loaded = {name for name in done.stdout.split() if not name.startswith("_")}
    assert loaded == {"deedlog", "sha3"}
