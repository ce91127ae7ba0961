"""Waiting for what another process does."""

from __future__ import annotations

import time

import pytest


def until(condition, what="", seconds=30, not_yet=()):
    """Return the first true value of `condition()`; fail, saying `what`, when it has not come within `seconds`.

    `what` may be a function, asked when it is said; an exception of `not_yet` counts as no value.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            value = condition()
        except not_yet:
            value = None
        if value:
            return value
        time.sleep(0.02)
    return pytest.fail(f"not within {seconds} s: {what() if callable(what) else what}")
