"""The user's part of a verification: trust roots, and the answers of nodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """One RPC node's answers: its chain, the hashes of blocks by number, and the number of the finalized block.

    `finalized` is None if the chain has no finalized tag. `problem` is a code if the node gave no usable answer.
    """

    url: str
    chain_id: int = 0
    blocks: dict[int, bytes] | None = None
    finalized: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Pins:
    """The user's pins: registry address, hashes of final blocks, nodes' answers, and trusted makers of renditions."""

    registry: bytes | None = None
    block_hashes: tuple[bytes, ...] = ()
    nodes: tuple[NodeAnswer, ...] = ()
    makers: tuple[bytes, ...] = ()
