"""Bad input over HTTP, on each database: each row gets a clear problem in both languages, and changes nothing."""

from __future__ import annotations

import contextlib
import json
import time
from types import SimpleNamespace

import httpx
import pytest
from support.faults.spoilt_requests import GOOD, SMILE, by, title
from support.tables.bad_input import CASES
from support.worlds.databases.dialects import DIALECTS
from support.worlds.registries.http_refusals import fresh, quiet, refused, rows
from support.worlds.registries.registry_world import ALICE, BOB, salt, work
from support.worlds.registries.site_world import beside, running_site

from deedlog.registry.acceptance.submission import CLOCK_TOLERANCE


@pytest.fixture(scope="module", params=DIALECTS)
def site(request, tmp_path_factory, fork_server):
    """A registry on each database."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    with running_site(tmp_path_factory.mktemp("site"), fork_server, url) as running:
        yield running


@pytest.fixture(scope="module")
def clients(site):
    """Whoever sends: with keys of all sorts, and to processes with other settings."""
    with contextlib.ExitStack() as stack:

        def keyed(name, *scopes):
            arguments = [part for scope in scopes for part in ("--scope", scope)]
            made = json.loads(site.local.deedlog("api-key", "new", name, *arguments, "--json"))
            headers = {"Authorization": f"Bearer {made['secret']}"}
            client = httpx.Client(base_url=site.local.url, headers=headers)
            return stack.enter_context(client), made["id"]

        uploader, batcher = keyed("uploader", "upload")[0], keyed("batcher", "batch")[0]
        revoked, number = keyed("revoked", "batch", "upload")
        site.local.deedlog("api-key", "revoke", str(number))
        closed = stack.enter_context(beside(site, DEEDLOG_WRITERS="keys"))
        tight = stack.enter_context(beside(site, DEEDLOG_QUOTA_PER_ADDRESS="1/day"))
        few = stack.enter_context(beside(site, DEEDLOG_QUOTA_PER_ACCOUNT="1/day"))
        used_up = site.body(work(content=b"the last of the quota", salt=salt("quota")), ALICE)
        assert few.post("/v1/statements", json=used_up).status_code == 201
        assert tight.post("/v1/statements", json=used_up).status_code == 200
        once = site.body(work(content=b"once", salt=salt("once")), ALICE)
        first = site.anyone.post("/v1/statements", json=once, headers={"Idempotency-Key": "table-1"})
        assert first.status_code == 201
        yield SimpleNamespace(
            anyone=site.anyone,
            platform=site.platform,
            uploader=uploader,
            batcher=batcher,
            revoked=revoked,
            closed=closed,
            tight=tight,
            few=few,
        )


@pytest.fixture(scope="module")
def database(site, clients):  # noqa: ARG001 - they accept statements of their own first
    """The URL of the registry's database, once all that was accepted is anchored."""
    quiet(site.local.database)
    return site.local.database


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named_in_both_languages_and_changes_nothing(site, clients, database, name):
    spoil, status, code, field, english, chinese = CASES[name]
    before = rows(database)
    sent = fresh(site, GOOD, ALICE)
    spoil(sent)
    client = getattr(clients, sent.who)
    problem = refused(client, sent, None)
    assert problem["status"] == status
    assert problem["code"].startswith(code) if code.endswith(".") else problem["code"] == code
    assert problem["field"] == field
    assert english in problem["detail"]
    assert "<" not in problem["detail"], "a parameter of the text was not given"
    translated = refused(client, sent, "zh-CN,zh;q=0.9,en;q=0.5")
    assert chinese in translated["detail"]
    assert {**translated, "detail": "", "params": {}} == {**problem, "detail": "", "params": {}}
    assert rows(database) == before


def test_the_request_that_the_table_spoils_is_good(site, database):
    """What is spoilt above is accepted as it stands, so each refusal is for what the case says."""
    answer = site.anyone.post("/v1/statements", json=site.body(GOOD, ALICE))
    assert answer.status_code == 201, answer.text
    quiet(database)


@pytest.mark.parametrize("text", ["a" * 200, SMILE * 200, "论" * 200, "\u200d".join("ab") * 60, "a"])
def test_titles_of_up_to_200_code_points_are_accepted_however_many_bytes(site, text):
    assert len(text.encode()) <= 800
    made = work(content=b"titled " + text.encode(), title=text, salt=salt(text))
    assert site.post(made, ALICE).status_code == 201


def test_a_clock_that_is_less_than_ten_minutes_ahead_is_accepted(site):
    assert CLOCK_TOLERANCE == 600
    made = work(content=b"a little ahead", madeAt=int(time.time()) + CLOCK_TOLERANCE - 60)
    assert site.post(made, ALICE).status_code == 201


def test_a_batch_names_bad_items_and_keeps_the_good_ones(site):
    good = site.body(work(content=b"good among bad", salt=salt("good among bad")), ALICE)
    spoilt = [fresh(site, GOOD, ALICE) for _ in range(3)]
    title("")(spoilt[0])
    by(BOB, named=ALICE)(spoilt[1])
    items = [spoilt[0].body, 7, good, None, spoilt[1].body, []]
    answer = site.platform.post("/v1/statements:batch", json={"statements": items}, headers={"Accept-Language": "zh"})
    results = answer.json()["results"]
    assert [item.get("outcome") or item["problem"]["code"] for item in results] == [
        *("text.empty", "json.not_an_object", "accepted", "json.not_an_object", "signature.signer"),
        "json.not_an_object",
    ]
    assert "请至少填写一个" in results[0]["problem"]["detail"]


def test_the_language_may_be_named_in_the_query(site):
    assert "没有这种声明类型" in site.anyone.get("/v1/statements?kind=Song&lang=zh").json()["detail"]
    assert "no such kind" in site.anyone.get("/v1/statements?kind=Song&lang=xx").json()["detail"]
