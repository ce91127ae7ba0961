"""The command line as an operator uses it: making a registry, API keys, and mistakes that are named."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys

import httpx
import pytest
from ports import free_port
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.session.waiting import PATIENCE, until


@pytest.fixture
def operator(tmp_path, fork_server):
    return CommandLineUser(
        tmp_path,
        fork_server,
        DEEDLOG_DATA=str(tmp_path / "data"),
        DEEDLOG_OPERATOR_PASSPHRASE_FILE=str(tmp_path / "passphrase"),
        DEEDLOG_LOG_PASSPHRASE_FILE=str(tmp_path / "passphrase"),
    )


INIT = ("init", "--origin", "deeds.example.com/log", "--owner", "0x" + "12" * 20, "--json")


def code(done):
    assert done.returncode >= 64
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)["error"]["code"]


def test_an_operator_makes_a_registry_once(operator):
    made = operator.run(*INIT)
    assert made.returncode == 0, made.stderr
    data = operator.folder / "data"
    assert b"ENCRYPTED" in (data / "log.pem").read_bytes()
    assert "scrypt" in (data / "operator.json").read_text()
    for name in ("log.pem", "operator.json"):
        assert (data / name).stat().st_mode & 0o077 == 0
    assert code(operator.run(*INIT)) == "file.exists"
    key = json.loads(operator.run("api-key", "new", "platform", "--scope", "upload", "--json").stdout)
    assert operator.run("api-key", "revoke", key["id"]).returncode == 0
    listed = json.loads(operator.run("api-key", "list", "--json").stdout)["keys"]
    assert listed[0]["revoked_at"] is not None
    assert "secret_hash" not in listed[0]
    # Settings that cannot be used are named, and nothing is touched.
    broken = operator.folder / "broken.sqlite"
    broken.write_bytes(b"no database " * 400)
    for expected, variable, value in (
        ("settings.invalid", "DEEDLOG_PORT", "70000"),
        ("settings.invalid", "DEEDLOG_PORT", "http"),
        ("settings.invalid", "DEEDLOG_PUBLIC_URL", "deeds.example.com"),
        ("settings.invalid", "DEEDLOG_WRITERS", "all"),
        ("settings.invalid", "DEEDLOG_QUOTA_PER_ACCOUNT", "lots"),
        ("settings.invalid", "DEEDLOG_ANCHOR_INTERVAL", "0"),
        ("database.url", "DEEDLOG_DATABASE_URL", "nonsense"),
        ("database.url", "DEEDLOG_DATABASE_URL", "mysql://u:p@127.0.0.1/x"),
        ("database.unreachable", "DEEDLOG_DATABASE_URL", f"sqlite:///{broken}"),
        ("chains.unknown", "DEEDLOG_CHAIN", "mars"),
        ("file.unreadable", "DEEDLOG_DATA", "nowhere"),
    ):
        assert code(operator.run("serve", "--json", **{variable: value})) == expected, (variable, value)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (("--origin", "two words"), "registry.origin"),
        (("--owner", "0x" + "00" * 20), "registry.account"),
        (("--owner", "0x12"), "hex.length"),
        (("--salt", "0x12"), "hex.length"),
    ],
)
def test_a_registry_that_cannot_be_leaves_no_key_behind(operator, wrong, expected):
    assert code(operator.run(*INIT, *wrong)) == expected
    assert not list(operator.folder.glob("data/*"))


PUBLIC = {"DEEDLOG_PUBLIC_URL": "https://deeds.example.com/site/"}


@pytest.mark.parametrize(
    ("given", "public", "expected"),
    [
        ("https://deeds.example.com/log", {}, "deeds.example.com/log"),
        ("deeds.example.com/log/", {}, "deeds.example.com/log"),
        ("deeds.example.com", {}, "deeds.example.com/log"),
        ("Deeds.example.com:443/log", {}, "deeds.example.com/log"),
        ("deeds.example.com/site", {}, "deeds.example.com/site/log"),
        ("deeds.example.com/log", PUBLIC, "deeds.example.com/site/log"),
        ("other.example.com/site/log", PUBLIC, "deeds.example.com/site/log"),
    ],
)
def test_an_origin_at_which_nobody_would_find_the_log_is_refused_with_the_right_one(operator, given, public, expected):
    owner = INIT[3:]
    refused = operator.run("init", "--origin", given, *owner, **public)
    assert code(refused) == "init.origin"
    assert json.loads(refused.stdout)["error"]["params"] == {"expected": expected}
    assert not list(operator.folder.glob("data/*"))
    made = operator.run("init", "--origin", expected, *owner, **public)
    assert json.loads(made.stdout)["origin"] == expected, made.stderr


def test_the_origin_follows_from_the_public_url(operator):
    owner = INIT[3:]
    assert code(operator.run("init", *owner)) == "init.no_origin"
    assert json.loads(operator.run("init", *owner, **PUBLIC).stdout)["origin"] == "deeds.example.com/site/log"


@contextlib.contextmanager
def serving(operator, **environment):
    port = str(free_port())
    said = operator.folder / f"serve-{port}.log"
    process = operator.fork_server.start(("serve", "--port", port), operator.environment | environment, said)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        until(lambda: client.get("/healthz").is_success, process.tail, not_yet=httpx.TransportError)
        yield client
    process.signal(signal.SIGTERM)
    process.wait()


def test_a_forwarded_address_is_believed_from_named_proxies_only(operator):
    assert operator.run(*INIT).returncode == 0
    statement = {"typed_data": {}, "signatures": [{"account": "0x" + "11" * 20, "signature": "0x00"}]}
    for proxies, last in (("", 429), ("127.0.0.1", 422)):
        with serving(operator, DEEDLOG_QUOTA_PER_ADDRESS="1/hour", DEEDLOG_TRUSTED_PROXIES=proxies) as client:
            answers = [
                client.post("/v1/statements", json=statement, headers={"X-Forwarded-For": address}).status_code
                for address in ("203.0.113.8", "203.0.113.9")
            ]
        assert answers == [422, last]


@pytest.mark.parametrize("ending", ["signal", "stdin"])
def test_a_worker_ends_cleanly_when_told_or_when_its_starter_is_gone(operator, ending):
    assert operator.run(*INIT).returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "deedlog.api.cli", "worker", "--until-stdin-ends"],
        env=operator.environment | {"DEEDLOG_RPC_URL": "http://127.0.0.1:1"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = process.stderr.readline()
    assert "chain.unreachable" in first or "no record of a deployment" in first
    if ending == "signal":
        process.terminate()
    else:
        process.stdin.close()
    assert process.wait(PATIENCE) == 0
    assert "Fatal" not in process.stderr.read()
