"""Files are written whole or not at all, durably, through no link, and over nothing that is not ours."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.faults import file_calls
from support.faults.small_disk import mounted

from deedlog.registry import files
from deedlog.registry.errors import InvalidData, Unavailable
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


def over(path, data):
    write_atomically(path, data, replaces=True)


WRITERS = {"private": write_private, "atomic": write_atomically, "over": over, "append": append}
every_way = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
new_files = pytest.mark.parametrize("write", [write_private, write_atomically], ids=["private", "atomic"])


def refusal(code, call, *arguments, **options):
    """Claim that a call is refused with this code; return the error's parameters."""
    with pytest.raises((InvalidData, Unavailable)) as caught:
        call(*arguments, **options)
    assert caught.value.code == code
    return caught.value.params


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# Reading


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


# Bytes and permission bits


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


# What is there already


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


# Devices and pipes


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


# No room, no right, and failures at each step


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


def without_links(name):
    if name == "link":
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


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


# Several at once


def test_of_many_who_write_one_new_file_at_once_one_succeeds_whole(tmp_path):
    path = tmp_path / "key.json"

    def attempt(number):
        try:
            write_private(path, bytes([number]) * 5000)
        except Unavailable as error:
            return error.code
        return "written"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(32))) == ["file.exists"] * 31 + ["written"]
    data = path.read_bytes()
    assert len(data) == 5000
    assert len(set(data)) == 1
    assert mode(path) == 0o600
    assert names(tmp_path) == ["key.json"]


def test_of_many_who_replace_one_file_at_once_each_does_so_whole(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(bytes(5000))
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda number: over(path, bytes([number]) * 5000), range(32)):
            data = path.read_bytes()
            assert (len(data), len(set(data))) == (5000, 1)
    assert names(tmp_path) == ["state"]


@new_files
def test_a_file_that_another_process_makes_meanwhile_is_not_replaced(tmp_path, write):
    path = tmp_path / "file"

    def another(name):
        if name == "link":
            path.write_bytes(b"another's")

    with file_calls.before_each(another):
        refusal("file.exists", write, path, b"ours")
    assert path.read_bytes() == b"another's"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("replaces", [True, lambda data: data == b"another's"], ids=["always", "asked"])
@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_another_process_makes_meanwhile_is_replaced_where_it_may_be(tmp_path, replaces, links):
    path, made = tmp_path / "file", []

    def another(name):
        if name in ("link", "replace") and not made:
            path.write_bytes(b"another's")
            made.append(name)
        if not links:
            without_links(name)

    with file_calls.before_each(another):
        write_atomically(path, b"ours", replaces=replaces)
    assert path.read_bytes() == b"ours"
    assert (len(made), names(tmp_path)) == (1, ["file"])


def test_a_file_that_comes_and_goes_is_not_waited_for_without_end(tmp_path):
    path = tmp_path / "file"

    def another(name):
        if name == "link":
            path.write_bytes(b"another's")
        elif name == "stat":
            path.unlink(missing_ok=True)

    with file_calls.before_each(another):
        refusal("file.exists", write_atomically, path, b"ours", replaces=lambda _: True)
    assert path.read_bytes() == b"another's"
    assert names(tmp_path) == ["file"]


def test_a_file_that_is_removed_before_it_is_asked_about_is_written_anew(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"ours")

    def another(name):
        if name == "open" and looked:
            path.unlink(missing_ok=True)
        looked.extend([name] * (name == "stat"))

    looked = []
    with file_calls.before_each(another):
        write_atomically(path, b"newer", replaces=lambda _: pytest.fail("it was asked about"))
    assert path.read_bytes() == b"newer"


def test_a_file_that_is_exchanged_meanwhile_is_asked_about_again(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"ours")

    def another(name):
        if name == "write":
            path.write_bytes(b"another's")

    with file_calls.before_each(another):
        refusal("file.exists", write_atomically, path, b"newer", replaces=lambda data: data == b"ours")
    assert path.read_bytes() == b"another's"
    assert names(tmp_path) == ["file"]


# Appending, renaming, folders


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
