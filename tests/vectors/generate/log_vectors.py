"""Make the vectors of the log: `tests/vectors/merkle.json`, `tiles.json`, `checkpoint.json`, `tlog_proof.json`.

PYTHONPATH=tests python tests/vectors/generate/log_vectors.py

Nothing of the project runs here: trees and tiles come from the specifications' own definitions (`log_trees`), notes are
put together by hand (`log_note_vectors`), and what the specifications and drafts publish is checked on the way.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectors.generate.log_note_vectors import checkpoint, tlog_proof
from vectors.generate.log_trees import (
    CLASSIC,
    CLASSIC_ROOTS,
    EMPTY,
    WIDTH,
    SparseTree,
    Tree,
    accumulated,
    entry_bundle,
    hexes,
    leaf,
    node,
    tile,
    tile_path,
    tile_width,
    to_hex,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).resolve().parent.parent


def inclusion_case(tree: Tree, index: int, size: int) -> dict[str, Any]:
    """Return an inclusion proof with what it is checked against."""
    return {
        "leaf_hash": to_hex(tree.mth(index, index + 1)),
        "index": str(index),
        "size": str(size),
        "proof": hexes(tree.path(index, 0, size)),
        "root": to_hex(tree.root(size)),
    }


def consistency_case(tree: Tree, old: int, new: int) -> dict[str, Any]:
    """Return a consistency proof with what it is checked against."""
    return {
        "old_size": str(old),
        "old_root": to_hex(tree.root(old)),
        "new_size": str(new),
        "new_root": to_hex(tree.root(new)),
        "proof": hexes(tree.proof(old, new)),
    }


def merkle() -> dict[str, Any]:
    """Return `merkle.json`."""
    tree = Tree([leaf(entry) for entry in CLASSIC])
    sizes = range(1, len(CLASSIC) + 1)
    assert [tree.root(size).hex() for size in sizes] == CLASSIC_ROOTS
    top = 2**64 - 1
    places = [0, 1, 255, 256, 2**32, 2**62, 2**63 - 1, 2**63, top - 1]
    sparse = SparseTree({place: leaf(str(place).encode()) for place in places})
    return {
        "about": "RFC 6962 / RFC 9162 Merkle trees over SHA-256. `entries` give `leaf_hashes`, and the first n of them "
        "`roots[n]`. Every case of `inclusion` and `consistency` holds; `large` are trees whose leaves are all "
        '"common" but those at `others`, leaf hash of the index in decimal; `refused` must not hold, for the reason '
        "named by `code`. `any_size` holds too, for a false size: a root does not bind it. `accumulated` are the "
        "hashes over all trees to 130 leaves of draft-ietf-plants-merkle-tree-certs.",
        "entries": hexes(CLASSIC),
        "leaf_hashes": hexes(tree.leaf_hashes),
        "roots": hexes([tree.root(size) for size in (0, *sizes)]),
        "inclusion": [inclusion_case(tree, index, size) for size in sizes for index in range(size)],
        "consistency": [consistency_case(tree, old, new) for new in sizes for old in range(1, new + 1)],
        "large": {
            "others": [str(place) for place in places],
            "inclusion": [
                inclusion_case(sparse, index, size)
                for index, size in (
                    *((0, 2**63), (2**63 - 1, 2**63), (2**63, 2**63 + 1), (top - 1, top), (1, top)),
                    *((256, 2**32), (2**32, 2**63 - 1), (2**62, 2**62 + 1), (255, 257)),
                )
            ],
            "consistency": [
                consistency_case(sparse, old, new)
                for old, new in (
                    *((1, top), (2**63, top), (2**63 - 1, 2**63), (2**62, 2**63), (2**62 + 1, 2**63 - 1)),
                    *((top - 1, top), (2**32 + 1, 2**32 + 2), (255, 65_537), (256, 65_536)),
                )
            ],
        },
        "any_size": _any_size(tree),
        "refused": {"inclusion": _refused_inclusion(tree), "consistency": _refused_consistency(tree)},
        "accumulated": accumulated(),
    }


def _any_size(tree: Tree) -> dict[str, Any]:
    """Return proofs that hold under labels that are not true: for what is trusted as a pair, never alone."""
    return {
        "inclusion": [
            {**inclusion_case(tree, 2, 3), "index": "1", "size": "2"},
            {**inclusion_case(tree, 4, 5), "index": "1", "size": "2"},
            {**inclusion_case(tree, 0, 7), "size": "8"},
        ],
        "consistency": [
            {**consistency_case(tree, 3, 7), "new_size": "8"},
            {**consistency_case(tree, 2, 6), "new_size": "7"},
        ],
    }


def _refused_inclusion(tree: Tree) -> list[dict[str, Any]]:
    good = inclusion_case(tree, 4, 7)
    proof = good["proof"]
    flipped = to_hex(bytes.fromhex(proof[0][2:])[:-1] + bytes([bytes.fromhex(proof[0][2:])[-1] ^ 1]))
    pair = inclusion_case(tree, 0, 2)
    joined = pair["leaf_hash"][2:] + pair["proof"][0][2:]
    return [
        {**good, "code": "merkle.index", "index": "7"},
        {**good, "code": "merkle.index", "index": "0", "size": "0", "proof": [], "root": to_hex(EMPTY)},
        {**good, "code": "merkle.integer", "index": "-1"},
        {**good, "code": "merkle.integer", "size": str(2**64)},
        {**good, "code": "merkle.proof_length", "proof": proof[:-1]},
        {**good, "code": "merkle.proof_length", "proof": proof[1:]},
        {**good, "code": "merkle.proof_length", "proof": [*proof, proof[0]]},
        {**good, "code": "merkle.proof_length", "proof": []},
        {**good, "code": "merkle.root_mismatch", "proof": [flipped, *proof[1:]]},
        {**good, "code": "merkle.root_mismatch", "proof": [proof[1], proof[0], *proof[2:]]},
        {**good, "code": "merkle.root_mismatch", "index": "5"},
        {**good, "code": "merkle.root_mismatch", "root": to_hex(tree.root(6))},
        {**good, "code": "merkle.root_mismatch", "leaf_hash": to_hex(tree.leaf_hashes[3])},
        # The same 64 bytes, cut elsewhere: without a check of each length they give the same root.
        {**pair, "code": "merkle.hash_length", "leaf_hash": "0x" + joined[:66], "proof": ["0x" + joined[66:]]},
        {**pair, "code": "merkle.hash_length", "root": pair["root"][:-2]},
    ]


def _refused_consistency(tree: Tree) -> list[dict[str, Any]]:
    good, perfect, equal = consistency_case(tree, 3, 7), consistency_case(tree, 4, 7), consistency_case(tree, 3, 3)
    proof = good["proof"]
    invented = tree.leaf_hashes[0]
    return [
        {**good, "code": "merkle.sizes", "old_size": "0", "old_root": to_hex(EMPTY), "proof": []},
        # RFC 9162 §2.1.4.2 alone would believe these two.
        {**good, "code": "merkle.sizes", "old_size": "0", "old_root": good["new_root"], "proof": [good["new_root"]]},
        {
            **good,
            "code": "merkle.sizes",
            "new_size": "2",
            "new_root": to_hex(node(tree.root(3), invented)),
            "proof": hexes([tree.root(3), invented]),
        },
        {**good, "code": "merkle.integer", "old_size": "-1"},
        {**good, "code": "merkle.integer", "new_size": str(2**64)},
        {**equal, "code": "merkle.root_mismatch", "new_root": to_hex(tree.root(2))},
        # This too: nodes between equal trees, which lead to the root.
        {**equal, "code": "merkle.proof_length", "proof": hexes([tree.leaf_hashes[2], tree.root(2)])},
        {**good, "code": "merkle.proof_length", "proof": []},
        {**good, "code": "merkle.proof_length", "proof": proof[1:]},
        {**good, "code": "merkle.proof_length", "proof": proof[:-1]},
        {**good, "code": "merkle.proof_length", "proof": [*proof, proof[-1]]},
        {**perfect, "code": "merkle.proof_length", "proof": [perfect["old_root"], *perfect["proof"]]},
        {**good, "code": "merkle.root_mismatch", "proof": [proof[1], proof[0], *proof[2:]]},
        {**good, "code": "merkle.root_mismatch", "old_root": to_hex(tree.root(2))},
        {**good, "code": "merkle.root_mismatch", "new_root": to_hex(tree.root(6))},
        {**good, "code": "merkle.hash_length", "proof": [proof[0] + "00", *proof[1:]]},
        {**good, "code": "merkle.hash_length", "proof": [proof[0][:-2], *proof[1:]]},
        {**good, "code": "merkle.hash_length", "old_root": "0x"},
    ]


TREE_SIZES = (1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 70_000)


def tree_tiles(tree: Tree, size: int) -> list[dict[str, Any]]:
    """Return the first and the last tile of each level of a tree, by path and SHA-256."""
    tiles = []
    for level in range(8):
        indices = {0, (size // WIDTH**level - 1) // WIDTH} if size >= WIDTH**level else ()
        for index in sorted(indices):
            data = tile(tree, level, index, size)
            path = tile_path(level, index, len(data) // 32)
            tiles.append({"path": path, "bytes": len(data), "sha256": to_hex(hashlib.sha256(data).digest())})
    return tiles


def tiles() -> dict[str, Any]:
    """Return `tiles.json`."""
    tree = Tree([leaf(str(i).encode()) for i in range(max(TREE_SIZES))])
    paths = [
        *((0, 0, 256), (0, 0, 1), (0, 999, 255), (0, 1000, 256), (0, 1_234_067, 256), (0, 1_234_067, 8)),
        *((1, 17, 112), (63, 0, 1), (63, 2**56 - 1, 256), (None, 0, 256), (None, 273, 112), (None, 1_234_067, 256)),
    ]
    widths = [
        *((0, 272, 70_000), (0, 273, 70_000), (0, 274, 70_000), (1, 0, 70_000), (1, 1, 70_000), (1, 2, 70_000)),
        *((2, 0, 70_000), (3, 0, 70_000), (0, 0, 256), (1, 0, 256), (1, 0, 255), (0, 0, 0), (0, 1, 256), (0, 1, 257)),
    ]
    bundles = [[b""], [b"a"], [b"one", b"", b"three"], [b"x" * 255], [b"x" * 256], [b"\x00\x01" * 3, b"\xff"]]
    return {
        "about": "C2SP tlog-tiles v0.1. `paths` are written and read; `refused_paths` are not read. `widths`: how many "
        "hashes a tile has in a tree of that size, 0 where there is no such tile. `bundles` are entry bundles; "
        "`refused_bundles` are not read. `trees`: entry i is i in decimal; of each level the first and the last tile.",
        "paths": [
            {"level": level, "index": str(index), "width": width, "path": tile_path(level, index, width)}
            for level, index, width in paths
        ],
        "refused_paths": REFUSED_PATHS,
        "widths": [
            {"level": level, "index": index, "size": size, "width": tile_width(level, index, size)}
            for level, index, size in widths
        ],
        "bundles": [{"entries": hexes(entries), "bundle": to_hex(entry_bundle(entries))} for entries in bundles],
        "refused_bundles": [
            {"why": "no entry", "bundle": "0x"},
            {"why": "half a length", "bundle": "0x00"},
            {"why": "half a length after an entry", "bundle": "0x00016100"},
            {"why": "an entry cut short", "bundle": "0x000261"},
            {"why": "257 entries", "bundle": to_hex(entry_bundle([b""] * 257))},
        ],
        "trees": [
            {"size": size, "root": to_hex(tree.root(size)), "tiles": tree_tiles(tree, size)} for size in TREE_SIZES
        ],
    }


REFUSED_PATHS = [
    *(
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        " tile/0/000",
        "TILE/0/000",
    ),
    *("tile/00/000", "tile/01/000", "tile/64/000", "tile/100/000", "tile/-1/000", "tile/+1/000", "tile/x/000"),
    *("tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000", "tile/0/x000/000", "tile/0/x000/x001/000"),
    *("tile/0/001/000", "tile/0/X001/000", "tile/0/x001/x000", "tile/0/x001//000", "tile/0/x01/000", "tile/0/-01"),
    *("tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/256", "tile/0/000.p/1000"),
    *(
        "tile/0/000.p/-1",
        "tile/0/000.p/1/",
        "tile/0/000.P/1",
        "tile/0/000.p/1.p/1",
        "tile/0/x001.p/1/000",
        "tile/0/000/1",
    ),
    *("tile/entries", "tile/entries/", "tile/Entries/000", "tile/entries/0", "tile/entries/000.p/0", "tile/data/000"),
    *(
        "tile/0/\u0660\u0660\u0660",
        "tile/\u0661/000",
        "tile/0/000.p/\u0661",
        "tile/0/..",
        "tile/0/%30%30%30",
        "tile//000",
    ),
    tile_path(0, 2**56, WIDTH),
    tile_path(0, 10**18, WIDTH),
]


FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "merkle.json": merkle,
    "tiles.json": tiles,
    "checkpoint.json": checkpoint,
    "tlog_proof.json": tlog_proof,
}


def render(name: str) -> str:
    """Return the bytes of one file of vectors, as text."""
    return json.dumps(FILES[name](), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files."""
    for name in FILES:
        (FOLDER / name).write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
