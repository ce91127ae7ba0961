"""What a refusal is: a problem by RFC 9457 in both languages, after which nothing has changed in the registry."""

from __future__ import annotations

import copy
import json
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

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


def rows(path: Path) -> dict[str, int]:
    """Return how many rows each table of a SQLite file has."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in sorted(set(names) - BY_THE_CLOCK)
        }
        counts["size of the log"] = connection.execute("SELECT size FROM log").fetchone()[0]
    connection.close()
    return counts


def quiet(path: Path, seconds: float = 30) -> None:
    """Wait until the worker has written down all that was accepted: from then on a change is the asker's doing."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            (waiting,) = connection.execute("SELECT count(*) FROM statement WHERE log_index IS NULL").fetchone()
            (size,) = connection.execute("SELECT size FROM log").fetchone()
            (anchored,) = connection.execute("SELECT coalesce(max(size), 0) FROM anchor").fetchone()
        connection.close()
        if not waiting and size == anchored:
            return
        time.sleep(0.1)
    raise AssertionError("the worker has not come to rest")


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
