"""RLP: what is decoded is what the Ethereum Foundation's `rlp` says, in its one canonical form, within limits."""

from __future__ import annotations

import contextlib

import pytest
import rlp as reference
from hypothesis import given
from hypothesis import strategies as st

from deedlog.anchor.evm import rlp

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=6), max_leaves=20)


def code_of(data):
    with pytest.raises(rlp.RlpError) as caught:
        rlp.decode(data)
    return caught.value.code


def expected(data):
    """Return what the reference decodes, if that is canonical; None if it refuses or would write it otherwise."""
    with contextlib.suppress(reference.DecodingError):
        item = reference.decode(data)
        if reference.encode(item) == data:
            return item
    return None


def decoded(data):
    with contextlib.suppress(rlp.RlpError):
        return rlp.decode(data)
    return None


@given(ITEMS)
def test_an_item_is_encoded_as_the_reference_does_and_comes_back(item):
    data = rlp.encode(item)
    assert data == reference.encode(item)
    assert rlp.decode(data) == item


@given(st.binary(max_size=80))
def test_bytes_are_accepted_exactly_if_the_reference_writes_them_so(data):
    assert decoded(data) == expected(data)


@given(ITEMS, st.integers(0), st.integers(0, 255))
def test_a_changed_byte_is_read_as_the_reference_reads_it(item, position, byte):
    data = bytearray(rlp.encode(item))
    data[position % len(data)] = byte
    assert decoded(bytes(data)) == expected(bytes(data))


def test_all_bytes_to_length_two_are_read_as_the_reference_reads_them():
    for length in range(3):
        for number in range(256**length):
            data = number.to_bytes(length, "big")
            assert decoded(data) == expected(data), data


@pytest.mark.parametrize("length", [0, 1, 54, 55, 56, 57, 254, 255, 256, 257, 65_000])
def test_lengths_at_the_edges_of_their_encoding(length):
    for item in (b"\x99" * length, [b""] * length):
        data = reference.encode(item)
        assert rlp.encode(item) == data
        assert rlp.decode(data) == item


@given(ITEMS)
def test_no_beginning_of_an_encoding_is_one(item):
    data = rlp.encode(item)
    for end in range(len(data)):
        assert code_of(data[:end]) == "rlp.truncated"


@given(ITEMS, st.binary(min_size=1, max_size=3))
def test_nothing_may_stand_behind(item, more):
    data = rlp.encode(item) + more
    reference.decode(data, strict=False)  # what a lenient reader lets pass
    assert code_of(data) == "rlp.trailing"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "rlp.truncated"),
        (b"\x81\x00", "rlp.not_canonical"),  # one byte below 0x80 is itself
        (b"\x81\x7f", "rlp.not_canonical"),
        (b"\xc2\x81\x05", "rlp.not_canonical"),
        (b"\xb8\x00", "rlp.not_canonical"),  # long form of a short string
        (b"\xb8\x37" + bytes(55), "rlp.not_canonical"),
        (b"\xb9\x00\x38" + bytes(56), "rlp.not_canonical"),  # a zero before the length
        (b"\xbf" + bytes(7) + b"\x38" + bytes(56), "rlp.not_canonical"),
        (b"\xf8\x00", "rlp.not_canonical"),  # the same of lists
        (b"\xf8\x37" + b"\x01" * 55, "rlp.not_canonical"),
        (b"\xf9\x00\x38" + b"\x01" * 56, "rlp.not_canonical"),
        (b"\xb8", "rlp.truncated"),
        (b"\xb9\x01", "rlp.truncated"),
        (b"\xbf" + b"\xff" * 8, "rlp.truncated"),  # a length of 2^64 - 1 takes no memory
        (b"\xff" + b"\xff" * 8, "rlp.truncated"),
        (b"\xc1\x82", "rlp.truncated"),  # what a list holds may not reach beyond it
        (b"\xc1\x82ab", "rlp.truncated"),
        (b"\xc3\xc3\x01\x02\x03", "rlp.truncated"),
        (b"\xc1\xb8\x38" + bytes(56), "rlp.truncated"),
        (b"\xc2\xb8\x38" + bytes(56), "rlp.truncated"),
    ],
)
def test_what_is_refused_and_why(data, code):
    assert code_of(data) == code
    assert expected(data) is None


def test_depth_has_a_limit():
    item = [b"text"]  # a string in the innermost list is no level of its own
    for _ in range(rlp.MAXIMUM_DEPTH - 1):
        item = [item]
    assert rlp.decode(reference.encode(item)) == item
    assert code_of(reference.encode([item])) == "rlp.too_deep"


def test_lists_within_lists_to_the_size_limit_do_not_exhaust_the_stack():
    data = b""
    while len(more := rlp._prefix(len(data), 0xC0) + data) <= rlp.MAXIMUM_SIZE:
        data = more
    assert len(data) > rlp.MAXIMUM_SIZE - 8
    assert code_of(data) == "rlp.too_deep"


def test_size_has_a_limit():
    longest = bytes(rlp.MAXIMUM_SIZE - 3)
    assert rlp.decode(reference.encode(longest)) == longest
    assert code_of(reference.encode(longest + b"\0")) == "rlp.too_large"
