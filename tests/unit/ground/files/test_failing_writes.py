"""A write that fails or is killed at any step leaves the old file or the new one, and the new one durably."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys

import pytest
from support.faults import file_calls
from support.faults.small_disk import mounted
from support.worlds.files.written_files import every_way, names, over, refusal, without_links

from deedlog.registry import files
from deedlog.registry.errors import Unavailable
from deedlog.registry.files import (
    append,
    rename,
    write_atomically,
    write_private,
)


@every_way
def test_a_full_disk_leaves_what_was_there(tmp_path, write):
    with mounted(tmp_path / "disk", "64k") as disk:
        (disk.folder / "old").write_bytes(b"old")
        disk.fill()
        for name in ("old", "new") if write in (over, append) else ("new",):
            params = refusal("file.unwritable", write, disk.folder / name, bytes(5000))
            assert params["reason"] == os.strerror(errno.ENOSPC)
        left = set(names(disk.folder)) - {"filler"}
        assert left == {"old"}
        assert (disk.folder / "old").read_bytes() == b"old"
        disk.free()
        write(disk.folder / "new", bytes(5000))
        assert (disk.folder / "new").read_bytes() == bytes(5000)


@pytest.mark.parametrize("call", ["write_private", "write_atomically", "append"])
def test_a_file_that_cannot_be_written_whole_is_not_there(tmp_path, call):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    program = (
        f"import pathlib, sys; from deedlog.registry import files\nfiles.{call}(pathlib.Path(sys.argv[1]), bytes(200))"
    )
    path = tmp_path / "file"
    done = subprocess.run(
        [sys.executable, "-c", program, path], preexec_fn=limited, capture_output=True, text=True, check=False
    )
    assert "file.unwritable" in done.stderr
    assert names(tmp_path) == []


@every_way
def test_a_read_only_place_is_an_error(tmp_path, write):
    with mounted(tmp_path / "disk", "64k") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk.folder], check=True)
        params = refusal("file.unwritable", write, disk.folder / "file", b"x")
        assert params["reason"] == os.strerror(errno.EROFS)


OLD, NEW = b"old" * 1000, b"new" * 1000
STORIES = {
    "private": ("files.write_private(path, b'new' * 1000)", None, NEW),
    "atomic": ("files.write_atomically(path, b'new' * 1000)", None, NEW),
    "over": ("files.write_atomically(path, b'new' * 1000, replaces=True)", OLD, NEW),
    "append": ("files.append(path, b'new' * 1000)", OLD, OLD + NEW),
    "append to none": ("files.append(path, b'new' * 1000)", None, NEW),
}


@pytest.fixture(params=STORIES)
def story(request, tmp_path):
    return Story(tmp_path, *STORIES[request.param])


class Story:
    """One call of `files`, made again and again, each time in a folder of its own that holds the old file or none."""

    def __init__(self, folder, call, old, new):
        self.call, self.old, self.new = call, old, new
        self._folder, self._times = folder, 0

    def begin(self):
        self._times += 1
        self.path = self._folder / str(self._times) / "file"
        self.path.parent.mkdir()
        if self.old is not None:
            self.path.write_bytes(self.old)

    def run(self):
        eval(self.call, {"files": files, "path": self.path})

    def run_failing(self, number):
        """Let the call of that number fail; return the error, if it was one for the caller."""
        try:
            with file_calls.failing(number):
                self.run()
        except Unavailable as error:
            return error
        return None

    def content(self):
        return self.path.read_bytes() if self.path.exists() else None

    def parts(self):
        return [name for name in names(self.path.parent) if name != "file"]


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_end(story):
    story.begin()
    calls = file_calls.seen(story.run)
    if "append" in story.call:
        assert calls[calls.index("write") :].count("fsync") == 2
    else:
        named = max(calls.index(name) for name in ("link", "replace") if name in calls)
        assert calls[calls.index("write") : named].count("fsync") == 1
        assert calls[named:].count("fsync") == 1


def test_a_process_killed_at_any_step_leaves_the_old_or_the_new(story):
    outcomes, alive, number = [], False, 0
    while not alive:
        story.begin()
        alive = not file_calls.killed_at(number, story.call, story.path)
        left = story.content()
        outcomes.append(None if left == b"" and "append" in story.call else left)  # a new one, with nothing in it yet
        assert all(name.startswith(".deedlog.") and name.endswith(".part") for name in story.parts())
        if outcomes[-1] == story.old:  # what the crash left is not in the way of the next try
            story.run()
            assert story.content() == story.new
        number += 1
    changed = outcomes.index(story.new)
    assert outcomes == [story.old] * changed + [story.new] * (len(outcomes) - changed)
    assert 0 < changed < len(outcomes)


def test_a_call_that_fails_leaves_what_was_there_and_nothing_beside_it(story):
    story.begin()
    calls = file_calls.seen(story.run)
    last = len(calls) - 1 - calls[::-1].index("fsync")
    refused = set()
    for number, name in enumerate(calls):
        story.begin()
        error = story.run_failing(number)
        if error is None:
            assert story.content() == story.new, name
        else:
            refused.add(name)
            assert (error.code, error.params["reason"]) == ("file.unwritable", os.strerror(errno.EIO))
            # One failure cannot be taken back: another file was replaced, and perhaps not on the disk yet.
            beyond = "replaces" in story.call and number == last
            assert story.content() == (story.new if beyond else story.old), name
        assert story.parts() == [] or name == "unlink"
    assert {"open", "write", "fsync"} <= refused


def test_where_there_are_no_hard_links_a_file_is_written_and_none_replaced(tmp_path):
    path = tmp_path / "key"
    for write in (write_private, write_atomically):
        with file_calls.before_each(without_links):
            write(path, b"key")
        assert path.read_bytes() == b"key"
        assert names(tmp_path) == ["key"]
        with file_calls.before_each(without_links):
            refusal("file.exists", write, path, b"other")
        assert path.read_bytes() == b"key"
        path.rename(tmp_path / "old")
        with file_calls.before_each(without_links):
            rename(tmp_path / "old", "new")
        assert names(tmp_path) == ["new"]
        (tmp_path / "new").unlink()


def test_a_file_system_that_cannot_sync_folders_is_written_to(tmp_path):
    calls = file_calls.seen(lambda: write_private(tmp_path / "first", b"x"))
    last = len(calls) - 1 - calls[::-1].index("fsync")
    with file_calls.failing(last, errno.EINVAL):
        write_private(tmp_path / "second", b"x")
    assert (tmp_path / "second").read_bytes() == b"x"
