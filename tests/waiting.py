"""Waiting for what another process does."""

from __future__ import annotations

import time

import pytest


def until(condition, seconds=30):
    """Return the first true value of `condition()`; fail when it has not come within `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s")
