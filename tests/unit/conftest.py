"""Logs for the tests of the rules."""

from __future__ import annotations

import pytest
from support.models.rights_log import ANNA, BEN, Log, agreement, work
from support.worlds.logs.short_log import counts


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def shared(log):
    """Return a work, and the agreement over it from 100 until before 1000."""
    of = counts(log, work(ANNA))
    return of, counts(log, agreement([of], [ANNA, BEN], effectiveFrom=100, effectiveUntil=1000))
