"""What the user brings besides the bundle: whom they trust, and what nodes answered."""

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
    """What the user brings: the registry's address, hashes of final blocks, nodes' answers, makers of renditions."""

    registry: bytes | None = None
    block_hashes: tuple[bytes, ...] = ()
    nodes: tuple[NodeAnswer, ...] = ()
    makers: tuple[bytes, ...] = ()
