"""The audit of a log, with its signatures, against bare signature recovery in one thread."""

from __future__ import annotations

import hashlib
import time
from statistics import median
from typing import TYPE_CHECKING

from coincurve import PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.figure import Figure
from deedlog.anchor import merkle
from deedlog.anchor.audit.audit import audit_log
from deedlog.anchor.tlog import checkpoint, tiles
from deedlog.anchor.tlog.note import VerifierKey
from deedlog.registry.statements.entry import Entry, build, parse
from deedlog.registry.statements.signatures import V_EVEN, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedlog.anchor.tlog.tiles import TilePath

ENTRIES = 20_000
ROUNDS = 5
ORIGIN = "bench.example.com/log"


class _Log:
    """A log in memory, so that the audit is measured and not a disk or a network."""

    def __init__(self, entries: list[bytes], key: Ed25519PrivateKey) -> None:
        hashes = [merkle.leaf_hash(entry) for entry in entries]
        appended = tiles.append(lambda _level, _index: b"", 0, hashes)
        self._files = {
            str(tiles.TilePath(level, index, len(row) // merkle.HASH_SIZE)): row
            for (level, index), row in appended.tiles.items()
        }
        for start in range(0, len(entries), tiles.TILE_WIDTH):
            part = entries[start : start + tiles.TILE_WIDTH]
            path = tiles.TilePath(None, start // tiles.TILE_WIDTH, len(part))
            self._files[str(path)] = tiles.encode_entries(part)
        self._note = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, len(entries), appended.root), key)

    def checkpoint(self) -> bytes:
        """Return the signed checkpoint."""
        return self._note

    def read(self, path: TilePath) -> bytes:
        """Return a tile or an entry bundle."""
        return self._files[str(path)]


def measure() -> Iterator[Figure]:
    """Audit the log and recover its signatures, in turns; compare the medians."""
    log_key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    key = VerifierKey(ORIGIN, log_key.public_key().public_bytes_raw())
    entries = [_entry(number) for number in range(ENTRIES)]
    log = _Log(entries, log_key)
    signed = [
        (item.signature[:64] + bytes([item.signature[64] - V_EVEN]), entry.digest)
        for entry in map(parse, entries)
        for item in entry.signatures
    ]
    audited, recovered = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        audit_log(log, key)
        audited.append(ENTRIES / (time.perf_counter() - start))
        start = time.perf_counter()
        for signature, digest in signed:
            PublicKey.from_signature_and_message(signature, digest, hasher=None)
        recovered.append(ENTRIES / (time.perf_counter() - start))
    yield Figure(
        "audit",
        median(audited),
        "entries/s",
        "coincurve recovers, one thread",
        median(recovered),
        f"{ENTRIES} entries of one signature, from memory, medians of {ROUNDS}",
    )


def _entry(number: int) -> bytes:
    digest = hashlib.sha256(b"digest %d" % number).digest()
    signature = sign(digest, hashlib.sha256(b"key %d" % (number % 64)).digest())
    subject = "content:0x" + hashlib.sha256(b"content %d" % number).hexdigest()
    return build(Entry(digest, "Work", (signature,), (subject,), 1_795_460_000 + number // 100))
