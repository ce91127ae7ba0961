"""What is added to a file, gets another name, or is a folder: replacing nothing, and through no link."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from support.faults import file_calls
from support.worlds.files.written_files import mode, names, refusal, umask

from deedlog.registry.files import (
    append,
    make_folder,
    rename,
)


def test_appended_bytes_come_after_what_is_there(tmp_path):
    path = tmp_path / "log"
    for durable in (True, False, True):
        append(path, b"line\n", durable=durable)
    assert path.read_bytes() == b"line\n" * 3
    assert "fsync" not in file_calls.seen(lambda: append(path, b"x", durable=False))


def test_a_file_gets_another_name_and_replaces_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "taken").write_bytes(b"taken")
    (tmp_path / "nowhere").symlink_to("nothing")
    for name in ("taken", "nowhere"):
        assert refusal("file.exists", rename, tmp_path / "a", name) == {"path": str(tmp_path / name)}
    rename(tmp_path / "a", "b")
    assert names(tmp_path) == ["b", "nowhere", "taken"]
    assert (tmp_path / "b").read_bytes() == b"a"
    assert (tmp_path / "taken").read_bytes() == b"taken"
    refusal("file.unwritable", rename, tmp_path / "gone", "c")


@pytest.mark.parametrize("to", ["secret", "nothing"])
def test_a_link_gets_another_name_and_what_it_leads_to_does_not(tmp_path, to):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(to)
    rename(tmp_path / "link", "aside")
    assert names(tmp_path) == ["aside", "secret"]
    assert (tmp_path / "aside").readlink() == Path(to)
    assert (tmp_path / "secret").stat().st_nlink == 1


@pytest.mark.parametrize("there", ["a file", "a link to a file", "a link to nothing", "a pipe"])
def test_what_is_no_folder_is_not_taken_for_one(tmp_path, there):
    path = tmp_path / "folder"
    if there == "a file":
        path.write_bytes(b"")
    elif there == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("target")
        if there == "a link to a file":
            (tmp_path / "target").write_bytes(b"")
    before = names(tmp_path)
    assert refusal("file.unwritable", make_folder, path)["reason"] == os.strerror(errno.ENOTDIR)
    assert names(tmp_path) == before


def test_a_link_to_a_folder_is_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    make_folder(tmp_path / "link" / "below")
    make_folder(tmp_path / "link")
    assert (tmp_path / "real" / "below").is_dir()


def test_folders_are_made_with_those_above_them(tmp_path):
    with umask(0o022):
        make_folder(tmp_path / "a" / "b")
        make_folder(tmp_path / "a" / "secret" / "deep", private=True)
        make_folder(tmp_path / "a" / "b", private=True)  # is there: left as it is
    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/secret", "a/secret/deep")] == [0o755, 0o755, 0o700, 0o700]
    assert file_calls.seen(lambda: make_folder(tmp_path / "c" / "d")).count("fsync") == 2
    (tmp_path / "file").write_bytes(b"")
    params = refusal("file.unwritable", make_folder, tmp_path / "file" / "folder")
    assert params["reason"] == os.strerror(errno.ENOTDIR)
    assert (tmp_path / "file").read_bytes() == b""
