"""How the API refuses: a problem by RFC 9457, after which the database is as before."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from support.worlds.session.waiting import until

from deedlog.registry.store.tables import Table

if TYPE_CHECKING:
    import httpx
    from sqlalchemy import Engine

BY_THE_CLOCK = {"lease", "alarm", "chain_status"}
"""Tables that the worker writes whether or not anybody asks."""

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "field", "params"}


@dataclass
class Sent:
    """A request in the making: that of a good statement, until a case spoils it."""

    site: Any
    body: dict[str, Any]
    method: str = "POST"
    path: str = "/v1/statements"
    headers: dict[str, str] = field(default_factory=dict)
    who: str = "anyone"
    content: bytes | None = None

    @property
    def message(self) -> dict[str, Any]:
        return self.body["typed_data"]["message"]

    @property
    def signature(self) -> str:
        return self.body["signatures"][0]["signature"]

    @signature.setter
    def signature(self, value: Any) -> None:
        self.body["signatures"][0]["signature"] = value

    def raw(self) -> bytes:
        return self.content if self.content is not None else json.dumps(self.body).encode()


COUNTED = sorted(set(Table.metadata.tables) - BY_THE_CLOCK)
# Of what is told by the clock, what happened to a range of the log: that a head is final comes some time after it.
_ASKED_FOR = {"event": "WHERE first IS NULL"}
_COUNTS = ", ".join(f'(SELECT count(*) FROM "{name}" {_ASKED_FOR.get(name, "")})' for name in COUNTED)


def code_of(answer: httpx.Response) -> str:
    """Return the code of a problem."""
    code: str = answer.json()["code"]
    return code


def rows(url: str) -> dict[str, int]:
    """Return how many rows each table of a database has, and the size of the log."""
    with _engine(url).connect() as connection:
        counts = connection.exec_driver_sql(f"SELECT {_COUNTS}, (SELECT size FROM log)").one()
    return dict(zip([*COUNTED, "size of the log"], counts, strict=True))


def quiet(url: str) -> None:
    """Wait until the worker has written down all that was accepted: from then on a change is the asker's doing."""

    def at_rest() -> bool:
        with _engine(url).connect() as connection:
            waiting = connection.exec_driver_sql("SELECT count(*) FROM statement WHERE log_index IS NULL").scalar_one()
            size = connection.exec_driver_sql("SELECT size FROM log").scalar_one()
            anchored = connection.exec_driver_sql("SELECT coalesce(max(size), 0) FROM anchor").scalar_one()
            passing = connection.exec_driver_sql("SELECT count(*) FROM anchor WHERE NOT final").scalar_one()
        return not waiting and size == anchored and not passing

    until(at_rest, "the worker comes to rest")


@cache
def _engine(url: str) -> Engine:
    return create_engine(url)


def refused(client: httpx.Client, sent: Sent, language: str | None) -> dict[str, Any]:
    """Send; return the problem, which is one as RFC 9457 has it."""
    headers = dict(sent.headers) | ({} if language is None else {"Accept-Language": language})
    content = sent.raw() if sent.method in ("POST", "PUT") else None
    answer = client.request(sent.method, sent.path, content=content, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert set(problem) == PROBLEM_MEMBERS
    assert problem["type"] == f"urn:deedlog:problem:{problem['code']}"
    assert problem["status"] == answer.status_code
    return problem


def fresh(site: Any, statement: Any, key: bytes) -> Sent:
    """Return the good request that sends a statement signed by one key."""
    return Sent(site, copy.deepcopy(site.body(statement, key)))
