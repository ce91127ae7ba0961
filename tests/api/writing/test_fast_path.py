"""The fast path and the documented one: whatever is sent, both accept it or both refuse it, in the same words."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, OperationalError
from support.faults.spoilt_requests import GOOD
from support.tables.bad_input import CASES
from support.worlds.registries.http_refusals import Sent, fresh
from support.worlds.registries.registry_world import ALICE, PLATFORM_KEY, open_world, salt, upload, work
from support.worlds.registries.site_world import Site

from deedlog.api.app import create_app
from deedlog.api.http import api_keys
from deedlog.api.http.fast_path import FastPath, route
from deedlog.api.http.metrics import Metrics
from deedlog.api.http.routes.writing import CHECKED_AT_ONCE
from deedlog.api.http.schemas.requests import MAXIMUM_BATCH_BODY, MAXIMUM_STATEMENT
from deedlog.api.settings import Settings
from deedlog.registry.errors import Unavailable
from deedlog.registry.store.database import Database

PATHS = ("/v1/statements", "/v1/statements:batch")
NOW = 1_795_460_000
MANY = "1000000/hour"


class Client:
    """Asks an ASGI application, as an `httpx.Client` asks a server."""

    def __init__(self, runner, application, **headers):
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://a.example", headers=headers)
        self._runner = runner
        self.headers = self._client.headers

    def request(self, method, path, **more):
        return self._runner.run(self._client.request(method, path, **more))


@contextlib.contextmanager
def registry(folder, runner, *, fast):
    """A registry of its own with all who send there, on one of the two paths."""
    database = Database(f"sqlite:///{folder / 'deedlog.sqlite'}")
    identity = open_world(database).identity
    (folder / "identity.json").write_text(json.dumps(identity.to_json()), "utf-8")
    applications = []

    def application(**changes):
        settings = {"quota_per_account": MANY, "quota_per_address": MANY} | changes
        applications.append(create_app(Settings(data=folder, **settings)))
        return applications[-1] if fast else applications[-1].documented

    def keyed(*scopes, revoked=False):
        number, secret = api_keys.create(database, "tests", scopes, NOW)
        if revoked:
            api_keys.revoke(database, number, NOW)
        return Client(runner, usual, Authorization=f"Bearer {secret}")

    usual = application()
    who = SimpleNamespace(
        anyone=Client(runner, usual),
        platform=keyed("upload", "batch"),
        uploader=keyed("upload"),
        batcher=keyed("batch"),
        revoked=keyed("batch", "upload", revoked=True),
        closed=Client(runner, application(writers="keys")),
        tight=Client(runner, application(quota_per_address="1/day")),
        few=Client(runner, application(quota_per_account="1/day")),
    )
    site = Site(None, identity, who.anyone, who.platform)
    used_up = site.body(work(content=b"the last of the quota", salt=salt("quota")), ALICE)
    assert who.few.request("POST", PATHS[0], json=used_up).status_code == 201
    assert who.tight.request("POST", PATHS[0], json=used_up).status_code == 200
    once = site.body(work(content=b"once", salt=salt("once")), ALICE)
    named = {"Idempotency-Key": "table-1"}
    assert who.anyone.request("POST", PATHS[0], json=once, headers=named).status_code == 201
    yield SimpleNamespace(site=site, who=who)

    async def close():
        for each in applications:
            async with each.documented.router.lifespan_context(each.documented):
                pass

    runner.run(close())
    database.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two registries that differ only in the path that requests take."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(registry(tmp_path_factory.mktemp(name), runner, fast=name == "fast"))
            for name in ("fast", "documented")
        ]


def shape(value):
    """Return what kind of value each member has; of one that stands for a kind of thing, the value itself."""
    if isinstance(value, dict):
        said = {"code", "outcome", "kind", "field", "status", "title", "type"}
        return {name: member if name in said else shape(member) for name, member in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


TOLD = ("content-type", "www-authenticate", "retry-after", "cache-control", "allow", "location")


def told(answer):
    """Return what both paths must say alike."""
    headers = {name: answer.headers[name] for name in TOLD if name in answer.headers}
    if answer.status_code == 429:  # how long to wait depends on when each was asked
        headers["retry-after"] = "seconds" if int(headers["retry-after"]) > 0 else "at once"
    return answer.status_code, headers, shape(answer.json())


def on_each(both, ask):
    """Ask on both paths; return what both answered, which is the same."""
    fast, documented = (told(ask(each)) for each in both)
    assert fast == documented
    return fast


def spoilt(name, site):
    sent = fresh(site, GOOD, ALICE)
    CASES[name][0](sent)
    return sent


def rows():
    """Return the rows of the table that one of the two routes answers."""
    site = Site(None, SimpleNamespace(address=bytes(20)), None, SimpleNamespace(headers={"Authorization": "x" * 9}))
    made = {name: spoilt(name, site) for name in CASES}
    return [name for name, sent in made.items() if sent.method == "POST" and sent.path.partition("?")[0] in PATHS]


@pytest.mark.parametrize("name", rows())
def test_both_paths_refuse_the_same_bad_input(both, name):
    for language in ("en", "zh"):

        def ask(each, language=language):
            sent = spoilt(name, each.site)
            client = getattr(each.who, sent.who)
            headers = sent.headers | {"Accept-Language": language}
            return client.request(sent.method, sent.path, content=sent.raw(), headers=headers)

        status, headers, problem = on_each(both, ask)
        assert status == CASES[name][1]
        assert problem["code"].startswith(CASES[name][2])
        assert headers["content-type"] == "application/problem+json"


def padded(sent, size):
    data = sent.raw()
    return data + b" " * (size - len(data))


def post(content, *, who="anyone", path=PATHS[0], **headers):
    """Return how a request is made; a function makes its content for a site."""

    def ask(each):
        made = content(each.site) if callable(content) else content
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(each.who, who).request("POST", path, content=made, headers=named)

    return ask


def good(text, size=None):
    def content(site):
        sent = fresh(site, work(content=text.encode(), salt=salt(text)), ALICE)
        return sent.raw() if size is None else padded(sent, size)

    return content


def batch(text, *more, size=None):
    def content(site):
        statements = [site.body(work(content=text.encode(), salt=salt(text)), ALICE), *more]
        sent = Sent(site, {"statements": statements})
        return sent.raw() if size is None else padded(sent, size)

    return content


def uploaded(site):
    return fresh(site, upload(content=b"i"), PLATFORM_KEY).raw()


async def in_parts(data):
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


GOOD_ONES = {
    "a statement": (post(good("a")), 201),
    "checked on the event loop": (post(good("b", CHECKED_AT_ONCE)), 201),
    "checked in a thread": (post(good("c", CHECKED_AT_ONCE + 1)), 201),
    "as large as may be": (post(good("d", MAXIMUM_STATEMENT)), 201),
    "in parts": (post(lambda site: in_parts(good("e")(site))), 201),
    "another type of content": (post(good("f"), Content_Type="text/plain"), 201),
    "with a key": (post(good("g"), who="platform"), 201),
    "under a name": (post(good("h"), Idempotency_Key="a name of mine"), 201),
    "an upload": (
        post(lambda site: Sent(site, site.body(upload(content=b"i"), PLATFORM_KEY)).raw(), who="platform"),
        201,
    ),
    "in another language": (post(good("j"), Accept_Language="zh"), 201),
    "a language in the query": (post(good("k"), path=f"{PATHS[0]}?lang=zh"), 201),
    "a batch": (post(batch("l"), who="batcher", path=PATHS[1]), 200),
    "a batch with bad items": (post(batch("m", 7, None, {}, []), who="batcher", path=PATHS[1]), 200),
    "a batch as large as may be": (post(batch("n", size=MAXIMUM_BATCH_BODY), who="batcher", path=PATHS[1]), 200),
}


@pytest.mark.parametrize("name", GOOD_ONES)
def test_both_paths_accept_the_same(both, name):
    ask, status = GOOD_ONES[name]
    assert on_each(both, ask)[0] == status
    again = on_each(both, ask)
    assert again[0] == 200  # known
    assert again[1]["content-type"] == "application/json"


def twice(name, *values):
    def ask(each):
        headers = [(name, value) for value in values]
        return each.who.anyone.request("POST", PATHS[0], content=b"{}", headers=headers)

    return ask


ODD_ONES = {
    "a byte too large": (post(good("o", MAXIMUM_STATEMENT + 1)), 413),
    "a batch a byte too large": (post(batch("p", size=MAXIMUM_BATCH_BODY + 1), who="batcher", path=PATHS[1]), 413),
    "a key twice": (twice("Authorization", "Bearer deedlog_a", "Bearer deedlog_b"), 422),
    "a name twice": (twice("Idempotency-Key", "a", "a"), 422),
    "a parameter that there is not": (post(good("q"), path=f"{PATHS[0]}?dry_run=1"), 422),
    "a parameter twice": (post(good("q"), path=f"{PATHS[0]}?wait=logged&wait=logged"), 422),
    "a parameter of the other route": (post(good("q"), who="batcher", path=f"{PATHS[1]}?wait=logged"), 422),
    "a token of no session": (post(good("q"), Authorization="Bearer deedsession_none"), 401),
    "an empty token": (post(good("q"), Authorization="Bearer "), 401),
    "no body": (post(b""), 400),
    "no body of a batch": (post(b"", who="batcher", path=PATHS[1]), 400),
    "a statement as a batch": (post(good("q"), who="batcher", path=PATHS[1]), 422),
    "a batch as a statement": (post(batch("q")), 422),
    "a slash too many": (post(good("q"), path=f"{PATHS[0]}/"), 404),
    "another verb": (post(good("q"), path="/v1/statements:bulk"), 404),
    "a path in capitals": (post(good("q"), path="/V1/statements"), 404),
    "a path half escaped": (post(good("q"), path="/v1/%73tatements?wait=soon"), 422),
    "another method": (lambda each: each.who.anyone.request("PUT", PATHS[0], content=b"{}"), 405),
    "another method of a batch": (lambda each: each.who.anyone.request("GET", PATHS[1]), 405),
}


@pytest.mark.parametrize("name", ODD_ONES)
def test_both_paths_refuse_the_same_odd_requests(both, name):
    ask, status = ODD_ONES[name]
    assert on_each(both, ask)[0] == status


def test_each_path_is_the_one_that_it_is_said_to_be(both, monkeypatch):
    """Otherwise a test above would compare a path with itself."""
    gone = []
    monkeypatch.setattr(FastPath, "__call__", lambda _self, *_asgi: gone.append("fast") or _self.documented(*_asgi))
    for each in both:
        each.who.anyone.request("POST", PATHS[0], content=b"{}")
        gone.append("asked")
    assert gone == ["fast", "asked", "asked"]


FAULTS = {
    "ours": (KeyError("a secret"), 500, "http.internal"),
    "the database's": (OperationalError("SELECT", {}, Exception("disk full")), 503, "database.unavailable"),
    "the database's file": (DatabaseError("SELECT", {}, Exception("malformed")), 503, "database.unavailable"),
    "the driver's": (
        InterfaceError("SELECT", {}, Exception("The operator finds the cause in the process's log")),
        503,
        "database.unavailable",
    ),
    "what it refuses": (IntegrityError("INSERT", {}, Exception("a secret")), 500, "http.internal"),
    "a refusal": (Unavailable("statement.stopping"), 503, "statement.stopping"),
}


def post(endpoint):
    app = FastAPI()
    app.state.metrics = Metrics()

    async def ask():
        transport = httpx.ASGITransport(FastPath(app, [route("/here", endpoint, app)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://a.example") as client:
            return await client.post("/here"), await client.get("/here"), await client.post("/elsewhere")

    return *asyncio.run(ask()), app.state.metrics.show(None).decode()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_problem_and_is_counted(name, caplog):
    error, status, code = FAULTS[name]

    async def endpoint(_request):
        raise error

    with caplog.at_level(logging.INFO):
        answer, got, elsewhere, metrics = post(endpoint)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert ("a secret" in caplog.text) == (code == "http.internal")  # with its traceback, for the operator
    assert f'method="POST",route="/here",status="{status}"' in metrics
    assert (got.status_code, elsewhere.status_code) == (404, 404)  # everything else is FastAPI's
