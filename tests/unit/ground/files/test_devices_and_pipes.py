"""Devices and pipes are written to and stay what they are, where the caller may mean them."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.worlds.files.written_files import names, over, refusal

from deedlog.registry.files import (
    append,
    check_writable,
    write_atomically,
    write_private,
)


@pytest.fixture
def reader(tmp_path):
    """A named pipe, a link to it, and what is read from it."""
    pipe, link, got = tmp_path / "pipe", tmp_path / "link", []
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    thread = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    thread.start()
    yield pipe, link, lambda: (thread.join(30), got)[1]
    if thread.is_alive():
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        thread.join(30)


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_to_and_stays_one(reader, linked):
    pipe, link, read = reader
    check_writable(link if linked else pipe)
    write_atomically(link if linked else pipe, b"through")
    assert read() == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_private_or_an_appended_file_does_not_go_into_a_pipe(reader):
    pipe, link, _ = reader
    refusal("file.exists", write_private, pipe, b"secret")
    refusal("file.exists", write_private, link, b"secret")
    refusal("file.not_a_file", append, pipe, b"x")
    refusal("file.link", append, link, b"x")


def test_a_device_is_written_to_and_stays_one(tmp_path):
    write_atomically(Path("/dev/null"), b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    params = refusal("file.unwritable", write_atomically, Path("/dev/full"), b"x")
    assert params["reason"] == os.strerror(errno.ENOSPC)
    (tmp_path / "link").symlink_to("/dev/full")
    refusal("file.unwritable", write_atomically, tmp_path / "link", b"x")


def test_a_socket_or_a_disk_is_not_written_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path may have a hundred bytes only
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        refusal("file.not_a_file", over, tmp_path / "socket", b"x")
    for disk in Path("/dev").iterdir():
        if disk.is_block_device() and not disk.is_symlink():
            refusal("file.not_a_file", check_writable, disk, replaces=True)


WRITE = (
    "import pathlib, sys; from deedlog.registry.files import write_atomically\n"
    "print('before', flush=True)\n"
    "write_atomically(pathlib.Path(sys.argv[1]), b'page\\n')\n"
    "print('after', flush=True)\n"
)


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_is_written_to_be_it_a_pipe_or_a_file(tmp_path, path):
    program = [sys.executable, "-c", WRITE, path]
    assert subprocess.run(program, capture_output=True, check=True).stdout == b"before\npage\nafter\n"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(program, stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"before\npage\nafter\n"
    assert names(tmp_path) == ["out"]


def test_what_a_shell_substitutes_is_written_to(tmp_path):
    script = f'"{sys.executable}" -c "$0" >(cat >"$1") && wait $!'
    subprocess.run(["bash", "-c", script, WRITE, tmp_path / "out"], check=True, capture_output=True)
    assert (tmp_path / "out").read_bytes() == b"page\n"


def test_a_pipe_whose_reader_is_gone_is_an_error():
    program = (
        "import pathlib; from deedlog.registry import files; files.write_atomically(pathlib.Path('/dev/stdout'), b'x')"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert f"file.unwritable path=/dev/stdout reason={os.strerror(errno.EPIPE)}".encode() in done.stderr
