"""Recursive Length Prefix (Ethereum Yellow Paper, appendix B). Only the canonical form, bounded in size and depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from deedlog.registry.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Sequence

Item: TypeAlias = "bytes | list[Item]"

MAXIMUM_SIZE = 64 * 1024
"""In bytes. Headers and trie nodes are below 1 kB today."""

MAXIMUM_DEPTH = 16
"""How many lists may be inside each other, counting the outermost."""

_STRING, _LIST = 0x80, 0xC0
_SHORT = 56
"""A payload shorter than this has its length in the first byte. For longer ones that byte has the length's length."""


class RlpError(VerificationError):
    """The bytes are not canonical RLP."""


def decode(data: bytes) -> Item:
    """Return the item (bytes or a list of items) that all of `data` encodes. Raises `RlpError` (`rlp.…`)."""
    if len(data) > MAXIMUM_SIZE:
        raise RlpError("rlp.too_large", maximum=MAXIMUM_SIZE)
    item, end = _item(data, 0, len(data), 0)
    if end != len(data):
        raise RlpError("rlp.trailing")
    return item


def encode(item: bytes | Sequence[Item]) -> bytes:
    """Return the encoding of bytes or of a sequence of items."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
        return _prefix(len(item), _STRING) + item
    payload = b"".join([encode(part) for part in item])
    return _prefix(len(payload), _LIST) + payload


def _prefix(length: int, offset: int) -> bytes:
    if length < _SHORT:
        return bytes([offset + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([offset + _SHORT - 1 + len(size)]) + size


def _item(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    """Return the item that starts at `at` inside `depth` lists, and the position after it, which is at most `end`."""
    if at >= end:
        raise RlpError("rlp.truncated")
    if data[at] < _STRING:
        return data[at : at + 1], at + 1
    is_list = data[at] >= _LIST
    if is_list and depth == MAXIMUM_DEPTH:
        raise RlpError("rlp.too_deep", maximum=MAXIMUM_DEPTH)
    start, length = _payload(data, at, end, _LIST if is_list else _STRING)
    stop = start + length
    if stop > end:
        raise RlpError("rlp.truncated")
    if not is_list:
        if length == 1 and data[start] < _STRING:
            raise RlpError("rlp.not_canonical")
        return data[start:stop], stop
    items: list[Item] = []
    while start < stop:
        item, start = _item(data, start, stop, depth + 1)
        items.append(item)
    return items, stop


def _payload(data: bytes, at: int, end: int, offset: int) -> tuple[int, int]:
    """Return where the payload of the string or list at `at` starts, and its length."""
    short = data[at] - offset
    if short < _SHORT:
        return at + 1, short
    start = at + 2 + short - _SHORT
    if start > end:
        raise RlpError("rlp.truncated")
    length = int.from_bytes(data[at + 1 : start], "big")
    if data[at + 1] == 0 or length < _SHORT:
        raise RlpError("rlp.not_canonical")
    return start, length
