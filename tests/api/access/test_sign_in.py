"""Signing in over HTTP, on each database, at two web processes: what is refused, and what a session opens."""

from __future__ import annotations

import calendar
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from sqlalchemy import create_engine, text
from support.faults.strange_server import answering
from support.tables.bad_sign_ins import CASES, Spoilt
from support.worlds.databases.dialects import DIALECTS
from support.worlds.registries.http_refusals import PROBLEM_MEMBERS
from support.worlds.registries.registry_world import ALICE, BOB, PLATFORM_KEY, salt, work
from support.worlds.registries.site_world import asked_to_sign, begin_session, beside, running_site, signed_message
from support.worlds.session.waiting import until

from deedlog.api.client.registry import Registry
from deedlog.api.http.sessions import SESSION_SECONDS
from deedlog.registry import times
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.sign_in import NONCE_SECONDS, read
from deedlog.registry.statements.signatures import account_of_private_key

ACCOUNT = to_checksum(account_of_private_key(ALICE))


@pytest.fixture(scope="module", params=DIALECTS)
def site(request, tmp_path_factory, fork_server):
    """A registry on each database."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    with running_site(tmp_path_factory.mktemp("site"), fork_server, url) as running:
        yield running


@pytest.fixture(scope="module")
def second(site):
    """A second web process of the same registry, reached at the same URL."""
    with beside(site, DEEDLOG_PUBLIC_URL=site.local.url) as client:
        yield client


@pytest.fixture(scope="module")
def engine(site):
    engine = create_engine(site.local.database)
    yield engine
    engine.dispose()


def counts(engine):
    with engine.connect() as connection:
        return tuple(
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() for table in ("sign_in_nonce", "session")
        )


def code(answer):
    body = answer.json()
    assert set(body) == PROBLEM_MEMBERS
    assert body["status"] == answer.status_code
    return body["code"]


def bearer(begun):
    return {"Authorization": f"Bearer {begun['token']}"}


def opened(client, headers):
    """Whether a session's token is taken: to look at the statements needs none, but a wrong one is refused."""
    answer = client.get("/v1/statements", headers=headers)
    return True if answer.status_code == 200 else code(answer)


def test_what_is_to_be_signed_names_the_registrys_own_url_whatever_the_host_header_says(site):
    body = {"account": ACCOUNT.lower()}
    before = int(time.time())
    answer = site.anyone.post("/v1/sessions/nonce", json=body, headers={"Host": "evil.example.com"})
    asked = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "private, no-store")
    message = read(asked["message"])
    assert (asked["domain"], asked["uri"]) == (site.local.url.removeprefix("http://"), site.local.url)
    assert (asked["chain_id"], asked["version"]) == (31337, "1")
    assert {name: asked[name] for name in ("domain", "uri", "chain_id", "nonce", "statement")} == {
        name: getattr(message, name) for name in ("domain", "uri", "chain_id", "nonce", "statement")
    }
    assert to_checksum(message.account) == ACCOUNT
    assert (asked["issued_at"], asked["expiration_time"]) == (
        times.show(message.issued_at),
        times.show(message.issued_at + NONCE_SECONDS),
    )
    assert before <= message.issued_at <= time.time()
    assert asked["nonce"] != asked_to_sign(site.anyone, ALICE)["nonce"]


def test_who_signs_is_signed_in_at_every_process_until_the_session_ends(site, second):
    asked = asked_to_sign(site.anyone, ALICE)
    before = int(time.time())
    answer = second.post("/v1/sessions", json=signed_message(asked["message"], ALICE))
    after = time.time()
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "private, no-store")
    begun = answer.json()
    assert begun["account"] == ACCOUNT
    assert re.fullmatch(r"deedsession_[A-Za-z0-9_-]{43}", begun["token"])
    ends = calendar.timegm(time.strptime(begun["expires_at"], "%Y-%m-%dT%H:%M:%SZ"))
    assert before + SESSION_SECONDS <= ends <= after + SESSION_SECONDS
    for client in (site.anyone, second):
        assert opened(client, bearer(begun)) is True
    ended = site.anyone.delete("/v1/sessions", headers=bearer(begun))
    assert (ended.status_code, ended.content) == (204, b"")
    for client in (site.anyone, second):
        assert opened(client, bearer(begun)) == "sign_in.session"
    assert code(second.delete("/v1/sessions", headers=bearer(begun))) == "sign_in.session"


def test_a_wallet_signs_the_text_as_it_is(site):
    """`personal_sign` as eth-account does it."""
    wallet = Account.from_key(BOB)
    asked = site.anyone.post("/v1/sessions/nonce", json={"account": wallet.address}).json()
    signature = to_hex(bytes(wallet.sign_message(encode_defunct(text=asked["message"])).signature))
    begun = site.anyone.post("/v1/sessions", json={"message": asked["message"], "signature": signature})
    assert (begun.status_code, begun.json()["account"]) == (201, wallet.address)


def test_a_wallet_reads_the_message_and_may_sign_one_of_its_own(site):
    program = Path(__file__).with_name("viem_wallet.mjs")
    done = subprocess.run(
        [Path(sys.executable).with_name("node"), program, site.local.url], capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout or "{}") == {"valid": True, "status": 201, "same": True}, done.stderr


@pytest.mark.parametrize("name", CASES)
def test_a_bad_sign_in_is_named_in_both_languages_and_leaves_the_nonce(site, engine, name):
    spoil, status, expected, field, english, chinese = CASES[name]
    asked = asked_to_sign(site.anyone, ALICE)
    sent = Spoilt(read(asked["message"]))
    assert sent.good == asked["message"]
    spoil(sent)
    before = counts(engine)
    for language, said in (("en", english), ("zh-CN,zh;q=0.9", chinese)):
        answer = site.anyone.post("/v1/sessions", content=sent.raw(), headers={"Accept-Language": language})
        problem = answer.json()
        assert (answer.status_code, code(answer), problem["field"]) == (status, expected, field)
        assert said in problem["detail"]
        assert "<" not in problem["detail"], "a parameter of the text was not given"
    assert counts(engine) == before
    good = site.anyone.post("/v1/sessions", json=signed_message(sent.good, ALICE))
    assert good.status_code == 201, good.text


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"{}", 422, "json.member_missing"),
        (b'{"account": "0x12"}', 422, "hex.length"),
        (b'{"account": "0x596ffe27E81cf2Aa1CD8d4e52F70F51c9373cC50"}', 422, "account.checksum"),
        (b'{"account": null}', 422, "json.null"),
        (b'{"account": 7}', 422, "hex.malformed"),
        (b'{"account": "%s", "domain": "evil.example.com"}' % ACCOUNT.encode(), 422, "json.member_unknown"),
        (b"", 400, "json.malformed"),
        (b"[" * 10_000, 400, "json.too_deep"),
        (b" " * 300_000, 413, "http.too_large"),
    ],
)
def test_who_asks_for_a_nonce_badly_gets_none(site, engine, body, status, expected):
    before = counts(engine)
    answer = site.anyone.post("/v1/sessions/nonce", content=body)
    assert (answer.status_code, code(answer)) == (status, expected)
    assert counts(engine) == before


def test_a_message_sent_again_is_refused_at_every_process(site, second):
    sent = signed_message(asked_to_sign(site.anyone, ALICE)["message"], ALICE)
    assert site.anyone.post("/v1/sessions", json=sent).status_code == 201
    for client in (site.anyone, second):
        assert code(client.post("/v1/sessions", json=sent)) == "sign_in.nonce"


def test_of_many_who_send_one_message_at_once_to_two_processes_one_is_signed_in(site, second):
    for _ in range(6):
        sent = signed_message(asked_to_sign(site.anyone, ALICE)["message"], ALICE)
        barrier, answers = threading.Barrier(8), []

        def send(url, sent=sent, barrier=barrier, answers=answers):
            with httpx.Client(base_url=url) as client:
                client.get("/healthz")  # connected
                barrier.wait()
                answers.append(client.post("/v1/sessions", json=sent))

        threads = [threading.Thread(target=send, args=(url,)) for url in [site.local.url, str(second.base_url)] * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers) == [201, *[422] * 7]
        assert {code(answer) for answer in answers if answer.status_code != 201} == {"sign_in.nonce"}


def test_a_process_at_another_url_takes_no_message_for_this_one(site):
    with beside(site) as elsewhere:
        asked = asked_to_sign(site.anyone, ALICE)
        assert asked_to_sign(elsewhere, ALICE)["domain"] != asked["domain"]
        sent = signed_message(asked["message"], ALICE)
        assert code(elsewhere.post("/v1/sessions", json=sent)) == "sign_in.domain"
        assert site.anyone.post("/v1/sessions", json=sent).status_code == 201


def test_a_port_that_the_system_chose_is_the_one_to_be_named(site):
    command = [sys.executable, "-m", "deedlog.api.cli", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, env=site.local.environment(), stdout=subprocess.PIPE) as process:
        url = json.loads(process.stdout.readline())["url"]
        with httpx.Client(base_url=url) as client:
            asked = until(lambda: asked_to_sign(client, ALICE), not_yet=httpx.TransportError)
            assert (asked["uri"], "http://" + asked["domain"]) == (url, url)
        process.terminate()


def test_a_nonce_and_a_session_are_over_by_the_registrys_clock(site, engine):
    sent = signed_message(asked_to_sign(site.anyone, ALICE)["message"], ALICE)
    begun = begin_session(site.anyone, ALICE)
    with engine.begin() as connection:
        connection.execute(text("UPDATE sign_in_nonce SET expires_at = :now"), {"now": int(time.time())})
        connection.execute(text("UPDATE session SET expires_at = :now"), {"now": int(time.time())})
    assert code(site.anyone.post("/v1/sessions", json=sent)) == "sign_in.nonce"
    assert opened(site.anyone, bearer(begun)) == "sign_in.session"
    begin_session(site.anyone, ALICE)
    assert counts(engine) == (0, 1)  # what was over is gone


def test_who_has_signed_in_sends_statements_as_anybody_does(site):
    headers = site.sign_in(ALICE)
    made = work(content=b"by somebody signed in", salt=salt("signed in"))
    assert site.post(made, ALICE, headers=headers).status_code == 201
    bobs = work(BOB, b"by another", salt=salt("by another"))
    assert site.post(bobs, BOB, headers=headers).status_code == 201  # the statement's signature counts
    batch = site.anyone.post("/v1/statements:batch", json={"statements": [site.body(made, ALICE)]}, headers=headers)
    assert (batch.status_code, code(batch)) == (403, "api_key.scope")


@pytest.mark.parametrize("path", ["/v1/statements", "/v1/statements:batch"])
def test_who_sends_statements_under_a_session_that_is_none_is_told(site, path):
    answer = site.anyone.post(path, json={}, headers={"Authorization": "Bearer deedsession_wrong"})
    assert (answer.status_code, code(answer)) == (401, "sign_in.session")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_only_who_has_signed_in_can_end_a_session(site):
    for headers in ({}, {"Authorization": site.platform.headers["Authorization"]}, {"Authorization": "Basic x"}):
        answer = site.anyone.delete("/v1/sessions", headers=headers)
        assert (answer.status_code, code(answer)) == (401, "sign_in.missing")
    twice = [("Authorization", "Bearer deedsession_a"), ("Authorization", "Bearer deedsession_b")]
    assert code(httpx.delete(f"{site.local.url}/v1/sessions", headers=twice)) == "http.header_twice"


def test_nonces_for_one_network_address_are_counted(site):
    with beside(site, DEEDLOG_QUOTA_PER_ADDRESS="3/day", DEEDLOG_PUBLIC_URL=site.local.url) as tight:
        begin_session(tight, ALICE)
        sent = signed_message(asked_to_sign(tight, ALICE)["message"], ALICE)
        for answer in (
            tight.post("/v1/sessions", json=sent),
            tight.post("/v1/sessions/nonce", json={"account": ACCOUNT}),
        ):
            assert (answer.status_code, code(answer)) == (429, "quota.exceeded")
        assert site.anyone.post("/v1/sessions", json=sent).status_code == 201


# The command line's client


def test_a_client_signs_in_and_makes_later_requests_as_the_account(site):
    with Registry(site.local.url + "/", key=ALICE) as client:
        client.sign_in()
        assert client.account == account_of_private_key(ALICE)
        token = f"Bearer {client._connection.bearer}"
        assert opened(site.anyone, {"Authorization": token}) is True
        statement = work(content=b"by a client", salt=salt("by a client"))
        digest = bytes.fromhex(site.post(statement, ALICE).json()["digest"][2:])
        assert client.statement(digest).state in ("accepted", "logged", "anchored", "final")
        client.sign_out()
        assert opened(site.anyone, {"Authorization": token}) == "sign_in.session"
        assert client.statement(digest)  # as nobody in particular
        with pytest.raises(InvalidData, match=r"sign_in\.missing"):
            client.sign_out()
    with Registry(site.local.url, key=PLATFORM_KEY, address=site.identity.address) as client:
        client.sign_in()
        assert client.account == account_of_private_key(PLATFORM_KEY)


def test_a_client_signs_nothing_where_another_site_is_named(site):
    """As when a page elsewhere hands on the registry's nonce, or a person typed another name of the machine."""
    by_name = site.local.url.replace("127.0.0.1", "localhost")
    with Registry(by_name, key=ALICE) as client, pytest.raises(InvalidData) as caught:
        client.sign_in()
    assert caught.value.code == "sign_in.other_site"
    assert caught.value.params == {"asked": by_name, "named": site.local.url}
    requests = []

    def relay(method, path, body):
        requests.append((method, path))
        answer = httpx.request(method, site.local.url + path, content=body)
        return answer.status_code, answer.content

    with answering(relay) as phishing, Registry(phishing, key=ALICE) as client:
        with pytest.raises(InvalidData, match=r"sign_in\.other_site"):
            client.sign_in()
        assert requests == [("POST", "/v1/sessions/nonce")]


@pytest.mark.parametrize(
    "begun",
    [
        b"[]",
        b"{}",
        b'{"token": "deedsession_x", "account": "%s"}' % to_checksum(account_of_private_key(BOB)).encode(),
        b'{"token": "a\\r\\nX-Evil: 1", "account": "%s"}' % ACCOUNT.encode(),
        b'{"token": 7, "account": "%s"}' % ACCOUNT.encode(),
    ],
)
def test_a_client_believes_no_strange_answer(begun):
    signed = []

    def strange(_method, path, body):
        if path == "/v1/sessions/nonce":
            named = {"domain": url.removeprefix("http://"), "uri": url, "chain_id": 1, "nonce": "12345678"}
            return 201, httpx.Request("POST", url, json=named | {"issued_at": times.show(int(time.time()))}).content
        signed.append(body)
        return 201, begun

    with answering(strange) as url, Registry(url, key=ALICE) as client:
        with pytest.raises(Unavailable, match=r"registry\.answered"):
            client.sign_in()
        assert client._connection.bearer is None
    assert len(signed) == 1
