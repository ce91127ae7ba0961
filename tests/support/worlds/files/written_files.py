"""Every way to write a file, and what a test looks at afterwards: names, permission bits, why it was refused."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager

import pytest

from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.files import (
    append,
    write_atomically,
    write_private,
)


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


def without_links(name):
    if name == "link":
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
