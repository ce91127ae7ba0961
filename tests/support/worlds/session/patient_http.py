"""A longer timeout for the tests' HTTP requests.

httpx gives up after five seconds without a byte, which a busy machine may need for any answer. A hundred requests of
the tests name no timeout; all of them share httpx's default.
"""

from __future__ import annotations

import inspect

import httpx
from support.worlds.session.waiting import PATIENCE


def be_patient() -> None:
    """Let each request of this process that names no timeout wait for `PATIENCE` seconds. Our own code names one."""
    default = inspect.signature(httpx.Client).parameters["timeout"].default
    default.connect = default.read = default.write = default.pool = PATIENCE
