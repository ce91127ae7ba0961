"""When a block is final. Pure."""

from __future__ import annotations


def is_final(block: int, head: int, finalized: int | None, confirmations: int | None) -> bool:
    """Return whether block number `block` is final.

    `head` is the newest block's number. `finalized` is the number of the block with the chain's finalized tag, None if
    the chain has no such tag. `confirmations` is for chains without the tag: a block is final once so many blocks,
    itself included, exist. If it is None, only the tag counts; if it is set, the tag is ignored.
    """
    if finalized is not None and confirmations is None:
        return block <= finalized
    if confirmations is None:
        return False
    return head - block + 1 >= confirmations


DEVELOPMENT_CHAINS = frozenset((31337, 1337))
"""Ids of chains that anybody can start on a laptop. An anchor on them proves nothing to others."""
