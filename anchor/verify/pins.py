"""What whoever verifies brings besides the bundle: whom they trust, and what nodes answered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What one RPC node said: its chain, the hashes of the blocks asked for (by number), the finalized block's number.

    `problem` is the code of why it said nothing of use.
    """

    url: str
    chain_id: int = 0
    blocks: dict[int, bytes] | None = None
    finalized: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Pins:
    """What the user brings: the registry address, a final block's hash, what nodes answered, makers of renditions."""

    registry: bytes | None = None
    block_hash: bytes | None = None
    nodes: tuple[NodeAnswer, ...] = ()
    makers: tuple[bytes, ...] = ()
