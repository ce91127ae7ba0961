"""The README's commands, run as written: only the names in capitals, ports and folders are the test's own."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
from click.testing import CliRunner
from ports import free_port
from support.worlds.chains.anvil import running_anvil
from support.worlds.session.waiting import PATIENCE, until

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.api.cli import cli

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text("utf-8")
SECTIONS = {
    title: re.findall(r"```\n(.*?)```", body, re.DOTALL)
    for title, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
}


def commands(title):
    return [line for block in SECTIONS[title] for line in block.strip().splitlines()]


def run(line, names, folder, environment, given=""):
    """Run one line of the README as a person would, typing `given`."""
    for name, value in names.items():
        line = re.sub(rf"\b{name}\b", str(value), line)
    words = shlex.split(line)
    words[0] = str(Path(sys.executable).parent / Path(words[0]).name)
    return subprocess.run(
        words,
        cwd=folder,
        env=os.environ | {"DEEDLOG_LANG": "en"} | environment,
        input=given,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )


def test_a_creators_and_a_verifiers_commands(local, tmp_path):
    environment = {"DEEDLOG_HOME": str(tmp_path / "home"), "DEEDLOG_URL": local.url}
    (tmp_path / "film.mp4").write_bytes(os.urandom(5000))
    names = {"VIDEO": "film.mp4"}
    new, register, prove, verify = commands("If you make videos")
    assert (
        run(new, names, tmp_path, environment, "backup.json\nfour words of mine\nfour words of mine\n").returncode == 0
    )
    done = run(register, names, tmp_path, environment, "y\nfour words of mine\n")
    assert done.returncode == 0, done.stdout + done.stderr
    names["DIGEST"] = re.search(r"Registered: (0x[0-9a-f]{64})", done.stdout)[1]
    done = run(prove, names, tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--registry ADDRESS --block-hash HASH" in done.stdout
    identity = json.loads((local.data / "identity.json").read_text("utf-8"))
    names["ADDRESS"] = "0x" + RegistryIdentity.from_json(identity, contracts()).address.hex()
    number = int(re.search(r"HASH is the hash of block ([0-9]+)", done.stdout)[1])
    names["HASH"] = "0x" + EvmChain(local.rpc_url).block_hash(number).hex()
    done = run(verify, names, tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    install, verify = commands("If you check somebody's bundle")
    assert install == "pip install ."  # done for real in test_base_install
    done = run(verify, names, tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out.html").exists()


def test_the_commands_of_those_who_share_a_work():
    """They are run in test_shares_commands; here, that they are what the command line takes."""
    words = [shlex.split(line) for line in commands("If several share a work")]
    assert len(words) == 10
    for _, *arguments in words:
        done = CliRunner().invoke(cli, [*arguments, "--help"])  # what it does not know it refuses before it helps
        assert done.exit_code == 0, done.output
    simulate = next(arguments for _, *arguments in words if "simulate" in arguments)
    accounts = ["0x" + "11" * 20 if "0xA" in word else "0x" + "22" * 20 for word in simulate]
    written = [re.sub(r"0x[AB]…", account, word) for word, account in zip(simulate, accounts, strict=True)]
    done = CliRunner().invoke(cli, [*written, "--json"])
    assert done.exit_code == 0, done.output
    paid = json.loads(done.output)["periods"][0]["paid"]
    assert sorted(map(int, paid.values())) == [125_000, 875_002]


def test_an_auditors_command(local, tmp_path):
    (line,) = commands("If you audit a registry")
    shown = httpx.get(f"{local.url}/v1/registry").json()
    (tmp_path / "kept").write_bytes(httpx.get(f"{local.url}/log/checkpoint").content)
    names = {"URL": local.url, "ADDRESS": shown["address"], "NODE": local.rpc_url, "FILE": "kept"}
    done = run(line, names, tmp_path, {})
    assert done.returncode == 0, done.stderr
    assert "earlier checkpoints compared: 1" in done.stdout


def test_a_platforms_command(local, tmp_path):
    (line,) = commands("If you run a platform")
    done = run(line, {}, tmp_path, local.environment())
    assert done.returncode == 0, done.stderr
    assert "deedlog_" in done.stdout


def test_a_platforms_program(local, tmp_path):
    """As written, but for URL and address of the registry; without the API key, or at another registry, it fails."""
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "film.mp4").write_bytes(os.urandom(3000))
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("your passphrase\n", "utf-8")
    made = re.search(r"# (deedlog key new --name \./platform\.json)\n", program)[1]
    done = run(f"{made} --backup stick.json --passphrase-file {passphrase}", {}, tmp_path, {})
    assert done.returncode == 0, done.stderr
    (line,) = commands("If you run a platform")
    secret = re.search(r"deedlog_\S+", run(line, {}, tmp_path, local.environment()).stdout)[0]
    assert program.count("\n") <= 25
    address = httpx.get(f"{local.url}/v1/registry").json()["address"]
    program = program.replace("http://127.0.0.1:8000", local.url).replace("ADDRESS", address)

    def go(text):
        environment = os.environ | {"DEEDLOG_API_KEY": secret}
        command = [sys.executable, "-c", text, "film.mp4"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    done = go(program)
    assert done.returncode == 0, done.stderr
    shown = httpx.get(f"{local.url}/v1/statements/{done.stdout.strip()}").json()
    assert shown["kind"] == "Upload"
    assert go(program).stdout == done.stdout  # the same upload again: answered with the first
    assert "api_key.scope" in go(program.replace(", api_key=api_key", "")).stderr
    elsewhere = go(program.replace(address, "0x" + "11" * 20))
    assert "typed_data.domain" in elsewhere.stderr  # what was signed for another registry is of no use here


def test_an_operators_commands(tmp_path):
    """On an anvil that calls itself Sepolia; the deployment itself, by ape, is tried in tests/contracts."""
    lines = commands("If you operate a registry")
    exports = dict(re.findall(r"(DEEDLOG_\w+)=(\S+)", "\n".join(line for line in lines if line.startswith("export"))))
    assert set(exports) == {
        *("DEEDLOG_DATA", "DEEDLOG_CHAIN", "DEEDLOG_RPC_URL", "DEEDLOG_PUBLIC_URL"),
        *("DEEDLOG_OPERATOR_PASSPHRASE_FILE", "DEEDLOG_LOG_PASSPHRASE_FILE"),
    }
    chains = json.loads((ROOT / "anchor/rpc/chains.json").read_text("utf-8"))
    chains["sepolia"]["poll_milliseconds"] = 200
    (tmp_path / "chains.json").write_text(json.dumps(chains), "utf-8")
    (tmp_path / "passphrase").write_text("of the operator\n", "utf-8")
    init, deploy, worker, serve, fsck = [line for line in lines if line.split()[0] in ("deedlog", ".venv/bin/ape")]
    assert deploy.startswith(".venv/bin/ape run deploy --network ethereum:sepolia:node")
    arguments = ("--chain-id", "11155111", "--slots-in-an-epoch", "1", "--block-time", "1")
    with running_anvil(*arguments) as chain:
        port = free_port()
        environment = {
            "DEEDLOG_DATA": str(tmp_path / "data"),
            "DEEDLOG_CHAIN": exports["DEEDLOG_CHAIN"],
            "DEEDLOG_CHAINS": str(tmp_path / "chains.json"),
            "DEEDLOG_PUBLIC_URL": exports["DEEDLOG_PUBLIC_URL"],
            "DEEDLOG_RPC_URL": chain.url,
            "DEEDLOG_OPERATOR_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
            "DEEDLOG_LOG_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
            "DEEDLOG_ANCHOR_INTERVAL": "1",
            "DEEDLOG_PORT": str(port),
        }
        made = run(init.replace("0x…", "0x" + "12" * 20), {}, tmp_path, environment)
        assert made.returncode == 0, made.stdout + made.stderr
        identity = RegistryIdentity.from_json(
            json.loads((tmp_path / "data/identity.json").read_text("utf-8")), contracts()
        )
        deployment = EvmChain(chain.url).deploy_local(identity)
        record = tmp_path / "data/deployments/11155111.json"
        record.parent.mkdir()
        record.write_text(json.dumps(deployment.to_json()), "utf-8")
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "deedlog.api.cli", *shlex.split(line)[1:]],
                env=os.environ | environment,
                stdout=subprocess.DEVNULL,
            )
            for line in (worker, serve)
        ]
        try:
            url = f"http://127.0.0.1:{port}"
            shown = until(lambda: httpx.get(f"{url}/v1/registry").json(), not_yet=httpx.HTTPError)
            assert shown["chain_id"] == 11155111
            assert shown["deployment"]["block"] == deployment.block
            example = httpx.get(f"{url}/openapi.json").json()["paths"]["/v1/statements"]["post"]
            body = example["requestBody"]["content"]["application/json"]["example"]
            digest = httpx.post(f"{url}/v1/statements?wait=logged", json=body).json()["digest"]
            until(lambda: httpx.get(f"{url}/v1/statements/{digest}").json()["state"] == "final")
            checked = run(fsck, {}, tmp_path, environment)
            assert checked.returncode == 0, checked.stdout + checked.stderr
            assert "all 1 of its heads" in checked.stdout
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                assert process.wait(PATIENCE) == 0


def test_the_two_commands_are_there():
    assert commands("Two commands") == ["./scripts/run --demo", "./scripts/test"]
    for line in commands("Two commands"):
        assert os.access(ROOT / line.split()[0], os.X_OK)
