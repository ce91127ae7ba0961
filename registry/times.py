"""Time: read the clock, parse the times that programs and people write, and format times.

Inside the code, a time is always Unix seconds. Only `now` reads the time of day; code that waits uses `time.monotonic`.
The pure folders get the time as an argument and do not import this module.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from deedlog.registry.errors import InvalidData

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
"""RFC 3339 §5.6, with a fraction. `datetime.fromisoformat` also accepts other forms, some without a zone."""

_TYPED = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?(Z|UTC|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)

_DIGITS = 20
"""Those of the largest 64-bit number: a statement's times are no larger."""

_LAST_SHOWN = 253_402_214_400
"""The last time that is in the year 9999 in every zone. A signer may claim any time, but `datetime` ends there."""


def now() -> int:
    """Return the time of day in Unix seconds."""
    return int(time.time())


def show(seconds: int) -> str:
    """Return a time as RFC 3339 in UTC, for example `2026-11-24T10:00:00Z`.

    Raises `ValueError` outside the years 1 to 9999.
    """
    try:
        return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()}Z"
    except (OverflowError, OSError) as error:
        raise ValueError(seconds) from error


def show_milliseconds(seconds: float) -> str:
    """Return a time in UTC with milliseconds, for log lines."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def show_both(seconds: int) -> str:
    """Return a time for people: in this machine's zone and in UTC. Outside 1970 to 9999: the number of seconds."""
    if not 0 <= seconds <= _LAST_SHOWN:
        return f"{seconds} s"
    utc = datetime.fromtimestamp(seconds, UTC)
    local = utc.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%z} ({utc:%Y-%m-%d %H:%M:%S} UTC)"


def read_utc(text: object, field: str) -> int:
    """Parse a time in exactly the form that `show` writes. Raises `InvalidData` (`time.malformed`)."""
    try:
        if isinstance(text, str) and show(seconds := read_rfc3339(text)) == text:
            return seconds
    except ValueError:
        pass
    raise InvalidData("time.malformed", field=field)


def read_rfc3339(text: str) -> int:
    """Parse a time of RFC 3339 in any zone; its fraction is dropped. Raises `ValueError`."""
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return _seconds("T".join(found.group(1, 2)) + found[3].upper())


def read_typed(text: str) -> int:
    """Parse a time that a person typed.

    The text is one of: Unix seconds, in at most 20 digits; a date, which means its first second in UTC; a date and a
    time with `Z`, `UTC` or an offset; a date and a time in this machine's zone. Seconds may be left out, and a fraction
    is dropped.

    Raises `InvalidData`: `time.unreadable`, or `time.twice_or_never` if the local clock was set forward or back then.
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
    if first != second:  # the local clock was set forward or back at that time (PEP 495)
        raise InvalidData("time.twice_or_never", value=text[:64])
    return first


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
