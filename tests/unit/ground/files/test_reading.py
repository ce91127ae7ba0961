"""A file is read whole, within a bound, and nothing that is no file is waited for."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.worlds.files.written_files import names, refusal

from deedlog.registry.files import (
    read_file,
)


def test_a_file_of_the_maximum_is_read_and_a_larger_one_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_file(path, 5) == b"12345"
    assert refusal("file.too_large", read_file, path, 4) == {"path": str(path), "maximum": 4}
    assert refusal("file.unreadable", read_file, tmp_path / "none", 5)["reason"] == os.strerror(errno.ENOENT)
    for streams in (False, True):
        params = refusal("file.unreadable", read_file, tmp_path, 5, streams=streams)
        assert params["reason"] == os.strerror(errno.EISDIR)


def test_a_link_is_read_through_unless_the_caller_forbids_it(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"x")
    link.symlink_to(path)
    assert read_file(link, 1) == b"x"
    assert read_file(path, 1, follow=False) == b"x"
    assert refusal("file.link", read_file, link, 1, follow=False) == {"path": str(link)}


READ = "import pathlib, sys; from deedlog.registry.files import read_file\nread_file(pathlib.Path(sys.argv[1]), 9)"


def test_a_pipe_in_a_files_place_is_not_waited_for(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link, "/dev/zero"):
        # In a process of its own: one that waits for the pipe can be ended.
        done = subprocess.run(
            [sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=60, check=False
        )
        assert f"file.not_a_file path={path}" in done.stderr


def test_a_pipe_is_read_to_its_end_where_the_caller_takes_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(pipe.write_bytes, b"1" * 200_000)
        assert read_file(pipe, 200_000, streams=True) == b"1" * 200_000
        written.result()
    refusal("file.too_large", read_file, Path("/dev/zero"), 9, streams=True)


def test_files_that_are_read_leave_no_descriptor_open(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    before = names(Path("/dev/fd"))
    read_file(tmp_path / "file", 1)
    refusal("file.not_a_file", read_file, tmp_path / "pipe", 1)
    refusal("file.unreadable", read_file, tmp_path, 1)
    assert names(Path("/dev/fd")) == before
