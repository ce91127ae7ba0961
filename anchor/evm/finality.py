"""When a block is final: a pure function of what is known of the chain."""

from __future__ import annotations


def is_final(block: int, head: int, finalized: int | None, confirmations: int | None) -> bool:
    """Return whether block number `block` is final.

    `head` is the newest block's number; `finalized` is that of the chain's own finalized tag, None where it has none;
    `confirmations` is how many blocks, the block itself included, make it final on a chain without the tag: None means
    that only the tag counts.
    """
    if finalized is not None and confirmations is None:
        return block <= finalized
    if confirmations is None:
        return False
    return head - block + 1 >= confirmations


DEVELOPMENT_CHAINS = frozenset((31337, 1337))
"""Chains that anybody starts on a laptop: what they hold proves nothing to others."""
