"""Whoever writes a file at the same time, each file is one writer's, whole, and nothing that is not ours is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.faults import file_calls
from support.worlds.files.written_files import mode, names, new_files, over, refusal, without_links

from deedlog.registry.errors import Unavailable
from deedlog.registry.files import (
    write_atomically,
    write_private,
)


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
