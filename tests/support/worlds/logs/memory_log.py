"""A log in memory, made of any entries: what a registry with the log key could serve, whatever it wanted to hide."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedlog.anchor import merkle
from deedlog.anchor.tlog import checkpoint, tiles
from deedlog.anchor.tlog.note import VerifierKey
from deedlog.registry.statements.entry import Entry, build
from deedlog.registry.statements.signatures import sign

ORIGIN = "deeds.example.com/log"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
KEY = VerifierKey(ORIGIN, LOG_KEY.public_key().public_bytes_raw())
KEYS = [hashlib.sha256(b"signer %d" % number).digest() for number in range(8)]


def entry(number: int, **changes) -> bytes:
    """Return a sound entry, or one with changed members."""
    digest = hashlib.sha256(b"digest %d" % number).digest()
    values = {
        "digest": digest,
        "kind": "Work",
        "signatures": (sign(changes.get("digest", digest), KEYS[number % len(KEYS)]),),
        "subjects": ("content:0x" + hashlib.sha256(b"content %d" % number).hexdigest(),),
        "time": 1_795_460_000 + number // 100,
    }
    return build(Entry(**(values | changes)))


class MemoryLog:
    """Entries, the tiles over them and a signed checkpoint; `served` is what is read, and may be changed."""

    def __init__(self, entries) -> None:
        self.entries = list(entries)
        self.size = len(self.entries)
        self.leaf_hashes = [merkle.leaf_hash(item) for item in self.entries]
        self.root = merkle.root_from_leaf_hashes(self.leaf_hashes)
        self.note = self.signed(self.size, self.root)
        self.served: dict[str, bytes] = {}
        for start in range(0, self.size, 256):
            part = self.entries[start : start + 256]
            self.served[str(tiles.TilePath(None, start // 256, len(part)))] = tiles.encode_entries(part)
        rows = tiles.append(lambda *_: b"", 0, self.leaf_hashes).tiles if self.size else {}
        for (level, index), row in rows.items():
            self.served[str(tiles.TilePath(level, index, len(row) // 32))] = row
        self.reads: list[str] = []

    @staticmethod
    def signed(size: int, root: bytes, key: Ed25519PrivateKey = LOG_KEY) -> bytes:
        return checkpoint.sign(checkpoint.Checkpoint(ORIGIN, size, root), key)

    def root_of(self, size: int) -> bytes:
        return merkle.root_from_leaf_hashes(self.leaf_hashes[:size])

    def checkpoint(self) -> bytes:
        return self.note

    def read(self, path) -> bytes:
        self.reads.append(str(path))
        return self.served[str(path)]
