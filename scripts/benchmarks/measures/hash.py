"""Hashing a file of 2 GiB as the command does, against `openssl dgst -sha256`; and the memory that hashing takes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from local_registry import ROOT

from benchmarks.figure import Figure
from benchmarks.place import data_folder
from benchmarks.timing import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
LARGE, SMALL = 2048, 1
"""Sizes of the two files, in MiB."""

ROUNDS = 5

# Print the digest and the process's own peak memory: ru_maxrss would also count the parent's.
OURS = """
import pathlib, sys
from deedlog.registry.hashing import digest_file
print(digest_file(pathlib.Path(sys.argv[1])).content_hash.hex())
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def measure() -> Iterator[Figure]:
    """Run each side as a whole process. The file is random bytes, synced and in the page cache: no disk is measured."""
    with data_folder() as folder:
        large, small = _file(folder / "large", LARGE), _file(folder / "small", SMALL)
        digest, peak = _ours(large)
        if digest != _openssl(large):
            sys.exit("hash: openssl finds another digest")
        _, small_peak = _ours(small)
        ours, theirs = in_turns(ROUNDS, lambda: _ours(large), lambda: _openssl(large))
    yield Figure(
        "hash",
        LARGE / ours,
        "MiB/s",
        "openssl dgst -sha256",
        LARGE / theirs,
        f"peak memory {peak / 1024:.1f} MiB, for a file of {SMALL} MiB {small_peak / 1024:.1f} MiB",
    )


def _file(path: Path, mebibytes: int) -> Path:
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(MIB))
        file.flush()
        os.fsync(file.fileno())
    return path


def _ours(path: Path) -> tuple[str, int]:
    """Return the digest in hex, and the peak memory of the process in KiB."""
    digest, peak = _output([sys.executable, "-c", OURS, str(path)]).split()
    return digest, int(peak)


def _openssl(path: Path) -> str:
    return _output(["openssl", "dgst", "-sha256", "-r", str(path)]).split()[0]


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
