"""The chains of a registry: chosen once, by `init`; no other is used; and it opens once it is deployed on all."""

from __future__ import annotations

import contextlib
import json
import signal
import stat
from pathlib import Path

import httpx
import pytest
from ports import free_port
from support.worlds.chains.anvil import running_anvil
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.session.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.api.cli.exit_codes import ExitCode

INIT = ("init", "--origin", "deeds.example.com/log", "--owner", "0x" + "12" * 20, "--json")
CHAINS = json.loads((Path(__file__).parents[3] / "anchor/rpc/chains.json").read_text("utf-8"))
LOCAL, BASE = 31337, 8453


@pytest.fixture
def operator(tmp_path, fork_server):
    chains = CHAINS | {"local": CHAINS["local"] | {"poll_milliseconds": 200}}
    (tmp_path / "chains.json").write_text(json.dumps(chains), "utf-8")
    return CommandLineUser(
        tmp_path,
        fork_server,
        DEEDLOG_DATA=str(tmp_path / "data"),
        DEEDLOG_CHAINS=str(tmp_path / "chains.json"),
        DEEDLOG_OPERATOR_PASSPHRASE_FILE=str(tmp_path / "passphrase"),
        DEEDLOG_LOG_PASSPHRASE_FILE=str(tmp_path / "passphrase"),
    )


def code(done, exit_code):
    assert done.returncode == exit_code, done.stdout + done.stderr
    return json.loads(done.stdout)["error"]["code"]


def identity(operator):
    path = operator.folder / "data/identity.json"
    return RegistryIdentity.from_json(json.loads(path.read_text("utf-8")), contracts())


@pytest.mark.parametrize(
    ("chosen", "configured", "expected"),
    [
        ((), {}, (LOCAL,)),
        ((), {"DEEDLOG_CHAIN": "base"}, (BASE,)),
        (("base",), {}, (BASE,)),
        (("sepolia", "base", "sepolia"), {"DEEDLOG_CHAIN": "ethereum"}, (BASE, 11155111)),
    ],
)
def test_init_lists_the_chains_that_it_is_given(operator, chosen, configured, expected):
    named = [word for name in chosen for word in ("--chain", name)]
    made = operator.run(*INIT, *named, **configured)
    assert made.returncode == 0, made.stdout + made.stderr
    assert json.loads(made.stdout)["chains"] == list(expected)
    assert identity(operator).chains == expected
    # Drafts and withheld statements are in this folder: nobody else on the machine may read it.
    assert stat.S_IMODE((operator.folder / "data").stat().st_mode) == 0o700


def test_chains_that_cannot_be_leave_nothing_behind(operator):
    assert code(operator.run(*INIT, "--chain", "mars"), ExitCode.SETTINGS) == "chains.unknown"
    numbered = {f"c{number}": CHAINS["base"] | {"chain_id": number} for number in range(1, 10)}
    (operator.folder / "chains.json").write_text(json.dumps(CHAINS | numbered), "utf-8")
    nine = [word for name in numbered for word in ("--chain", name)]
    assert code(operator.run(*INIT, *nine), ExitCode.USAGE) == "registry.chains"
    assert not list(operator.folder.glob("data/*"))
    assert operator.run(*INIT, *nine[2:]).returncode == 0


def test_a_chain_that_is_not_listed_needs_a_new_registry(operator):
    assert operator.run(*INIT, "--chain", "base").returncode == 0
    for command in ("serve", "worker", "fsck"):
        refused = operator.run(command, "--json")
        assert code(refused, ExitCode.SETTINGS) == "settings.chain_not_listed", command
    for language, words in (("en", "names this one as its predecessor"), ("zh", "声明本登记处为其前身")):
        assert words in operator.run("serve", DEEDLOG_LANG=language).stderr


@contextlib.contextmanager
def running(operator, url):
    """Run `serve --with-worker` on the local chain at `url`."""
    port = str(free_port())
    said = operator.folder / "said.log"
    environment = operator.environment | {"DEEDLOG_RPC_URL": url}
    process = operator.fork_server.start(("serve", "--with-worker", "--port", port), environment, said)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            until(lambda: client.get("/healthz").is_success, process.tail, not_yet=httpx.TransportError)
            yield client, said
    finally:
        process.signal(signal.SIGTERM)
        process.wait()


def record(operator, deployment, chain_id):
    path = operator.folder / f"data/deployments/{chain_id}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(deployment.to_json()), "utf-8")


def test_it_opens_once_it_is_deployed_on_all_its_chains(operator, shared_anvil):
    assert operator.run(*INIT, "--chain", "local", "--chain", "base").returncode == 0
    here = EvmChain(shared_anvil.url).deploy_local(identity(operator))
    record(operator, here, LOCAL)
    with running_anvil("--chain-id", str(BASE)) as base:
        there = EvmChain(base.url).deploy_local(identity(operator))
    with running(operator, shared_anvil.url) as (client, said):

        def alarms():
            return {alarm["code"]: alarm["detail"] for alarm in client.get("/readyz").json()["alarms"]}

        until(lambda: "chain.not_deployed" in alarms(), said.read_text)
        assert (client.get("/readyz").status_code, client.get("/readyz").json()["checks"]["deployed"]) == (503, False)
        assert str(BASE) in alarms()["chain.not_deployed"]
        assert str(LOCAL) not in alarms()["chain.not_deployed"]
        assert "has no record for 8453" in said.read_text("utf-8")
        record(operator, there, BASE)
        until(lambda: client.get("/readyz").status_code == 200, said.read_text)
        until(lambda: "chain.not_deployed" not in alarms(), said.read_text)


def test_a_record_under_another_chains_name_counts_for_none(operator, shared_anvil):
    assert operator.run(*INIT, "--chain", "local", "--chain", "base").returncode == 0
    here = EvmChain(shared_anvil.url).deploy_local(identity(operator))
    record(operator, here, LOCAL)
    record(operator, here, BASE)
    worker = operator.run("worker", "--json", DEEDLOG_RPC_URL=shared_anvil.url)
    assert code(worker, ExitCode.DATA) == "deployment.other_chain"
