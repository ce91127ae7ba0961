"""Digests: keccak-256 is Ethereum's, and a file's digest is of bytes that stood there together."""

from __future__ import annotations

import hashlib
import os
import subprocess

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.file_digest import FileDigest
from deedlog.registry.hashing import READ_SIZE, digest_file
from deedlog.registry.keccak import keccak256


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"Transfer(address,address,uint256)", "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"),
    ],
)
def test_the_hashes_that_everybody_publishes(data, expected):
    assert keccak256(data).hex() == expected


@given(st.binary(max_size=600))
def test_keccak_is_eth_utils(data):
    # A block of keccak-256 has 136 bytes: the padding is at its edges.
    assert keccak256(data) == keccak(data)
    assert keccak256(data) != hashlib.sha3_256(data).digest()


@pytest.mark.parametrize("size", [0, 1, READ_SIZE - 1, READ_SIZE, READ_SIZE + 1, 3 * READ_SIZE + 7])
def test_a_file_is_hashed_as_sha256sum_does(tmp_path, size):
    path = tmp_path / "视频 1.mp4"
    path.write_bytes(bytes(range(251)) * (size // 251) + bytes(size % 251))
    theirs = subprocess.run(["sha256sum", "--binary"], stdin=path.open("rb"), capture_output=True, check=True)
    assert digest_file(path) == FileDigest(bytes.fromhex(theirs.stdout.decode()[:64]), size)


def test_progress_adds_up_to_the_length(tmp_path):
    path = tmp_path / "video"
    path.write_bytes(bytes(2 * READ_SIZE + 5))
    steps = []
    digest_file(path, steps.append)
    assert steps == [READ_SIZE, READ_SIZE, 5]


def change_length(path):
    with path.open("ab") as file:
        file.write(b"more")


def cut(path):
    os.truncate(path, READ_SIZE + 1)


def change_time_only(path):
    os.utime(path, ns=(1, 1))


def write_over(path):
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, ns=(2, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("change", [change_length, cut, change_time_only, write_over])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, change):
    path = tmp_path / "video"
    path.write_bytes(bytes(3 * READ_SIZE))
    steps = []

    def advance(count):
        if not steps:
            change(path)
        steps.append(count)

    with pytest.raises(Unavailable) as caught:
        digest_file(path, advance)
    assert (caught.value.code, caught.value.params) == ("file.changed", {"path": str(path)})


def test_a_file_that_was_written_before_is_not_refused(tmp_path):
    path = tmp_path / "video"
    path.write_bytes(b"first")
    path.write_bytes(b"second")
    assert digest_file(path).content_hash == hashlib.sha256(b"second").digest()


def test_what_cannot_be_read_is_named_with_the_reason(tmp_path):
    for path, reason in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(Unavailable) as caught:
            digest_file(path)
        assert (caught.value.code, caught.value.params) == ("file.unreadable", {"path": str(path), "reason": reason})


def _remove(path):
    path.unlink()


def _replace(path):
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize(("change", "code"), [(_remove, "file.unreadable"), (_replace, "file.changed")])
def test_a_file_that_vanishes_while_it_is_hashed_or_makes_way_for_another_is_refused(tmp_path, change, code):
    path = tmp_path / "video"
    path.write_bytes(bytes(3 * READ_SIZE))
    done = []

    def advance(count):
        if not done:
            change(path)
        done.append(count)

    with pytest.raises(Unavailable) as error:
        digest_file(path, advance)
    assert error.value.code == code
    assert len(done) == 3


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidData, match=r"file\.not_a_file"):
        digest_file(tmp_path / name)
