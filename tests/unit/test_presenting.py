"""Times as people read them: in the machine's zone and in UTC, whatever a signer claims."""

from __future__ import annotations

import time

import pytest

from api.presenting import moment


@pytest.fixture(params=["UTC", "Asia/Shanghai", "Pacific/Kiritimati", "America/Los_Angeles"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("seconds", [0, 1, 1_795_460_000, 253_402_214_400, 253_402_300_799, 253_402_300_800, 2**64 - 1])
def test_every_time_can_be_shown(seconds):
    assert moment(seconds)


def test_a_time_is_shown_in_both_zones(zone):
    assert moment(1_795_460_000).endswith("(2026-11-23 18:53:20 UTC)")
    if zone == "Asia/Shanghai":
        assert moment(1_795_460_000).startswith("2026-11-24 02:53:20 +0800")
