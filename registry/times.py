"""Time: the clock, reading times that programs and people write, and showing them.

A time is Unix seconds everywhere inside. Only `now` reads the time of day; waiting goes by `time.monotonic` where it is
done. The pure folders are handed the time as an argument and do not import this module.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from deedlog.registry.errors import InvalidData

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
"""RFC 3339 §5.6, with its fraction; `datetime.fromisoformat` reads other forms too, some without a zone."""

_TYPED = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?(Z|UTC|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)

_DIGITS = 20
"""Those of the largest 64-bit number: a statement's times are no larger."""

_LAST_SHOWN = 253_402_214_400
"""The last instant that is in the year 9999 in every zone: a signer may claim any time, and calendars end there."""


def now() -> int:
    """Return the time of day."""
    return int(time.time())


def show(seconds: int) -> str:
    """Return a time as RFC 3339 in UTC, as in `2026-11-24T10:00:00Z`; raise `ValueError` beyond the years 1 to 9999."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()}Z"
    except (OverflowError, OSError) as error:
        raise ValueError(seconds) from error


def show_milliseconds(seconds: float) -> str:
    """Return a time in UTC with its milliseconds, for a log's lines."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def show_both(seconds: int) -> str:
    """Return a time for people: in this machine's zone, and in UTC. Of one that no calendar has, the number."""
    if not 0 <= seconds <= _LAST_SHOWN:
        return f"{seconds} s"
    utc = datetime.fromtimestamp(seconds, UTC)
    local = utc.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%z} ({utc:%Y-%m-%d %H:%M:%S} UTC)"


def read_utc(text: object, field: str) -> int:
    """Return a time of the one form that `show` writes; raise `InvalidData` (`time.malformed`)."""
    try:
        if isinstance(text, str) and show(seconds := read_rfc3339(text)) == text:
            return seconds
    except ValueError:
        pass
    raise InvalidData("time.malformed", field=field)


def read_rfc3339(text: str) -> int:
    """Return a time of RFC 3339, in any zone and without its fraction; raise `ValueError`."""
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return _seconds("T".join(found.group(1, 2)) + found[3].upper())


def read_typed(text: str) -> int:
    """Return a time that a person typed; raise `InvalidData` (`time.unreadable`, `time.twice_or_never`).

    Unix seconds, of at most 20 digits; a date, which is its first second in UTC; a date and a time with `Z`, `UTC` or
    an offset, or without one: then in this machine's zone. Seconds may be left out, a fraction is dropped.
    """
    typed = text.strip()
    if len(typed) <= _DIGITS and typed.isascii() and typed.isdigit():
        return int(typed)
    found = _TYPED.fullmatch(typed)
    if found is None:
        raise InvalidData("time.unreadable", value=text[:64])
    date, clock, zone = found.groups()
    try:
        if clock is None:
            return _seconds(f"{date}T00:00Z")
        if zone is not None:
            return _seconds(f"{date}T{clock}{zone.upper().replace('UTC', 'Z')}")
        local = datetime.fromisoformat(f"{date}T{clock}")
        first, second = (int(local.replace(fold=fold).timestamp()) for fold in (0, 1))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidData("time.unreadable", value=text[:64]) from error
    if first != second:  # a clock was set forward or back here then (PEP 495)
        raise InvalidData("time.twice_or_never", value=text[:64])
    return first


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
