"""The digest of a file, which a statement signs and a verifier compares. Pure; `hashing` reads files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file's SHA-256 (32 bytes) and its length in bytes."""

    content_hash: bytes
    content_length: int
