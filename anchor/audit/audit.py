"""The audit: derives a whole log again from its entries, and compares it with its tiles, checkpoints and contract.

Data is trusted only after its size is checked and it hashes to what the log key signed. Memory does not grow with the
log. The audit ends at the first error and names it. The steps, which are marked again in the code:

1. The log key, which the registry address commits to, signed the newest checkpoint.
2. Each entry bundle has as many entries as its position in the tree requires.
3. Each tile, including the partial ones at the right edge, has the hashes of the entries or of the tiles below it.
4. Each entry is in canonical form and of a known kind, and its time is not before that of the previous entry.
5. Each entry has a signature, and each signature over its digest is by the account that it names.
6. The root of exactly `size` entries is the checkpoint's.
7. No digest occurs twice. (A repeated digest would count at its lowest index.)
8. Earlier checkpoints that somebody has saved have the roots that the log has at their sizes.
9. Each head in the contract's history, from the newest down to the first, is one of the log's, and no entry is dated
   after the block that anchored it. An entry that is dated before the block of the head below it is only reported: it
   may have been accepted while that head's transaction waited.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from deedlog.anchor import merkle
from deedlog.anchor.audit.duplicates import Digests
from deedlog.anchor.audit.tree import AuditedLog, Edge, Rows, bundle_of, paths, sized
from deedlog.anchor.evm.block_time import is_dated_after
from deedlog.anchor.merkle import HASH_SIZE
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog.tiles import TILE_WIDTH
from deedlog.registry.errors import InvalidData, Unavailable, VerificationError
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.entry import parse
from deedlog.registry.statements.signatures import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from deedlog.anchor.audit.tree import Source
    from deedlog.anchor.evm.identity import Head
    from deedlog.anchor.tlog.checkpoint import Checkpoint
    from deedlog.anchor.tlog.note import VerifierKey
    from deedlog.anchor.tlog.tiles import TilePath
    from deedlog.registry.statements.entry import Entry

    Progress = Callable[[str, int, int], None]
    """Called now and then with (stage, done, total); `done` and `total` are in entries."""

AHEAD = 16
"""How many tiles and entry bundles are read ahead."""

THREADS = 2
"""Threads that check signatures. The library releases Python's global lock meanwhile."""

_SHOWN = 60
"""How many bytes an error shows of what came in place of a checkpoint."""

_IN_FLIGHT = 8
"""The most entry bundles whose signatures may be waiting for a check."""


class Contract(Protocol):
    """The registry's contract, as a chain has it. Methods raise `Unavailable`."""

    def head(self) -> tuple[int, bytes]:
        """Return (size, root) of the newest head; size 0 before the first."""

    def head_of(self, root: bytes) -> Head | None:
        """Return the head with that root; None if the contract does not have it."""


@dataclass(frozen=True, slots=True)
class History:
    """The contract's history: how many heads, and how far an entry is dated back.

    `dated_back` is in seconds: the most that an entry is dated before the block of the head below it. 0 if none is.
    """

    heads: int
    dated_back: int


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an audit without errors: the log's head and how much was checked.

    `time` (Unix seconds) is the last entry's. `earlier` counts the earlier checkpoints. `history` is that of the
    contract (None: the contract was not asked).
    """

    checkpoint: Checkpoint
    signatures: int
    time: int
    earlier: int
    history: History | None

    @property
    def heads(self) -> int | None:
        """How many heads the contract has; None if it was not asked."""
        return None if self.history is None else self.history.heads


def audit_log(
    source: Source,
    key: VerifierKey,
    *,
    earlier: Sequence[tuple[str, bytes]] = (),
    contract: Contract | None = None,
    progress: Progress | None = None,
) -> Report:
    """Run all steps on a log and return the report.

    `earlier` are saved checkpoints, as (name, note). Raises `VerificationError` (`audit.…`) naming the first error, or
    `Unavailable` if something could not be checked.
    """
    # Ask the contract first: a log only grows, so it must contain any head that the contract had before.
    newest = None if contract is None else contract.head()
    log = audit_entries(source, key, progress)
    for name, note in earlier:
        audit_earlier(log, key, name, note)
    history = None if contract is None or newest is None else audit_contract(log, contract, newest, progress)
    return Report(log.head, log.signatures, log.time, len(earlier), history)


def audit_entries(source: Source, key: VerifierKey, progress: Progress | None = None) -> AuditedLog:
    """Do steps 1 to 7 and return the audited log. Raises `VerificationError` (`audit.…`) or `Unavailable`."""
    # Step 1.
    note = source.checkpoint()
    try:
        head = checkpoint.open_signed(note, key)
    except InvalidData as error:
        raise VerificationError("audit.checkpoint", reason=error.code, shown=_shown(note)) from error
    rows = Rows()
    with Digests() as digests, _Signatures() as signatures, _ahead(source, paths(head.size)) as fetched:
        entries = _Entries(digests)
        bundle: list[bytes] = []
        for path, data in fetched:
            if path.level is None:
                # Step 2.
                bundle = bundle_of(path, data)
                rows.append([merkle.leaf_hash(entry) for entry in bundle])
                continue
            # Step 3.
            _compare(path, sized(path, data), rows.last(path.level))
            if path.level == 0:
                # Step 4; step 5 follows in other threads.
                start = path.index * TILE_WIDTH
                signatures.add(start, [entries.read(index, entry) for index, entry in enumerate(bundle, start)])
                if progress is not None:
                    progress("entries", start + path.width, head.size)
        signatures.finish()
        edge = Edge(signatures.count, entries.time, rows.edge(head.size))
        # Step 6.
        log = AuditedLog(source, head, edge)
        actual = log.root_at(head.size)
        if actual != head.root:
            raise VerificationError("audit.root", size=head.size, signed=to_hex(head.root), actual=to_hex(actual))
        # Step 7.
        twice = digests.first_twice()
        if twice is not None:
            raise VerificationError(
                "audit.digest_twice", index=twice.index, first=twice.first, digest=to_hex(twice.digest)
            )
    return log


def audit_earlier(log: AuditedLog, key: VerifierKey, name: str, note: bytes) -> Checkpoint:
    """Do step 8 for one checkpoint and return it.

    Raises `VerificationError`: `audit.kept`, `audit.shrunk`, `audit.forked`.
    """
    try:
        head = checkpoint.open_signed(note, key)
    except InvalidData as error:
        raise VerificationError("audit.kept", name=name, reason=error.code) from error
    if head.size > log.head.size:
        raise VerificationError("audit.shrunk", name=name, size=head.size, now=log.head.size)
    actual = log.root_at(head.size)
    if actual != head.root:
        raise VerificationError(
            "audit.forked", name=name, size=head.size, signed=to_hex(head.root), actual=to_hex(actual)
        )
    return head


def audit_contract(
    log: AuditedLog, contract: Contract, newest: tuple[int, bytes], progress: Progress | None = None
) -> History:
    """Do step 9, from the contract's newest head (size, root) down, and return the history.

    The contract stores heads by root, each with the size of the previous head. The log gives the root at that size, and
    the contract must have a head with it. So the walk fails at any foreign head. Raises `VerificationError`
    (`audit.…`).
    """
    size, root = newest
    heads = dated_back = 0
    above: Head | None = None
    while size:
        if size > log.head.size:
            raise VerificationError("audit.contract_ahead", size=size, log=log.head.size)
        actual = log.root_at(size)
        if above is None and actual != root:
            raise VerificationError("audit.foreign_head", size=size, root=to_hex(root), actual=to_hex(actual))
        head = contract.head_of(actual)
        if head is None:
            raise VerificationError("audit.unknown_head", size=size, root=to_hex(actual))
        if head.size != size or head.previous_size >= size:
            raise VerificationError("audit.head_size", size=size, contract=head.size, previous=head.previous_size)
        if above is not None and (head.time > above.time or head.block_number > above.block_number):
            raise VerificationError("audit.head_time", size=size)
        check_dated(log.time_at(size - 1), size, head.time)
        if above is not None:
            dated_back = max(dated_back, head.time - log.time_at(size))
        heads += 1
        if progress is not None:
            progress("heads", newest[0] - head.previous_size, newest[0])
        size, above = head.previous_size, head
    return History(heads, dated_back)


def check_dated(entry_time: int, size: int, block_time: int) -> None:
    """Raise `VerificationError` (`audit.dated_after_block`) if a head's last entry is dated after the head's block.

    Times never decrease along the log, so the last entry of the `size` entries has the latest time.
    """
    if is_dated_after(entry_time, block_time):
        raise VerificationError("audit.dated_after_block", index=size - 1, time=entry_time, block_time=block_time)


def _shown(data: bytes) -> str:
    """Return how bytes begin, as ASCII: enough to recognise a proxy's page."""
    return ascii(data[:_SHOWN].decode("utf-8", "replace"))


class _Entries:
    """Does step 4 for the entries, in order."""

    def __init__(self, digests: Digests) -> None:
        self.time = 0
        self._digests = digests

    def read(self, index: int, data: bytes) -> Entry:
        """Check and return the next entry."""
        try:
            entry = parse(data)
        except InvalidData as error:
            raise VerificationError("audit.entry", index=index, reason=error.code) from error
        if entry.kind not in KINDS:
            raise Unavailable("audit.unknown_kind", index=index, kind=entry.kind[:64])
        if entry.time < self.time:
            raise VerificationError("audit.time", index=index, time=entry.time, before=self.time)
        self.time = entry.time
        self._digests.add(entry.digest, index)
        return entry


class _Signatures:
    """Does step 5 in threads. Errors are raised in the order of the entries."""

    def __init__(self) -> None:
        self.count = 0
        self._pool = ThreadPoolExecutor(THREADS)
        self._waiting: deque[Future[int]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        try:
            # An error in an earlier entry takes precedence over the one that ended the audit at a later entry.
            if kind is not None and issubclass(kind, InvalidData | Unavailable):
                self.finish()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def add(self, start: int, entries: Sequence[Entry]) -> None:
        """Check the signatures of the entries from index `start` on."""
        if len(self._waiting) == _IN_FLIGHT:
            self.count += self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(_check_signatures, start, entries))

    def finish(self) -> None:
        """Wait for all checks."""
        while self._waiting:
            self.count += self._waiting.popleft().result()


def _check_signatures(start: int, entries: Sequence[Entry]) -> int:
    """Check the signatures of these entries and return how many there are."""
    count = 0
    for index, entry in enumerate(entries, start):
        if not entry.signatures:
            raise VerificationError("audit.unsigned", index=index)
        for signature in entry.signatures:
            try:
                check(signature, entry.digest)
            except VerificationError as error:
                raise VerificationError(
                    "audit.signature", index=index, account=to_hex(signature.account), reason=error.code
                ) from error
            count += 1
    return count


@contextmanager
def _ahead(source: Source, wanted: Iterator[TilePath]) -> Iterator[Iterator[tuple[TilePath, bytes]]]:
    """Yield an iterator of (path, data) in order, which another thread reads ahead."""
    with ThreadPoolExecutor(1) as reader:
        coming: deque[tuple[TilePath, Future[bytes]]] = deque()

        def fetched() -> Iterator[tuple[TilePath, bytes]]:
            for path in wanted:
                coming.append((path, reader.submit(source.read, path)))
                if len(coming) > AHEAD:
                    first, data = coming.popleft()
                    yield first, data.result()
            while coming:
                first, data = coming.popleft()
                yield first, data.result()

        try:
            yield fetched()
        finally:
            reader.shutdown(cancel_futures=True)


def _compare(path: TilePath, served: bytes, own: bytes) -> None:
    """Raise unless both rows have the same hashes. The error names the first that differs."""
    if served != own:
        position = next(at for at in range(len(own)) if served[at] != own[at]) // HASH_SIZE
        raise VerificationError("audit.tile", path=str(path), position=position)
