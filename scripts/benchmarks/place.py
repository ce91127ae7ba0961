"""Where the benchmarks run: the machine, and a folder on the disk of this tree."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local_registry import ROOT

from benchmarks.timing import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE = 4096
_FSYNCS = 100


@contextmanager
def data_folder() -> Iterator[Path]:
    """Yield an empty folder, removed afterwards. Not in /tmp, which may be in memory, where fsync costs nothing."""
    build = ROOT / ".build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        yield Path(folder)


def fsync_seconds() -> float:
    """Return the median seconds to write and sync one page of a file in the data folder."""
    with data_folder() as folder, (folder / "page").open("wb", buffering=0) as file:

        def write() -> None:
            file.write(os.urandom(_PAGE))
            os.fsync(file.fileno())

        return statistics.median([seconds(write) for _ in range(_FSYNCS)])


def description() -> str:
    """Return one line about the machine."""
    return (
        f"{os.cpu_count()} cores ({_processor()}), {_memory_gib():.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, fsync {fsync_seconds() * 1e3:.2f} ms, {datetime.now(UTC):%Y-%m-%d}"
    )


def _processor() -> str:
    path = Path("/proc/cpuinfo")  # only on Linux; elsewhere the architecture is shown
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()}, {models[0]}" if models else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
