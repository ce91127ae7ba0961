"""Paths of tiles and entry bundles, to the byte, and `tests/vectors/tiles.json`."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors.generate import log_vectors

from deedlog.anchor import merkle
from deedlog.anchor.tlog import tiles

VECTORS = json.loads((log_vectors.FOLDER / "tiles.json").read_text(encoding="utf-8"))


def data(text):
    return bytes.fromhex(text[2:])


def code_of(call, *arguments):
    with pytest.raises(tiles.TileError) as caught:
        call(*arguments)
    return caught.value.code


def test_the_file_is_what_its_generator_makes():
    assert (log_vectors.FOLDER / "tiles.json").read_text(encoding="utf-8") == log_vectors.render("tiles.json")


# ---- Paths ----


@pytest.mark.parametrize("case", VECTORS["paths"], ids=lambda case: case["path"])
def test_paths_are_written_and_read(case):
    path = tiles.TilePath(case["level"], int(case["index"]), case["width"])
    assert str(path) == case["path"]
    assert tiles.parse_path(case["path"]) == path


def test_the_specifications_example_of_an_index():
    assert str(tiles.TilePath(0, 1_234_067)) == "tile/0/x001/x234/067"
    assert tiles.parse_path("tile/0/x001/x234/067") == tiles.TilePath(0, 1_234_067, 256)


@pytest.mark.parametrize("text", VECTORS["refused_paths"])
def test_paths_that_are_not_read(text):
    assert code_of(tiles.parse_path, text) == "tile.path"


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, tiles.MAXIMUM_INDEX), st.integers(1, 256))
def test_every_path_comes_back(level, index, width):
    path = tiles.TilePath(level, index, width)
    assert tiles.parse_path(str(path)) == path


@given(st.text(alphabet="tile/0123456789x.pntrs \n", max_size=40).map(lambda end: f"tile/{end}"))
def test_each_path_that_is_read_is_the_only_one_of_its_tile(text):
    try:
        path = tiles.parse_path(text)
    except tiles.TileError:
        return
    assert str(path) == text


@pytest.mark.parametrize(
    "fields",
    [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, tiles.MAXIMUM_INDEX + 1, 1), (0, 0, 0), (0, 0, 257), (None, 0, 0)],
)
def test_there_is_no_such_tile(fields):
    assert code_of(tiles.TilePath, *fields) == "tile.path"


def test_the_last_tile_that_has_a_path_is_the_last_that_a_tree_can_have():
    assert tiles.tile_width(0, tiles.MAXIMUM_INDEX, merkle.MAXIMUM_SIZE) == 255
    assert tiles.tile_width(0, tiles.MAXIMUM_INDEX + 1, merkle.MAXIMUM_SIZE) == 0


# ---- Entry bundles ----


@pytest.mark.parametrize("case", VECTORS["bundles"], ids=lambda case: case["bundle"][:20])
def test_bundles_are_written_and_read(case):
    entries = [data(entry) for entry in case["entries"]]
    assert tiles.encode_entries(entries) == data(case["bundle"])
    assert tiles.decode_entries(data(case["bundle"])) == entries


@pytest.mark.parametrize("case", VECTORS["refused_bundles"], ids=lambda case: case["why"])
def test_bundles_that_are_not_read(case):
    assert code_of(tiles.decode_entries, data(case["bundle"])) == "tile.entries"


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_every_bundle_comes_back(entries):
    assert tiles.decode_entries(tiles.encode_entries(entries)) == entries


@given(st.binary(max_size=60))
def test_each_bundle_that_is_read_is_the_only_one_of_its_entries(bundle):
    try:
        entries = tiles.decode_entries(bundle)
    except tiles.TileError:
        return
    assert tiles.encode_entries(entries) == bundle


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5), st.data())
def test_a_bundle_cut_anywhere_gives_fewer_entries_or_none(entries, data):
    bundle = tiles.encode_entries(entries)
    cut = bundle[: data.draw(st.integers(0, len(bundle) - 1))]
    try:
        read = tiles.decode_entries(cut)
    except tiles.TileError:
        return
    assert len(read) < len(entries)
    assert read == entries[: len(read)]


def test_the_limits_of_a_bundle():
    longest = bytes(tiles.MAXIMUM_ENTRY)
    assert tiles.decode_entries(tiles.encode_entries([longest])) == [longest]
    assert code_of(tiles.encode_entries, [longest + b"\x00"]) == "tile.entry_too_large"
    assert len(tiles.decode_entries(tiles.encode_entries([b"x"] * 256))) == 256
    assert code_of(tiles.encode_entries, [b"x"] * 257) == "tile.entries"
    assert code_of(tiles.encode_entries, []) == "tile.entries"


# ---- Trees ----


@pytest.mark.parametrize("case", VECTORS["widths"])
def test_widths(case):
    assert tiles.tile_width(case["level"], case["index"], case["size"]) == case["width"]


@pytest.mark.parametrize("case", VECTORS["trees"], ids=lambda case: str(case["size"]))
def test_trees(case):
    leaves = [merkle.leaf_hash(str(i).encode()) for i in range(case["size"])]
    appended = tiles.append(lambda _level, _index: b"", 0, leaves)
    assert appended.root == data(case["root"])
    for expected in case["tiles"]:
        path = tiles.parse_path(expected["path"])
        row = appended.tiles[path.level, path.index]
        assert path.width == len(row) // 32
        assert (len(row), hashlib.sha256(row).digest()) == (expected["bytes"], data(expected["sha256"]))
