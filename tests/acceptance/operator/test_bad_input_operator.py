"""What an operator can get wrong: chains, folders, keys, backups, ports. Each is named, and nothing is written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest
from ports import free_port
from support.worlds.chains.anvil import running_anvil
from support.worlds.commands.command_errors import refused
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.commands.folder_snapshot import unchanged
from support.worlds.processes.fork_server import ForkServer
from support.worlds.registries.forked_registry import forked_registry
from support.worlds.registries.http_refusals import quiet
from support.worlds.registries.registry_world import request_body, salt, work
from support.worlds.session.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.api.http import examples
from deedlog.registry.hexadecimal import to_hex

PASSPHRASES = ("operator", "log")


class Stopped:
    """A registry that was stopped, its chain still running; `old` is its database from before the last entries."""

    def __init__(self, folder: Path, fork_server: ForkServer) -> None:
        self.fork_server = fork_server
        self.local = forked_registry(folder / "data", fork_server)
        self.old = folder / "old.sqlite"
        self.identity = self.local.start()
        self._accept(b"before the backup")
        self._backup()
        self._accept(b"after the backup")
        quiet(f"sqlite:///{self.local.data / 'deedlog.sqlite'}")
        for process in self.local.processes.values():
            process.signal(signal.SIGTERM)
            assert process.wait("it stops") == 0

    def _accept(self, content: bytes) -> None:
        statement = work(examples.EXAMPLE_KEY, content, salt=salt(repr(content)))
        body = request_body(statement, self.identity.address, examples.EXAMPLE_KEY)
        answer = httpx.post(f"{self.local.url}/v1/statements?wait=logged", json=body)
        assert answer.status_code == 201, answer.text

    def _backup(self) -> None:
        with sqlite3.connect(self.local.data / "deedlog.sqlite") as source, sqlite3.connect(self.old) as target:
            source.backup(target)
        source.close()
        target.close()

    def copy(self, folder: Path) -> Operator:
        shutil.copytree(self.local.data, folder / "data")
        environment = {
            name: value.replace(str(self.local.data), str(folder / "data"))
            for name, value in self.local.environment().items()
            if name.startswith("DEEDLOG_")
        }
        return Operator(folder, environment, self)


class Operator(CommandLineUser):
    """Somebody who runs a copy of that registry."""

    def __init__(self, folder: Path, environment: dict[str, str], stopped: Stopped) -> None:
        super().__init__(folder, stopped.fork_server, **environment)
        self.data = folder / "data"
        self.stopped = stopped


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, fork_server):
    made = Stopped(tmp_path_factory.mktemp("stopped"), fork_server)
    yield made
    made.local.stop()


@pytest.fixture(scope="module")
def other_chain():
    with running_anvil("--chain-id", "5") as chain:
        yield chain.url


@pytest.fixture(scope="module")
def empty_chain():
    with running_anvil() as chain:
        yield chain.url


@pytest.fixture(scope="module")
def another(tmp_path_factory, fork_server):
    """The data folder of another registry."""
    person = CommandLineUser(tmp_path_factory.mktemp("another"), fork_server)
    settings = {"DEEDLOG_DATA": str(person.folder / "data")} | {
        f"DEEDLOG_{name.upper()}_PASSPHRASE_FILE": str(person.passphrase) for name in PASSPHRASES
    }
    made = person.run("init", "--origin", "other.example/log", "--owner", "0x" + "12" * 20, "--json", **settings)
    assert made.returncode == 0, made.stderr
    return person.folder / "data"


@pytest.fixture
def operator(stopped, tmp_path):
    return stopped.copy(tmp_path)


def worker(operator, **environment):
    return run(operator, "worker", **environment)


def run(operator, command, *more, **environment):
    return operator.run("--lang", "zh", command, "--json", *more, **environment)


@pytest.mark.parametrize("name", PASSPHRASES)
def test_a_wrong_passphrase_of_either_key_is_named(operator, name):
    wrong = operator.folder / "wrong"
    wrong.write_text("wrong\n", "utf-8")
    with unchanged(operator.data):
        done = worker(operator, **{f"DEEDLOG_{name.upper()}_PASSPHRASE_FILE": str(wrong)})
        refused(done, "key.wrong_passphrase", "Check the passphrase", "请检查口令")
    assert {"operator": "operator.json", "log": "log.pem"}[name] in done.stderr


@pytest.mark.parametrize("name", PASSPHRASES)
def test_a_passphrase_file_that_is_not_set_or_not_there_is_named(operator, name):
    variable = f"DEEDLOG_{name.upper()}_PASSPHRASE_FILE"
    with unchanged(operator.data):
        refused(worker(operator, **{variable: "none"}), "file.unreadable", "Check the path", "请检查路径")
        del operator.environment[variable]
        done = worker(operator)
        refused(done, "settings.passphrase_file", "Set it to a file that holds the key's", "存放密钥口令的文件")
    assert variable in done.stderr


@pytest.mark.parametrize("name", ["log.pem", "operator.json"])
def test_a_key_of_another_registry_is_named(operator, another, name):
    (operator.data / name).unlink()
    shutil.copy(another / name, operator.data / name)
    kind, code = {
        "log.pem": ("LOG", "log.other_key"),
        "operator.json": ("OPERATOR", "worker.other_operator"),
    }[name]
    with unchanged(operator.data):
        done = worker(operator, **{f"DEEDLOG_{kind}_PASSPHRASE_FILE": str(another.parent / "passphrase")})
        refused(done, code, f"DEEDLOG_{kind}_KEYFILE", f"DEEDLOG_{kind}_KEYFILE")


SAYS = {
    "chain.other_chain": {
        "en": "Check DEEDLOG_RPC_URL and DEEDLOG_CHAIN",
        "zh": "请检查 DEEDLOG_RPC_URL 与 DEEDLOG_CHAIN",
    },
    "chain.no_contract": {"en": "Deploy it (ape run deploy), or check", "zh": "请先部署"},
    "chain.unreachable": {
        "en": "Check DEEDLOG_RPC_URL",
        "zh": "请检查 DEEDLOG_RPC_URL",
    },
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", SAYS)
def test_what_is_wrong_with_the_chain_is_said_and_waited_for_and_nothing_is_written(request, operator, code, language):
    """A worker says so in its log within seconds, and signs nothing until it is right."""
    if code == "chain.unreachable":
        rpc_url = f"http://127.0.0.1:{free_port()}"
    else:
        rpc_url = request.getfixturevalue("other_chain" if code == "chain.other_chain" else "empty_chain")
    with unchanged(operator.data):
        environment = operator.environment | {"DEEDLOG_RPC_URL": rpc_url}
        process = operator.fork_server.start(
            ("--lang", language, "worker"), environment, operator.folder / "worker.log"
        )
        seen = until(lambda: upto(f"alarm={code}", process.said), process.tail)
        process.signal(signal.SIGTERM)
        assert process.wait("it stops") == 0
    assert SAYS[code][language] in seen, seen
    said = process.said.read_text("utf-8")
    assert "logged entries" not in said
    assert "Traceback" not in said


def upto(words, path):
    """Return the lines of a file up to the first that has those words; None where none has."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    number = next((number for number, line in enumerate(lines) if words in line and line.endswith("\n")), None)
    return None if number is None else "".join(lines[: number + 1])


def test_a_chain_without_a_node_of_its_own_asks_for_one(operator):
    del operator.environment["DEEDLOG_RPC_URL"]
    chains = operator.folder / "chains.json"
    known = json.loads(Path("anchor/rpc/chains.json").read_text("utf-8"))
    nowhere = {**known["local"], "rpc_url": None}
    chains.write_text(json.dumps({"local": nowhere}), "utf-8")
    with unchanged(operator.data):
        done = worker(operator, DEEDLOG_CHAINS=str(chains))
        refused(done, "settings.rpc_url", "Set DEEDLOG_RPC_URL", "请设置 DEEDLOG_RPC_URL")
        chains.write_text("{", "utf-8")
        refused(worker(operator, DEEDLOG_CHAINS=str(chains)), "chains.unreadable", "DEEDLOG_CHAINS", "DEEDLOG_CHAINS")
        chains.unlink()
        os.mkfifo(chains)  # is not waited for
        refused(worker(operator, DEEDLOG_CHAINS=str(chains)), "chains.unreadable", "DEEDLOG_CHAINS", "DEEDLOG_CHAINS")
        done = worker(operator, DEEDLOG_CHAIN="mars")
        refused(done, "chains.unknown", "Set DEEDLOG_CHAIN to one of", "请将 DEEDLOG_CHAIN 设为")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_data_folder_of_another_registry_is_refused(operator, another, command):
    shutil.copy(another / "identity.json", operator.data / "identity.json")
    with unchanged(operator.data):
        refused(
            run(operator, command), "database.other_registry", "both must belong to one registry", "必须属于同一登记处"
        )


@pytest.mark.parametrize("name", ["identity.json", "deployments/31337.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff", b"[" * 10_000])
def test_a_damaged_file_is_named(operator, name, content):
    (operator.data / name).write_bytes(content)
    with unchanged(operator.data):
        done = run(operator, "serve")
        refused(done, "file.damaged", "Restore it from a backup", "请从备份恢复")
    assert name in done.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_deployment_of_another_registry_is_refused(operator, another, command):
    path = operator.data / "deployments/31337.json"
    record = json.loads(path.read_text("utf-8"))
    address = RegistryIdentity.from_json(
        json.loads((another / "identity.json").read_text("utf-8")), contracts()
    ).address
    path.write_text(json.dumps({**record, "address": to_hex(address)}), "utf-8")
    with unchanged(operator.data):
        refused(run(operator, command), "deployment.other_registry", "Check DEEDLOG_DATA", "请检查 DEEDLOG_DATA")


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"size":1,"root":"0x11"}'])
def test_an_unreadable_file_of_what_was_signed_last_is_named(operator, content):
    (operator.data / "log.pem.last-signed").write_bytes(content)
    with unchanged(operator.data):
        done = worker(operator)
        refused(done, "log.last_signed_unreadable", "then remove the file", "工作进程会重新写入")


def test_an_old_backup_is_refused_and_nothing_is_signed(operator):
    for leftover in operator.data.glob("deedlog.sqlite*"):
        leftover.unlink()
    shutil.copy(operator.stopped.old, operator.data / "deedlog.sqlite")
    with unchanged(operator.data):
        done = worker(operator)
        refused(done, "log.database_behind", "Restore a newer one", "请恢复较新的备份")
    # Nor without the file that remembers what was signed: the contract remembers it too.
    (operator.data / "log.pem.last-signed").unlink()
    done = worker(operator)
    refused(done, "anchoring.database_behind", "Restore a newer backup", "请恢复较新的备份")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_that_is_none_or_of_another_form_is_refused(operator, command):
    path = operator.data / "deedlog.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with unchanged(operator.data):
        refused(run(operator, command), "database.newer", "Use the later version", "或恢复升级之前的备份")
        refused(run(operator, "migrate"), "database.newer", "Use the later version", "或恢复升级之前的备份")
    path.write_bytes(b"no database " * 400)
    for leftover in operator.data.glob("deedlog.sqlite-*"):
        leftover.unlink()
    with unchanged(operator.data):
        refused(run(operator, command), "database.unreachable", "restore a backup", "恢复备份")
    with unchanged(operator.data):
        nowhere = f"sqlite:///{operator.folder}/no/folder.sqlite"
        done = run(operator, command, DEEDLOG_DATABASE_URL=nowhere)
        refused(done, "database.unreachable", "check DEEDLOG_DATA", "请检查 DEEDLOG_DATA")


def test_a_port_in_use_is_named(operator):
    with socket.create_server(("127.0.0.1", 0)) as taken, unchanged(operator.data):
        done = run(operator, "serve", "--port", str(taken.getsockname()[1]))
        refused(done, "serve.port", "Choose another with --port", "请用 --port 另选")
        assert str(taken.getsockname()[1]) in done.stderr


def test_an_address_that_is_not_this_machines_is_named(operator):
    with unchanged(operator.data):
        for host in ("203.0.113.9", "no.such.host.invalid", "::::"):
            refused(run(operator, "serve", "--host", host), "serve.port", "--port", "--port")


def test_the_registry_is_made_once_and_only_in_a_place_that_can_be_written(operator):
    given = ("--origin", "deeds.example.com/log", "--owner", "0x" + "12" * 20)
    with unchanged(operator.data):
        refused(run(operator, "init", *given), "file.exists", "Choose another name", "或移走原文件")
        inside = str(operator.passphrase / "data")
        refused(run(operator, "init", *given, DEEDLOG_DATA=inside), "file.unwritable", "another place", "换个位置")
