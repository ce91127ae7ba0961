"""Comparable times: the sides run in turns, so that both meet the same noise."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def seconds(run: Callable[[], object], times: int = 1) -> float:
    """Return the wall time (s) of one of `times` runs in a row."""
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def in_turns(rounds: int, *runs: Callable[[], object], times: int = 1) -> list[float]:
    """Return the median time (s) of each of `runs`, run in turns A B A B …; one turn is `times` runs in a row."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, mine in zip(runs, taken, strict=True):
            mine.append(seconds(run, times))
    return [statistics.median(mine) for mine in taken]
