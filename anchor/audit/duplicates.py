"""Finds a digest that occurs twice in a log of any size, in bounded memory.

Records that do not fit into memory are split into files by their first byte, so equal digests end up in the same file.
A file that is too large is split again by the next byte. The result is exact: no probabilistic filter is used.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from deedlog.registry.errors import Unavailable
from deedlog.registry.files import append
from deedlog.registry.hexadecimal import HASH_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

HELD = 1 << 18
"""The most records in memory: 10 MiB, and some 40 MiB while they are compared."""

_INDEX_SIZE = 8
_RECORD = HASH_SIZE + _INDEX_SIZE


@dataclass(frozen=True, slots=True, order=True)
class Twice:
    """A digest that occurs at `index`, and before that at `first`."""

    index: int
    first: int
    digest: bytes


class Digests:
    """The digests of a log, in the order of their indices. Its files are removed when the `with` block ends."""

    def __init__(self, held: int = HELD, depth: int = 0) -> None:
        """Hold at most `held` records in memory. All digests added must share their first `depth` bytes."""
        self._limit = max(held, 2) * _RECORD  # a comparison needs two
        self._depth = depth
        self._records = bytearray()
        self._folder: Path | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the files."""
        self._stack.close()

    def add(self, digest: bytes, index: int) -> None:
        """Add a digest (32 bytes). Raises `Unavailable` (`file.unwritable`) if its file cannot be written."""
        self._records += digest + index.to_bytes(_INDEX_SIZE, "big")
        if len(self._records) >= self._limit:
            self._spill()

    def first_twice(self) -> Twice | None:
        """Return the first digest that repeats an earlier one, or None. Raises as `add` does."""
        if self._folder is None:
            return _compare(self._records)
        self._spill()
        found = [twice for path in sorted(self._folder.iterdir()) if (twice := self._in_file(path)) is not None]
        return min(found, default=None)

    def _spill(self) -> None:
        parts: dict[int, bytearray] = {}
        for at in range(0, len(self._records), _RECORD):
            record = self._records[at : at + _RECORD]
            parts.setdefault(record[self._depth], bytearray()).extend(record)
        self._records.clear()
        try:
            if self._folder is None:
                self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="deedlog-")))
            for byte, part in parts.items():
                append(self._folder / f"{byte:02x}", part, durable=False)
        except OSError as error:
            path = str(self._folder or tempfile.gettempdir())
            raise Unavailable("file.unwritable", path=path, reason=error.strerror or str(error)) from error

    def _in_file(self, path: Path) -> Twice | None:
        """Compare the records of a file: at once if they fit into memory, else after splitting them."""
        parts = self._parts(path)
        records = next(parts)
        # If the first part has a repeat, it is the file's first. This also ends the recursion for equal digests, which
        # no byte can split.
        twice = _compare(records)
        if twice is not None or len(records) == path.stat().st_size:
            return twice
        with Digests(self._limit // _RECORD, self._depth + 1) as below:
            while records:
                for at in range(0, len(records), _RECORD):
                    below.add(records[at : at + HASH_SIZE], _index(records, at))
                records = next(parts, b"")
            return below.first_twice()

    def _parts(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while records := file.read(self._limit):
                yield records


def _compare(records: bytes | bytearray) -> Twice | None:
    """Return the first record whose digest an earlier record has, or None."""
    seen: dict[bytes, int] = {}
    for at in range(0, len(records), _RECORD):
        digest = bytes(records[at : at + HASH_SIZE])
        if digest in seen:
            return Twice(_index(records, at), seen[digest], digest)
        seen[digest] = _index(records, at)
    return None


def _index(records: bytes | bytearray, at: int) -> int:
    return int.from_bytes(records[at + HASH_SIZE : at + _RECORD], "big")
