"""Registering over HTTP in batches of a hundred, beside the bare route that takes one a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.figure import Figure

SIZE = 100
CONNECTIONS = 8


def measure() -> Iterator[Figure]:
    """Count statements, not requests; the bare route gets the same statements one by one, as beside `register`."""
    yield register.beside_the_bare_route(
        "register-batch", register.Load("/v1/statements:batch", SIZE, CONNECTIONS, 200)
    )
