"""Many requests at once: none starves the others, and nobody uses up what is another's. No worker runs here."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.worlds.processes.threaded_server import serving
from support.worlds.registries.registry_world import ALICE, BOB, open_world, person, salt, work
from support.worlds.session.waiting import PATIENCE, until

from deedlog.api.app import create_app
from deedlog.api.http.routes import writing
from deedlog.api.settings import Settings
from deedlog.registry import times
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.store.database import Database

AT_ONCE = 90
"""More than the web process has threads, and than it has connections to the database."""

QUOTA = 5


@pytest.fixture
def world(tmp_path):
    return open_world(Database(f"sqlite:///{tmp_path / 'deedlog.sqlite'}"))


@pytest.fixture
def client(world, tmp_path, monkeypatch):
    (tmp_path / "identity.json").write_text(json.dumps(world.identity.to_json()), "utf-8")
    settings = Settings(data=tmp_path, quota_per_account=f"{QUOTA}/day", quota_per_address="100000/day")
    # Nobody is given up on while the others are still on their way, however long ninety take.
    monkeypatch.setattr(writing, "WAIT_SECONDS", PATIENCE)
    limits = {"limits": httpx.Limits(max_connections=200), "timeout": 2 * PATIENCE}
    with serving(create_app(settings)) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", **limits) as client:
        yield client
    world.database.close()


def body(world, statement, *keys):
    made = world.submission(statement, *keys)
    signatures = [
        {"account": to_checksum(item.account), "signature": to_hex(item.signature)} for item in made.signatures
    ]
    return {"typed_data": made.typed_data, "signatures": signatures}


def together(calls):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_lists_with_and_without_a_key_never_wait_for_each_others_connections(world, client):
    for number in range(100):
        world.accept(work(content=b"%d" % number, salt=salt(str(number))), ALICE)
    headers = {"Authorization": "Bearer deedlog_unknown"}
    answers = together(
        [lambda: client.get("/v1/statements")] * AT_ONCE
        + [lambda: client.get("/v1/statements", headers=headers)] * AT_ONCE
    )
    assert sorted({answer.status_code for answer in answers}) == [200, 401]


def test_requests_that_wait_to_be_logged_hold_up_nobody(world, client):
    answers = []

    def register(number):
        key = person(f"waiter {number}")
        statement = work(key, b"waiting %d" % number)
        answers.append(client.post("/v1/statements?wait=logged", json=body(world, statement, key)))

    threads = [threading.Thread(target=register, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    until(lambda: len(client.get("/v1/statements").json()["statements"]) == AT_ONCE, "all are accepted")
    assert not answers
    assert client.get("/healthz").status_code == 200
    world.now = times.now()  # the server dates what it accepts by the true clock
    world.sequence()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * AT_ONCE
    assert all(answer.json()["tlog_proof"].startswith("c2sp.org/tlog-proof@v1\n") for answer in answers)


def test_nobody_can_use_up_a_signers_quota_with_what_is_public(world, client):
    first = body(world, work(ALICE, b"first"), ALICE)
    assert client.post("/v1/statements", json=first).status_code == 201
    again = body(world, work(ALICE, b"first", salt=salt("again")), ALICE)
    for _ in range(3 * QUOTA):
        assert client.post("/v1/statements", json=first).json()["outcome"] == "known"
        assert client.post("/v1/statements", json=again).json()["outcome"] == "repeat"
    answers = [
        client.post("/v1/statements", json=body(world, work(ALICE, b"%d" % number), ALICE)) for number in range(QUOTA)
    ]
    assert [answer.status_code for answer in answers] == [201] * (QUOTA - 1) + [429]
    assert answers[-1].json()["code"] == "quota.exceeded"
    assert client.post("/v1/statements", json=body(world, work(BOB, b"bob"), BOB)).status_code == 201


def test_a_list_shows_some_rivals_and_says_that_there_are_more(world, client):
    names = [person(f"rival {number}") for number in range(8)]
    digests = [world.accept(work(key, b"wanted"), key).digest for key in names]
    content = {"content_hash": work(names[0], b"wanted").message()["contentHash"]}
    found = client.get("/v1/statements", params=content).json()["statements"]
    assert [len(item["rivals"]) for item in found] == [5] * 8
    assert all(item["more_rivals"] for item in found)
    alone = client.get(f"/v1/statements/{to_hex(digests[0])}").json()
    assert [rival["digest"] for rival in alone["rivals"]] == [to_hex(digest) for digest in digests[1:]]
    assert not alone["more_rivals"]
    assert alone["signatures"][0]["account"] == to_checksum(account_of_private_key(names[0]))
