"""Keccak-256, Ethereum's hash function. Pure."""

from __future__ import annotations

import sha3


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 of `data` (32 bytes), as Ethereum uses it. This is not SHA3-256."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest
