"""Registering over HTTP, one statement a request, beside a bare route; an answer means that it is durable."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks import http_load, http_servers
from benchmarks.figure import Figure
from benchmarks.place import data_folder
from benchmarks.submissions import encoded, submission

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 5
CONNECTIONS = 64
WARM, COUNTED = 1_000, 8_000


def measure() -> Iterator[Figure]:
    """Both sides get the very same requests, in turns, each time on a new database; the medians stand beside."""
    ours, bare = [], []
    with data_folder() as folder:
        client = http_load.compiled(folder)
        template = folder / "template"
        authorization = http_servers.create_registry(template)
        registry = http_servers.IDENTITY.address
        count = WARM + COUNTED
        requests = folder / "requests"
        http_load.write_requests(
            requests,
            [encoded(submission(number, registry)) for number in range(count)],
            "/v1/statements",
            authorization,
        )

        def measured(port: int) -> float:
            return http_load.rate(client, port, CONNECTIONS, WARM, requests, 201)

        for _ in range(ROUNDS):
            ours.append(http_servers.registry_rate(template, measured, count))
            bare.append(http_servers.bare_route_rate(template, measured, count))
    yield Figure(
        "register",
        median(ours),
        "statements/s",
        "a bare FastAPI route",
        median(bare),
        f"{COUNTED:,} requests over {CONNECTIONS} connections, SQLite with full fsync on both sides",
    )
