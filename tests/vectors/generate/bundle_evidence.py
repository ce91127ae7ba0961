"""Evidence for `bundle_vectors.py`, made by other libraries: trees, notes, and a contract's slot under a header.

The statement, the registry and the log's second entry are those of the worked example in `docs/formats.md`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import rlp
from eth_utils import keccak
from trie import HexaryTrie
from vectors.generate.log_note_vectors import SEED, checkpoint_text, line, proof_text
from vectors.generate.log_trees import Tree, leaf, to_hex

FORMATS = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")


def _example(name: str) -> str:
    found = re.search(rf"<!-- example:{name} -->\n```\w*\n(.*?)\n```", FORMATS, re.DOTALL)
    assert found is not None, name
    return found[1]


def _value(name: str) -> str:
    found = re.search(rf"^\| {re.escape(name)} \| `(0x[0-9a-f]+)` \|$", FORMATS, re.MULTILINE)
    assert found is not None, name
    return found[1]


REGISTRY: dict[str, Any] = json.loads(_example("registry"))
ORIGIN: str = REGISTRY["origin"]
TYPED_DATA: dict[str, Any] = json.loads(_example("typed-data"))
ENTRY = _example("entry")
ABOUT = re.search(r"`about` is:\n\n```\n(.*?)\n```", FORMATS, re.DOTALL)[1]  # type: ignore[index] # it is there
ADDRESS = _value("registry address")
DIGEST = _value("digest")
ACCOUNT = _value("account")
TREE = Tree([leaf(ENTRY.encode()), bytes.fromhex(_value("leaf hash of entry 1")[2:]), leaf(b"a third entry")])
"""The first two leaves are the worked example's: its root of size 2 is checked by `tests/unit/house/test_docs.py`."""

BLOCK_TIME = 12


def tlog_proof(size: int, index: int = 0, seed: bytes = SEED, origin: str = ORIGIN) -> str:
    """Return the tlog-proof of the entry at `index` in the signed checkpoint of `size` entries."""
    text = checkpoint_text(origin, size, TREE.root(size))
    return proof_text(index, TREE.path(index, 0, size), f"{text}\n{line(text, origin, seed)}")


class Anchored:
    """A head in a contract's slot, and the header of a block whose state has it."""

    def __init__(
        self,
        chain_id: int,
        size: int,
        block_number: int,
        time: int,
        *,
        later: int = 3,
        seconds: int = 3 * BLOCK_TIME,
        previous_size: int = 0,
    ) -> None:
        """Put the head of `size` entries, taken at `time` in `block_number`, into the state of a later block.

        That block comes `later` blocks and `seconds` later. Below zero they make what no contract can hold, and so does
        a `previous_size` that is not below `size`.
        """
        self.chain_id, self.size, self.block_number, self.time = chain_id, size, block_number, time
        self.number, self.block_time = block_number + later, time + seconds
        word = size | time << 64 | previous_size << 128 | block_number << 192
        slot = keccak(TREE.root(size) + bytes(32))
        storage = _trie({keccak(slot): rlp.encode(rlp.sedes.big_endian_int.serialize(word)), **_neighbours(32)})
        account = rlp.encode([b"\x01", b"", storage.root_hash, keccak(b"code")])
        address = bytes.fromhex(ADDRESS[2:])
        state = _trie({keccak(address): account, **_neighbours(70)})
        self._proofs = _proof(state, keccak(address)), _proof(storage, keccak(slot))
        header = rlp.encode(
            [
                *(keccak(b"parent"), keccak(b"uncles"), bytes(20), state.root_hash, bytes(32), bytes(32), bytes(256)),
                *(b"", _integer(self.number), _integer(30_000_000), _integer(1), _integer(self.block_time)),
                *(str(chain_id).encode(), bytes(32), bytes(8), _integer(7)),
            ]
        )
        self.header = to_hex(header)
        self.block_hash = to_hex(keccak(header))

    def anchor(self, **changes: Any) -> dict[str, Any]:
        """Return the anchor of the type `evm-slot`."""
        return {
            "type": "evm-slot",
            "chain_id": self.chain_id,
            "tlog_proof": tlog_proof(self.size),
            "header": self.header,
            "account_proof": self._proofs[0],
            "storage_proof": self._proofs[1],
        } | changes

    def node(self, *, block_hash: str | None = None, finalized: int | None = None, url: str = "a") -> dict[str, Any]:
        """Return what a node of this chain answers that has this block, or another one in its place."""
        blocks = {str(self.number): block_hash or self.block_hash}
        return {"url": url, "chain_id": self.chain_id, "blocks": blocks, "finalized": finalized, "problem": None}


def bundle(*anchors: dict[str, Any], tlog_proof: str | None = None) -> dict[str, Any]:
    """Return a bundle of the worked example's statement."""
    value = {"about": ABOUT, "version": 1, "typed_data": TYPED_DATA, "entry": ENTRY, "registry": REGISTRY}
    if anchors:
        value["anchors"] = list(anchors)
    if tlog_proof is not None:
        value["tlog_proof"] = tlog_proof
    return value


def _neighbours(count: int) -> dict[bytes, bytes]:
    return {keccak(b"neighbour" + bytes([number])): rlp.encode(b"\x01" * 32) for number in range(count)}


def _trie(items: dict[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in items.items():
        trie[key] = value
    return trie


def _proof(trie: HexaryTrie, key: bytes) -> list[str]:
    """Return the nodes as a chain's node gives them: the root, and below it those that have a hash."""
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    return [to_hex(node) for position, node in enumerate(nodes) if position == 0 or len(node) >= 32]


def _integer(value: int) -> bytes:
    encoded: bytes = rlp.sedes.big_endian_int.serialize(value)
    return encoded
