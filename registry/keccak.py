"""Keccak-256, the hash of Ethereum. Pure."""

from __future__ import annotations

import sha3


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte keccak-256 of `data`, as Ethereum uses it (not SHA3-256)."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest
