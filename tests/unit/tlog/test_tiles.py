"""Tiles: stored rows are those of the formula, and roots and proofs cut from them are those of the leaves."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vectors.generate import log_trees
from vectors.generate.log_trees import EMPTY, SparseTree, Tree, leaf

from deedlog.anchor import merkle
from deedlog.anchor.tlog import tiles
from deedlog.registry.errors import InvalidData

anyhow_slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

EDGES = (1, 2, 3, 254, 255, 256, 257, 258, 511, 512, 513, 65_279, 65_280, 65_535, 65_536, 65_537, 65_792, 70_000)
LARGEST = max(EDGES)
JUNK = b"\xee" * 32
TOP = 2**64 - 1


@pytest.fixture(scope="module")
def tree():
    return Tree([leaf(b"%d" % i) for i in range(LARGEST)])


@pytest.fixture(scope="module")
def rows(tree):
    """The rows of the largest tree, appended at once."""
    return tiles.append(nothing_stored, 0, tree.leaf_hashes).tiles


def nothing_stored(level, index):
    raise AssertionError((level, index))


def reading(rows):
    return lambda level, index: rows.get((level, index), b"")


class Reader:
    """Reads rows of a tree of `size`: once each, only such as it has, with junk instead of what came later."""

    def __init__(self, rows, size):
        self.rows = rows
        self.size = size
        self.seen = set()

    def __call__(self, level, index):
        width = tiles.tile_width(level, index, self.size)
        assert width > 0, f"tile {level}/{index} is not in a tree of {self.size}"
        assert (level, index) not in self.seen, f"tile {level}/{index} was read twice"
        self.seen.add((level, index))
        return self.rows[level, index][: width * 32] + JUNK * (tiles.TILE_WIDTH - width)


def all_tiles(size):
    return {(level, index) for level in range(9) for index in range(-(-(size >> 8 * level) // tiles.TILE_WIDTH))}


def code_of(call, *arguments):
    with pytest.raises(InvalidData) as caught:
        call(*arguments)
    return caught.value.code


# ---- What is stored ----


@pytest.mark.parametrize("size", EDGES)
def test_the_rows_of_a_tree_are_those_of_the_formula(tree, size):
    appended = tiles.append(nothing_stored, 0, tree.leaf_hashes[:size])
    assert appended.size == size
    assert appended.root == tree.root(size)
    assert set(appended.tiles) == all_tiles(size)
    for (level, index), row in appended.tiles.items():
        assert row == log_trees.tile(tree, level, index, size)


@pytest.mark.parametrize("size", EDGES)
def test_the_width_of_a_tile_is_that_of_the_formula(size):
    for level in range(5):
        for index in (0, 1, 2, (size >> 8 * level + 8) - 1, size >> 8 * level + 8, (size >> 8 * level + 8) + 1):
            if index >= 0:
                assert tiles.tile_width(level, index, size) == log_trees.tile_width(level, index, size)


def test_the_specifications_examples_of_widths():
    # "A tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width 112, one
    # full level 1 tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1."
    widths = [[tiles.tile_width(level, index, 70_000) for index in range(275)] for level in range(4)]
    assert widths[0] == [256] * 273 + [112, 0]
    assert widths[1] == [256, 17] + [0] * 273
    assert widths[2] == [1] + [0] * 274
    assert widths[3] == [0] * 275
    # "A tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of width 1."
    assert [tiles.tile_width(*place, 256) for place in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0))] == [256, 0, 1, 0, 0]
    assert tiles.tile_width(0, 0, 0) == 0


@anyhow_slow
@given(st.lists(st.integers(0, 700), min_size=1, max_size=8))
def test_batches_of_any_size_store_what_one_batch_stores(batches):
    leaves = [leaf(b"%d" % i) for i in range(sum(batches))]
    stored = {}
    size = 0
    for batch in batches:
        before = stored
        appended = tiles.append(reading(before), size, leaves[size : size + batch])
        stored = before | appended.tiles
        size += batch
        assert appended.size == size
        assert appended.root == merkle.root_from_leaf_hashes(leaves[:size])
        for key, row in before.items():
            assert stored[key].startswith(row), "a stored hash has changed"
        assert all(row != before.get(key) for key, row in appended.tiles.items()), "a row that did not change"
    assert stored == tiles.append(nothing_stored, 0, leaves).tiles


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("batch", [1, 255, 256, 257, 512])
def test_a_batch_reads_the_right_edge_once_and_nothing_else(tree, rows, size, batch):
    if size + batch > LARGEST:
        size = LARGEST - batch
    reader = Reader(rows, size)
    appended = tiles.append(reader, size, tree.leaf_hashes[size : size + batch])
    assert appended.root == tree.root(size + batch)
    assert all(index == (size >> 8 * level) // 256 - ((size >> 8 * level) % 256 == 0) for level, index in reader.seen)
    for (level, index), row in appended.tiles.items():
        assert row == log_trees.tile(tree, level, index, size + batch)


def test_what_a_lost_writer_left_beyond_the_size_is_overwritten(tree):
    stored = tiles.append(nothing_stored, 0, tree.leaf_hashes[:300]).tiles
    lost = {place: row if len(row) == 32 * tiles.TILE_WIDTH else row + JUNK * 3 for place, row in stored.items()}
    assert lost != stored
    appended = tiles.append(reading(lost), 300, tree.leaf_hashes[300:700])
    assert (lost | appended.tiles) == tiles.append(nothing_stored, 0, tree.leaf_hashes[:700]).tiles
    assert appended.root == tree.root(700)


def test_an_empty_batch_changes_nothing(tree, rows):
    appended = tiles.append(Reader(rows, 300), 300, [])
    assert appended == tiles.Appended({}, 300, tree.root(300))
    assert tiles.append(nothing_stored, 0, []) == tiles.Appended({}, 0, EMPTY)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_a_leaf_hash_of_another_length_never_gets_into_a_row(wrong):
    assert code_of(tiles.append, nothing_stored, 0, [bytes(32), wrong]) == "merkle.hash_length"


# ---- What is cut from it ----


@pytest.mark.parametrize("size", EDGES)
def test_roots_of_every_earlier_tree_are_cut_from_todays_rows(tree, rows, size):
    assert tiles.root(Reader(rows, size), size) == tree.root(size)


def test_the_root_of_the_empty_tree_needs_no_tile():
    assert tiles.root(nothing_stored, 0) == EMPTY


@pytest.mark.parametrize("size", EDGES)
def test_inclusion_proofs_of_every_earlier_tree_are_cut_from_todays_rows(tree, rows, size):
    for index in {0, 1, 255, 256, 257, 65_535, 65_536, size // 2, size - 2, size - 1}:
        if 0 <= index < size:
            proof = tiles.inclusion_proof(Reader(rows, size), index, size)
            assert proof == tree.path(index, 0, size)
            merkle.verify_inclusion(tree.leaf_hashes[index], index, size, proof, tree.root(size))


@pytest.mark.parametrize("new", EDGES)
def test_consistency_proofs_between_any_two_trees_are_cut_from_todays_rows(tree, rows, new):
    for old in (edge for edge in EDGES if edge <= new):
        proof = tiles.consistency_proof(Reader(rows, new), old, new)
        assert proof == tree.proof(old, new), old
        merkle.verify_consistency(old, tree.root(old), new, tree.root(new), proof)


@anyhow_slow
@given(st.data())
def test_proofs_of_any_two_trees_are_those_of_the_leaves(tree, rows, data):
    new = data.draw(st.integers(1, LARGEST))
    old = data.draw(st.integers(1, new))
    index = data.draw(st.integers(0, new - 1))
    assert tiles.root(Reader(rows, new), new) == tree.root(new)
    assert tiles.inclusion_proof(Reader(rows, new), index, new) == tree.path(index, 0, new)
    assert tiles.consistency_proof(Reader(rows, new), old, new) == tree.proof(old, new)


def test_a_proof_of_a_million_entries_reads_two_tiles_of_each_level():
    size = 10**6 - 1
    for index in (0, 1, 777_777, size - 300, size - 1):
        reader = SparseReader(SparseTree({}), size)
        tiles.inclusion_proof(reader, index, size)
        assert len(reader.seen) <= 6
        reader = SparseReader(SparseTree({}), size)
        tiles.consistency_proof(reader, index + 1, size)
        assert len(reader.seen) <= 6


class SparseReader(Reader):
    """Reads rows of a sparse tree of any size, made as they are read."""

    def __init__(self, tree, size):
        super().__init__(self, size)
        self.tree = tree

    def __getitem__(self, place):
        return log_trees.tile(self.tree, *place, self.size)


SIZES = st.one_of(
    st.integers(1, TOP),
    st.builds(lambda height, off: max(1, min(TOP, 2**height + off)), st.integers(0, 64), st.integers(-300, 300)),
)


@settings(anyhow_slow, max_examples=40)
@given(SIZES, st.data())
def test_trees_of_up_to_2_to_the_64_minus_1_leaves(size, data):
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    tree = SparseTree({index: leaf(b"%d" % index)})
    proof = tiles.inclusion_proof(SparseReader(tree, size), index, size)
    assert proof == tree.path(index, 0, size)
    assert tiles.consistency_proof(SparseReader(tree, size), old, size) == tree.proof(old, size)


@settings(anyhow_slow, max_examples=20)
@given(SIZES, st.integers(1, 600))
def test_a_batch_on_a_tree_of_any_size(size, batch):
    size = min(size, TOP - batch)
    leaves = {size + i: leaf(b"%d" % i) for i in range(batch)}
    tree = SparseTree(leaves)
    appended = tiles.append(SparseReader(tree, size), size, list(leaves.values()))
    assert appended.size == size + batch
    assert appended.root == tree.root(size + batch)
    for (level, index), row in appended.tiles.items():
        assert row == log_trees.tile(tree, level, index, size + batch)


# ---- What is refused ----


@pytest.mark.parametrize("number", [-1, 2**64, True, 1.0, None])
def test_what_is_no_size_is_refused(number):
    assert code_of(tiles.root, nothing_stored, number) == "merkle.integer"
    assert code_of(tiles.append, nothing_stored, number, []) == "merkle.integer"
    assert code_of(tiles.inclusion_proof, nothing_stored, 0, number) == "merkle.integer"
    assert code_of(tiles.inclusion_proof, nothing_stored, number, 5) == "merkle.integer"
    assert code_of(tiles.consistency_proof, nothing_stored, number, 5) == "merkle.integer"
    assert code_of(tiles.consistency_proof, nothing_stored, 1, number) == "merkle.integer"


def test_a_tree_does_not_grow_beyond_the_largest_size():
    assert code_of(tiles.append, nothing_stored, TOP, [bytes(32)]) == "merkle.integer"


def test_proofs_that_do_not_exist_are_refused():
    assert code_of(tiles.inclusion_proof, nothing_stored, 5, 5) == "merkle.index"
    assert code_of(tiles.consistency_proof, nothing_stored, 0, 5) == "merkle.sizes"
    assert code_of(tiles.consistency_proof, nothing_stored, 6, 5) == "merkle.sizes"


@pytest.mark.parametrize("missing", [32, 1, 32 * 299])
def test_a_row_that_lacks_what_the_size_needs_is_refused(tree, rows, missing):
    def damaged(level, index):
        row = rows[level, index][: tiles.tile_width(level, index, 300) * 32]
        return row[:-missing] if (level, index) == (0, 1) else row

    assert code_of(tiles.root, damaged, 300) == "tile.too_short"
    assert code_of(tiles.inclusion_proof, damaged, 280, 300) == "tile.too_short"
    assert code_of(tiles.consistency_proof, damaged, 256, 300) == "tile.too_short"
    assert code_of(tiles.append, damaged, 300, tree.leaf_hashes[300:301]) == "tile.too_short"
