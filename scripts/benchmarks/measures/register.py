"""Registering over HTTP, one statement per request, against a bare route. An answered statement is durable."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import http_load, http_servers
from benchmarks.figure import Figure
from benchmarks.measures.log import IDENTITY
from benchmarks.place import data_folder
from benchmarks.submissions import encoded, submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROUNDS = 5
WARM, COUNTED = 1_000, 5_000
"""Statements of a round: those sent before the clock starts, and those counted."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load: path, statements per request (0: one, not in a list), connections, and the status of success."""

    target: str
    size: int
    connections: int
    status: int


SINGLE = Load("/v1/statements", 0, 64, 201)
"""Also the load of the bare route."""


def measure() -> Iterator[Figure]:
    """Send identical requests to both."""
    yield beside_the_bare_route("register", SINGLE)


def beside_the_bare_route(name: str, load: Load) -> Figure:
    """Measure both sides in turns, each time on a new database; compare the medians."""
    ours, bare = [], []
    count = WARM + COUNTED
    with data_folder() as folder:
        client = http_load.compiled(folder)
        template = folder / "template"
        authorization = http_servers.create_registry(template)
        statements = [submission(number, IDENTITY.address) for number in range(count)]

        def measured(load: Load) -> Callable[[int], float]:
            requests = folder / load.target.rpartition("/")[2]
            size = max(load.size, 1)
            http_load.write_requests(requests, _bodies(statements, load.size), load.target, authorization)
            return lambda port: (
                size * http_load.rate(client, port, load.connections, WARM // size, requests, load.status)
            )

        with_load, with_single = measured(load), measured(SINGLE)
        for _ in range(ROUNDS):
            ours.append(http_servers.registry_rate(template, with_load, count))
            bare.append(http_servers.bare_route_rate(template, with_single, count))
    return Figure(
        name,
        median(ours),
        "statements/s",
        "a bare FastAPI route",
        median(bare),
        f"{load.connections} connections, the bare route's {SINGLE.connections}; "
        f"medians of {ROUNDS} rounds of {COUNTED:,}; full fsync on both sides",
    )


def _bodies(statements: Sequence[object], size: int) -> list[bytes]:
    if size == 0:
        return [encoded(statement) for statement in statements]
    return [encoded({"statements": statements[start : start + size]}) for start in range(0, len(statements), size)]
