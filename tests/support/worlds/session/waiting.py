"""Waiting for another process, thread or moment, on a machine of any speed.

A test waits for a condition and never for a time. The limits only say when to give up: a machine whose processors are
shared by many may be far slower than a quiet one, and a test that holds never waits for a limit.
"""

from __future__ import annotations

import time

import pytest

PATIENCE = 120
"""Seconds after which a test gives up waiting."""


def until(condition, what="", seconds=PATIENCE, not_yet=()):
    """Return the first true value of `condition()`; fail, saying `what`, when it has not come within `seconds`.

    `what` may be a function, called only then; an exception of `not_yet` counts as no value.
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


def before_deadline(act, seconds=1):
    """Return (deadline, result of `act(deadline)`), for a deadline, in whole seconds, that came after `act` returned.

    If `act` took longer, it is called again with more time; so each call must make what it needs anew, and leave what
    depends on the deadline to be asserted by the caller.
    """
    while seconds <= PATIENCE:
        deadline = int(time.time()) + seconds
        result = act(deadline)
        if time.time() < deadline:
            return deadline, result
        seconds *= 2
    return pytest.fail(f"not done within {PATIENCE} s")


def sleep_until(moment):
    """Return once the clock of this machine, which is that of its registries, shows a moment or a later one."""
    while (left := moment - time.time()) > 0:
        time.sleep(left)
