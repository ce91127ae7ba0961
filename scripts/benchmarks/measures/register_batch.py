"""Registering over HTTP in batches of a hundred, against the bare route with one statement per request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.figure import Figure

SIZE = 100
CONNECTIONS = 8


def measure() -> Iterator[Figure]:
    """Count statements, not requests. The bare route gets the same statements one by one, as for `register`."""
    yield register.beside_the_bare_route(
        "register-batch", register.Load("/v1/statements:batch", SIZE, CONNECTIONS, 200)
    )
