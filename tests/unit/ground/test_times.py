"""Times: what programs write and people type is read to the second, in whatever zone the machine is."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from deedlog.api.cli import cli
from deedlog.registry import times
from deedlog.registry.errors import InvalidData

TEN = 1_795_514_400
"""2026-11-24T10:00:00Z."""

calendar = st.integers(-62_135_596_800, 253_402_300_799)
"""From the first second of year 1 to the last of year 9999."""


@pytest.fixture
def zone(monkeypatch):
    def choose(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield choose
    monkeypatch.undo()
    time.tzset()


@given(calendar)
def test_what_is_shown_is_read_back(seconds):
    shown = times.show(seconds)
    assert times.read_utc(shown, "time") == times.read_rfc3339(shown) == times.read_typed(shown) == seconds
    assert len(shown) == len("2026-11-24T10:00:00Z")


@given(st.integers(0, 253_402_300_799))
def test_what_is_shown_is_what_another_library_shows(seconds):
    other = parsedate_to_datetime(format_datetime(datetime.fromtimestamp(seconds, UTC)))
    assert times.show(seconds) == f"{other:%Y-%m-%dT%H:%M:%S}Z"


@given(calendar, st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_an_offset_is_taken_off(seconds, minutes):
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
    there = times.show(seconds).replace("Z", offset)
    assert times.read_rfc3339(there) == times.read_typed(there) == seconds - 60 * minutes


@pytest.mark.parametrize(
    "typed",
    [
        "1795514400",
        "2026-11-24T10:00:00Z",
        "2026-11-24t10:00:00z",
        "2026-11-24 10:00:00Z",
        "2026-11-24T10:00Z",
        "2026-11-24 10:00 UTC",
        "2026-11-24T10:00:00.000Z",
        "2026-11-24T18:00+08:00",
        "2026-11-24 18:00:00 +0800",
        "2026-11-24T05:30-04:30",
        " 2026-11-24T10:00:00Z\n",
    ],
)
def test_a_time_with_its_zone_is_the_same_everywhere(zone, typed):
    for name in ("UTC", "Asia/Shanghai", "America/Los_Angeles"):
        zone(name)
        assert times.read_typed(typed) == TEN


def test_a_date_begins_in_utc_wherever_it_is_typed(zone):
    for name in ("UTC", "Asia/Shanghai", "America/Los_Angeles"):
        zone(name)
        assert times.read_typed("2026-11-24") == TEN - 10 * 3600


@pytest.mark.parametrize(
    ("name", "typed"), [("Asia/Shanghai", "18:00"), ("America/Los_Angeles", "02:00:00"), ("Asia/Kolkata", "15:30")]
)
def test_a_time_without_a_zone_is_in_the_machines(zone, name, typed):
    zone(name)
    assert times.read_typed(f"2026-11-24T{typed}") == TEN
    assert times.show_both(TEN).startswith(f"2026-11-24 {typed[:5]}")


@pytest.mark.parametrize("typed", ["2026-03-29T02:30", "2026-10-25T02:30"])
def test_a_local_time_that_occurs_twice_or_never_is_refused_and_one_with_an_offset_is_not(zone, typed):
    zone("Europe/Berlin")
    with pytest.raises(InvalidData, match="twice_or_never"):
        times.read_typed(typed)
    assert times.read_typed(f"{typed}+02:00") - times.read_typed(f"{typed}+01:00") == -3600


NO_TIME = (
    *("", " ", "tomorrow", "24.11.2026", "11/24/2026", "2026-11-24T", "2026-11-24T10", "2026-1-2", "2026-02-30"),
    *("2026-11-24T24:01Z", "2026-11-24T10:00:60Z", "2026-11-24T10:00+24:00", "-1", "1e9", "1795514400.5", "0x10"),
    *("2026-11-24T10:00 Europe/Berlin", "\u0662\u0660\u0662\u0666-11-24", "0000-01-01", "2026-11-24T10:00ZZ", "²"),
)


@pytest.mark.parametrize("typed", NO_TIME)
def test_what_is_no_time_is_refused(typed):
    with pytest.raises(InvalidData, match="unreadable") as refused:
        times.read_typed(typed)
    assert refused.value.params["value"] == typed


@pytest.mark.parametrize("typed", ["9" * 21, "9" * 5000, "0" * 5000], ids=lambda typed: f"{len(typed)} of {typed[0]}")
def test_more_digits_than_a_time_can_have_are_refused(typed):
    """Python itself refuses to read a number of more than 4300 digits."""
    with pytest.raises(InvalidData, match=r"time\.unreadable"):
        times.read_typed(typed)
    assert times.read_typed("9" * 20) == 10**20 - 1


@given(st.text())
def test_any_text_is_a_time_or_refused(typed):
    with contextlib.suppress(InvalidData):
        assert isinstance(times.read_typed(typed), int)


@pytest.mark.parametrize(
    "sent",
    [
        *(
            "2026-11-24",
            "2026-11-24T10:00Z",
            "2026-11-24T10:00:00",
            "2026-11-24T10:00:00+00:00",
            "2026-11-24T10:00:00z",
        ),
        *("2026-1-2T3:4:5Z", "2026-11-24T10:00:00.0Z", "2026-11-24 10:00:00Z", "9999-12-31T23:59:59-01:00", TEN, None),
    ],
)
def test_a_program_writes_times_in_one_form(sent):
    with pytest.raises(InvalidData, match=r"time\.malformed"):
        times.read_utc(sent, "public_from")


@pytest.mark.parametrize("typed", ["-1", "9" * 5000], ids=["negative", "5000 digits"])
def test_when_a_file_was_made_is_read_as_every_other_time(typed):
    given = ("--title", "t", "--credited-as", "c", "--made-at")
    done = CliRunner().invoke(cli, ["--lang", "en", "register", "none.mp4", *given, typed])
    assert done.exit_code == click.UsageError.exit_code
    assert "is not a valid time" in done.output
    for good in ("1795514400", "2026-11-24T10:00Z", "2026-11-24"):
        done = CliRunner().invoke(cli, ["--lang", "en", "register", "none.mp4", *given, good])
        assert getattr(done.exception, "code", None) == "file.unreadable", done.output


@pytest.mark.parametrize(
    ("language", "typed", "words"),
    [
        ("en", "tomorrow", "is not a valid time. Write a date"),
        ("zh", "tomorrow", "tomorrow 不是有效的时间"),
        ("en", "2026-10-25T02:30", "occurs twice or not at all"),
        ("zh", "2026-10-25T02:30", "出现两次或不存在"),
    ],
)
def test_the_command_line_says_in_both_languages_what_to_write(zone, language, typed, words):
    zone("Europe/Berlin")
    done = CliRunner().invoke(cli, ["--lang", language, "report", "0x", "--start", typed])
    assert done.exit_code == click.UsageError.exit_code
    assert words in done.output
