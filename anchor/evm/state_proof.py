"""From a block header to one storage slot of one contract, by Merkle-Patricia proofs alone.

This file does not decide whether the header's block is canonical. It does not look at the account's code either: code
does not prove how the state was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.anchor.evm import rlp, trie_proof
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.hexadecimal import HASH_SIZE, to_hex
from deedlog.registry.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

MINIMUM_FIELDS = 15
"""The fields of a header before London. Each fork since then has appended fields, and later ones may."""

MAXIMUM_FIELDS = 64
_STATE_ROOT, _NUMBER, _TIMESTAMP = 3, 8, 11
_U64_SIZE = 8
_ACCOUNT_FIELDS = 4
_STORAGE_ROOT = 2

_FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
    *("blockAccessListHash", "slotNumber"),
)
"""A header's fields in order, by JSON-RPC name. London added baseFeePerGas; Shanghai, Cancun and Prague the next ones.

The last two are scheduled for Amsterdam (EIP-7928, EIP-7843), in go-ethereum's order.
"""

_QUANTITIES = frozenset(
    ("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas")
) | {"slotNumber"}


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a block header used here: hash and state root (32 bytes each), number, and Unix time."""

    hash: bytes
    state_root: bytes
    number: int
    timestamp: int


def parse_header(data: bytes) -> Header:
    """Parse the RLP of a block header. Raises `VerificationError` (`header.malformed`, `rlp.…`)."""
    fields = rlp.decode(data)
    if not isinstance(fields, list) or not MINIMUM_FIELDS <= len(fields) <= MAXIMUM_FIELDS:
        raise VerificationError("header.malformed")
    state_root = fields[_STATE_ROOT]
    if not isinstance(state_root, bytes) or len(state_root) != HASH_SIZE:
        raise VerificationError("header.malformed")
    return Header(keccak256(data), state_root, _quantity(fields[_NUMBER]), _quantity(fields[_TIMESTAMP]))


def encode_header(block: object) -> bytes:
    """Return the RLP of the header in a block object: the mapping of hex fields that `eth_getBlockByNumber` returns.

    Raises `InvalidData`: `header.malformed`, or `header.unknown_fields` if the RLP does not hash to the block's hash.
    Then the chain has header fields unknown to this version, or the answer mixes several blocks.
    """
    if not isinstance(block, Mapping):
        raise InvalidData("header.malformed")
    try:
        fields: list[rlp.Item] = []
        for name in _FIELDS:
            if block.get(name) is None:
                continue
            digits = block[name][2:]
            if name in _QUANTITIES:
                number = int(digits, 16)
                fields.append(number.to_bytes((number.bit_length() + 7) // 8, "big"))
            else:
                fields.append(bytes.fromhex(digits))
        expected = bytes.fromhex(block["hash"][2:])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidData("header.malformed") from error
    if len(expected) != HASH_SIZE:
        raise InvalidData("header.malformed")
    data = rlp.encode(fields)
    if keccak256(data) != expected:
        raise InvalidData("header.unknown_fields", block=to_hex(expected))
    return data


def storage_value(
    header: Header, account: bytes, slot: bytes, account_proof: Sequence[bytes], storage_proof: Sequence[bytes]
) -> bytes:
    """Return the 32-byte word that the contract at `account` (20 bytes) has at storage key `slot` (32 bytes).

    Raises `VerificationError`: `state.account_missing` or `state.slot_empty` if the proofs show that there is no such
    account or word, `state.…_malformed`, `rlp.…` or `patricia.…` if the proofs do not hold.
    """
    try:
        encoded = trie_proof.value_at(header.state_root, keccak256(account), account_proof)
    except trie_proof.AbsentError as error:
        raise VerificationError("state.account_missing") from error
    fields = rlp.decode(encoded)
    if not isinstance(fields, list) or len(fields) != _ACCOUNT_FIELDS:
        raise VerificationError("state.account_malformed")
    storage_root = fields[_STORAGE_ROOT]
    if not isinstance(storage_root, bytes) or len(storage_root) != HASH_SIZE:
        raise VerificationError("state.account_malformed")
    try:
        word = rlp.decode(trie_proof.value_at(storage_root, keccak256(slot), storage_proof))
    except trie_proof.AbsentError as error:
        raise VerificationError("state.slot_empty") from error
    if word == b"":
        # A zero word has no leaf (Yellow Paper, 4.1), but anvil has one for each zero slot that a transaction has read.
        raise VerificationError("state.slot_empty")
    if not isinstance(word, bytes) or not 0 < len(word) <= HASH_SIZE or word[0] == 0:
        raise VerificationError("state.slot_malformed")
    return word.rjust(HASH_SIZE, b"\0")


def _quantity(item: rlp.Item) -> int:
    if not isinstance(item, bytes) or len(item) > _U64_SIZE or item[:1] == b"\0":
        raise VerificationError("header.malformed")
    return int.from_bytes(item, "big")
