"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

_LAST_SHOWN = 253_402_214_400
"""Still in the year 9999 in every zone: a signer may claim any time, and a calendar shows no later one."""


def moment(seconds: int) -> str:
    """Return a Unix time in the machine's zone and in UTC."""
    if not 0 <= seconds <= _LAST_SHOWN:
        return f"{seconds} s"
    utc = datetime.fromtimestamp(seconds, UTC)
    local = utc.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%z} ({utc:%Y-%m-%d %H:%M:%S} UTC)"
