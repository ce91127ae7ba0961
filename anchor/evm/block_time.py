"""Compares an entry's time with the time of the block that anchored it.

An entry exists before its anchor, so one that is dated later has a wrong time: the registry's clock was ahead. What the
block proves does not depend on the entry's time.
"""

from __future__ import annotations

ENTRY_AHEAD_SECONDS = 60
"""How much later than its block an entry may be dated. A block has the time at which its slot began, and the clocks of
a registry and of a block's producer may differ by some seconds."""


def is_dated_after(entry_time: int, block_time: int) -> bool:
    """Return whether an entry's time (Unix seconds) contradicts the time of the block that anchored it."""
    return entry_time > block_time + ENTRY_AHEAD_SECONDS
