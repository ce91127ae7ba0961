"""Files are written whole, through no link, and over nothing that is not ours."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from support.faults import file_calls
from support.worlds.files.written_files import every_way, mode, names, new_files, over, refusal, umask

from deedlog.registry import files
from deedlog.registry.errors import Unavailable
from deedlog.registry.files import (
    append,
    check_writable,
    make_folder,
    read_file,
    rename,
    write_atomically,
    write_private,
)
from deedlog.registry.hashing import digest_file


@every_way
def test_a_new_file_has_the_bytes_and_nothing_lies_beside_it(tmp_path, write):
    write(tmp_path / "new", b"bytes")
    assert (tmp_path / "new").read_bytes() == b"bytes"
    assert names(tmp_path) == ["new"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_permission_bits_of_a_new_file(tmp_path, mask):
    with umask(mask):
        write_private(tmp_path / "private", b"")
        write_atomically(tmp_path / "usual", b"")
        write_atomically(tmp_path / "public", b"", mode=0o644)
        append(tmp_path / "appended", b"")
    assert mode(tmp_path / "private") == 0o600
    assert mode(tmp_path / "public") == 0o644
    assert mode(tmp_path / "usual") == mode(tmp_path / "appended") == 0o666 & ~mask


@pytest.mark.parametrize("bits", [0o600, 0o640, 0o666])
def test_a_replaced_file_keeps_its_permission_bits_unless_others_are_given(tmp_path, bits):
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(bits)
    over(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", bits)
    write_atomically(path, b"newer", replaces=True, mode=0o600)
    assert (path.read_bytes(), mode(path)) == (b"newer", 0o600)


@every_way
def test_names_may_have_all_their_255_bytes_and_need_not_be_text(tmp_path, write):
    longest = tmp_path / ("长" * 85)
    write(longest, b"x")
    assert longest.read_bytes() == b"x"
    params = refusal("file.unwritable", write, tmp_path / ("长" * 85 + "x"), b"x")
    assert params["reason"] == os.strerror(errno.ENAMETOOLONG)
    ill_formed = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    write(ill_formed, b"y")
    assert ill_formed.read_bytes() == b"y"
    assert len(names(tmp_path)) == 2


CALLS = {
    "read": lambda path: read_file(path, 1),
    "digest": digest_file,
    "private": lambda path: write_private(path, b"x"),
    "atomic": lambda path: write_atomically(path, b"x"),
    "check": check_writable,
    "append": lambda path: append(path, b"x"),
    "rename": lambda path: rename(path, "new"),
    "rename to": lambda path: rename(path.with_name("old"), path.name),
    "folder": make_folder,
    "folder above": lambda path: make_folder(path / "below"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_path_that_no_file_can_have_is_an_error_with_a_code(tmp_path, call):
    (tmp_path / "old").write_bytes(b"old")
    assert refusal("file.name_zero", call, tmp_path / "a\0b")["path"].startswith(f"{tmp_path}/a\\0b")
    assert refusal("file.name_encoding", call, tmp_path / "a\ud800") == {"encoding": sys.getfilesystemencoding()}
    assert names(tmp_path) == ["old"]


@new_files
def test_a_file_that_exists_is_not_replaced(tmp_path, write):
    path = tmp_path / "old"
    path.write_bytes(b"old")
    assert refusal("file.exists", write, path, b"new") == {"path": str(path)}
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["old"]


def test_only_what_the_caller_recognises_is_replaced(tmp_path):
    path, asked = tmp_path / "old", []

    def older(data):
        asked.append(data)
        return data.startswith(b"ours")

    write_atomically(path, b"ours 1", replaces=older)
    assert asked == []  # nothing was there
    check_writable(path, replaces=older)
    write_atomically(path, b"ours 2", replaces=older)
    assert path.read_bytes() == b"ours 2"
    assert set(asked) == {b"ours 1"}
    path.write_bytes(b"somebody's")
    for call in (lambda: check_writable(path, replaces=older), lambda: write_atomically(path, b"x", replaces=older)):
        refusal("file.exists", call)
    assert path.read_bytes() == b"somebody's"


def test_what_is_too_large_to_be_ours_is_not_read(tmp_path):
    path = tmp_path / "video"
    with path.open("wb") as file:
        file.truncate(files.MAXIMUM_REPLACED)
    refusal("file.exists", write_atomically, path, b"x", replaces=lambda _: pytest.fail("it was read"))
    over(path, b"x")  # whatever it is
    assert path.read_bytes() == b"x"


@every_way
@pytest.mark.parametrize("to", ["file", "nothing", "itself", "a folder"])
def test_nothing_is_written_through_a_link(tmp_path, write, to):
    link, target = tmp_path / "link", tmp_path / "target"
    if to == "file":
        target.write_bytes(b"before")
    if to == "a folder":
        target.mkdir()
    link.symlink_to(link if to == "itself" else target)
    before = names(tmp_path)
    code = "file.exists" if write is write_private else "file.link"
    assert refusal(code, write, link, b"x") == {"path": str(link)}
    assert link.is_symlink()
    assert names(tmp_path) == before
    if to == "file":
        assert target.read_bytes() == b"before"


@every_way
def test_a_folder_may_be_reached_through_a_link(tmp_path, write):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link" / "file", b"x")
    assert (tmp_path / "real" / "file").read_bytes() == b"x"


@every_way
def test_a_folders_link_that_is_changed_meanwhile_has_no_effect(tmp_path, write):
    real, other, link = tmp_path / "real", tmp_path / "other", tmp_path / "link"
    real.mkdir()
    other.mkdir()
    link.symlink_to(real)
    seen = []

    def turn(name):
        if seen:  # the folder is open
            link.unlink()
            link.symlink_to(other)
        seen.append(name)

    with file_calls.before_each(turn):
        write(link / "file", b"x")
    assert len(seen) > 2
    assert (names(real), names(other)) == (["file"], [])


@every_way
@pytest.mark.parametrize("name", ["folder", ".", "..", "folder/.."])
def test_a_folder_is_not_written_to(tmp_path, write, name, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unavailable) as caught:
        write(Path(name), b"x")
    assert caught.value.code in ("file.exists", "file.unwritable")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@every_way
def test_a_missing_folder_is_named_and_not_made(tmp_path, write):
    path = tmp_path / "missing" / "file"
    assert refusal("file.no_folder", write, path, b"x") == {"path": str(path), "folder": str(path.parent)}
    refusal("file.no_folder", check_writable, path)
    assert names(tmp_path) == []


@every_way
def test_a_file_is_no_folder(tmp_path, write):
    (tmp_path / "file").write_bytes(b"")
    params = refusal("file.unwritable", write, tmp_path / "file" / "x", b"x")
    assert params["reason"] == os.strerror(errno.ENOTDIR)
