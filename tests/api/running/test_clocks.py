"""A process whose clock is wrong beside right ones: it dates nothing, and the log's time stays right."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from support.worlds.crashes.fsck_and_audit import fsck_database
from support.worlds.registries.registry_world import ALICE, BOB, NOW, salt, work
from support.worlds.registries.site_world import running_site
from support.worlds.registries.wrong_clocks import wrong_beside, wrong_server
from support.worlds.session.waiting import until

from deedlog.registry import times
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.store.database import Database

YEAR = 365 * 24 * 3600


@pytest.fixture(scope="module")
def wrong():
    with wrong_server() as server:
        yield server


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory, fork_server, postgres):
    with running_site(tmp_path_factory.mktemp("clocks"), fork_server, postgres.new_database()) as site:
        yield site


@pytest.fixture
def on_sqlite(tmp_path, fork_server):
    with running_site(tmp_path / "site", fork_server) as site:
        yield site


def accounts(*keys):
    return map(account_of_private_key, keys)


def made(name, key=ALICE):
    # Made long ago also by a clock that is a year behind.
    return work(key, name.encode(), salt=salt(name), madeAt=NOW - 2 * YEAR)


def refused(client, code):
    """Wait until a web process says that it is not ready, and why."""
    answer = client.get("/readyz")
    shown = answer.json()
    return answer.status_code == 503 and not shown["checks"]["clock"] and code in [a["code"] for a in shown["alarms"]]


@pytest.mark.parametrize("ahead", [YEAR, -YEAR, 3600, -60])
def test_a_wrong_clock_beside_a_server_with_a_right_one_dates_nothing(on_postgres, wrong, ahead):
    site = on_postgres
    with wrong_beside(site, wrong, ahead) as client:
        assert refused(client, "clock.differs")
        for language, word in (("en", "clock"), ("zh", "时钟")):
            answer = site.post(made(f"wrong {ahead}"), ALICE, client=client, headers={"Accept-Language": language})
            assert (answer.status_code, answer.json()["code"]) == (503, "clock.differs")
            assert word in answer.json()["detail"]
            # The longer the server's answer takes, the less is certain.
            assert 0 < answer.json()["params"]["seconds"] <= abs(ahead) + 1
            assert int(answer.headers["retry-after"]) > 0
        before = times.now()
        # The right process is not disturbed, and dates by the server's clock, which is this machine's.
        digest = site.post(made(f"right {ahead}"), ALICE, wait=True).json()["digest"]
        shown = site.anyone.get(f"/v1/statements/{digest}").json()
        assert times.show(before) <= shown["accepted_at"] <= shown["entry_time"] <= times.show(times.now())
    assert site.anyone.get("/readyz").json()["checks"]["clock"]


def test_a_draft_is_not_dated_by_a_wrong_clock_either(on_postgres, wrong):
    site = on_postgres
    ours = work(ALICE, b"of two", salt=salt("of two"), creators=tuple(sorted(accounts(ALICE, BOB))))
    with wrong_beside(site, wrong, YEAR) as client:
        answer = client.post("/v1/drafts", json=site.body(ours, ALICE))
        assert (answer.status_code, answer.json()["code"]) == (503, "clock.differs")
    assert site.anyone.post("/v1/drafts", json=site.body(ours, ALICE)).status_code == 201


def test_where_each_process_has_its_own_clock_nothing_from_the_future_gets_into_the_log(on_sqlite, wrong):
    site = on_sqlite
    site.post(made("before"), ALICE, wait=True)
    size = site.anyone.get("/readyz").json()["log_size"]
    with wrong_beside(site, wrong, -YEAR) as client:  # behind: the newest record shows it
        assert refused(client, "clock.behind_log")
        assert site.post(made("a year ago"), ALICE, client=client).json()["code"] == "clock.behind_log"
    with wrong_beside(site, wrong, YEAR) as client:  # ahead: nothing in the database shows it
        assert site.post(made("in a year"), ALICE, client=client).status_code == 201
    # The worker does not log it and says so; the others see a record from the future, and add none after it.
    until(lambda: refused(site.anyone, "clock.behind_log"), "the alarm is raised")
    for language, word in (("en", "clock"), ("zh", "时钟")):
        answer = site.post(made("after"), ALICE, headers={"Accept-Language": language})
        assert (answer.status_code, answer.json()["code"]) == (503, "clock.behind_log")
        assert word in answer.json()["detail"]
    assert site.anyone.get("/readyz").json()["log_size"] == size
    # What is not logged can be dated again, as docs/operations.md says.
    database = Database(site.local.database)
    now = times.now()
    with database.write() as connection:
        connection.execute(
            text("UPDATE statement SET accepted_at = :now WHERE log_index IS NULL AND accepted_at > :now"), {"now": now}
        )
        connection.execute(text("UPDATE event SET at = :now WHERE at > :now"), {"now": now})
    database.close()
    assert until(lambda: (got := site.post(made("after"), ALICE, wait=True)).status_code == 201 and got)
    until(lambda: site.anyone.get("/readyz").json()["checks"]["clock"], "the alarm is over")
    assert site.anyone.get("/readyz").json()["log_size"] == size + 2
    fsck_database(site.local.database, site.identity)
