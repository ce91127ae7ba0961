"""`/log` as a foreign tool reads it: the whole tree made again from the entries alone."""

from __future__ import annotations

from support.worlds.registries.registry_world import ALICE, work

from deedlog.anchor import merkle
from deedlog.anchor.tlog import checkpoint, tiles
from deedlog.anchor.tlog.note import parse_key
from deedlog.registry.statements import entry as entries


def read_log(site):
    """Return (checkpoint, entries) as a monitor gets them: by the paths of C2SP tlog-tiles and nothing else."""
    key = parse_key(site.anyone.get("/v1/registry").json()["log_verifier_key"])
    answer = site.anyone.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    head = checkpoint.open_signed(answer.content, key)
    found = []
    for index in range((head.size + 255) // 256):
        width = min(256, head.size - 256 * index)
        path = tiles.TilePath(None, index, width)
        answer = site.anyone.get(f"/log/{path}")
        assert "immutable" in answer.headers["cache-control"]
        found += tiles.decode_entries(answer.content)
    return head, found


def test_the_whole_log_is_made_again_from_its_entries(site):
    for number in range(3):
        site.post(work(content=b"for the log %d" % number), ALICE, wait=True)
    head, found = read_log(site)
    assert len(found) == head.size
    assert head.origin == site.identity.origin
    leaf_hashes = [merkle.leaf_hash(entry) for entry in found]
    assert merkle.root_from_leaf_hashes(leaf_hashes) == head.root
    parsed = [entries.parse(entry) for entry in found]
    assert [entry.time for entry in parsed] == sorted(entry.time for entry in parsed)
    assert len({entry.digest for entry in parsed}) == len(parsed)
    # Every tile of the tree of this size, of each level, is what the leaves give.
    stored = {}
    appended = tiles.append(lambda level, index: stored.get((level, index), b""), 0, leaf_hashes)
    for (level, index), row in appended.tiles.items():
        width = tiles.tile_width(level, index, head.size)
        answer = site.anyone.get(f"/log/{tiles.TilePath(level, index, width)}")
        assert answer.content == row[: 32 * width]


def test_every_partial_width_up_to_the_checkpoint_and_none_beyond(site):
    head, found = read_log(site)
    index, width = divmod(head.size, 256)
    for part in range(1, min(width, 255) + 1):
        path = tiles.TilePath(0, index, part)
        row = site.anyone.get(f"/log/{path}").content
        assert row == b"".join(merkle.leaf_hash(entry) for entry in found[256 * index : 256 * index + part])
    beyond = site.anyone.get(f"/log/{tiles.TilePath(0, index + 5, 1)}")
    assert beyond.status_code == 404
    assert beyond.headers["cache-control"] == "private, no-store"


SITE = {"Origin": "https://journal.example"}


def test_pages_of_any_site_may_read_the_log_and_nothing_else(site):
    asked = SITE | {"Access-Control-Request-Method": "GET"}
    for path in ("/log/checkpoint", "/log/tile/0/000.p/1", "/log/tile/entries/000.p/1"):
        assert site.anyone.get(path, headers=SITE).headers["access-control-allow-origin"] == "*"
        preflight = site.anyone.request("OPTIONS", path, headers=asked)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, "*")
        assert "GET" in preflight.headers["access-control-allow-methods"]
    for path in ("/v1/registry", "/v1/statements"):
        answer = site.anyone.get(path, headers=SITE)
        assert "access-control-allow-origin" not in answer.headers


def test_entry_bundles_are_compressed_for_those_who_read_that(site):
    size = checkpoint.read_unsigned(site.anyone.get("/log/checkpoint").content).size
    path = f"/log/{tiles.TilePath(None, 0, min(size, 256))}"
    plain = site.anyone.get(path, headers={"Accept-Encoding": "identity"})
    packed = site.anyone.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) == len(packed.content)
    assert packed.content == plain.content
    hashes = site.anyone.get(f"/log/{tiles.TilePath(0, 0, min(size, 256))}", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in hashes.headers
