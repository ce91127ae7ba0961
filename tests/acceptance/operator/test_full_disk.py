"""A full disk: what cannot be kept is not acknowledged, what is acknowledged is kept; room is all that is needed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import time

import httpx
import pytest
from ports import free_port
from support.faults.small_disk import limit, mounted, unlimit
from support.worlds.commands.command_errors import refused
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.commands.folder_snapshot import snapshot
from support.worlds.registries.registry_world import request_body, salt, work
from support.worlds.session.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.api.http import examples
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.eip712 import domain_separator

NOT_NOW = {"database.unavailable", "statement.not_kept"}
ROOM = "64m"


def made(folder, fork_server, *, within=None):
    """Return an operator whose registry's data is in `folder`."""
    person = CommandLineUser(
        folder,
        fork_server,
        DEEDLOG_DATA=str((within or folder) / "data"),
        DEEDLOG_QUOTA_PER_ACCOUNT="1000000/day",
        DEEDLOG_QUOTA_PER_ADDRESS="1000000/day",
        DEEDLOG_OPERATOR_PASSPHRASE_FILE=str(folder / "passphrase"),
        DEEDLOG_LOG_PASSPHRASE_FILE=str(folder / "passphrase"),
        DEEDLOG_RPC_URL="http://127.0.0.1:1",
    )
    person.data = (within or folder) / "data"
    return person


INIT = ("init", "--origin", "deeds.example.com/log", "--owner", "0x" + "12" * 20, "--json")


def initialised(folder, fork_server, *, within=None):
    person = made(folder, fork_server, within=within)
    done = person.run(*INIT)
    assert done.returncode == 0, done.stderr
    return person


@contextlib.contextmanager
def serving(person):
    port = free_port()
    said = person.folder / f"serve-{port}.log"
    process = person.fork_server.start(("serve", "--port", str(port)), person.environment, said)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            until(lambda: client.get("/healthz").is_success, process.tail, not_yet=httpx.TransportError)
            yield client, process
    finally:
        process.kill()
        process.wait()


class Sender:
    """Sends one statement after the other; remembers which were acknowledged."""

    def __init__(self, person) -> None:
        path = person.data / "identity.json"
        self.registry = RegistryIdentity.from_json(json.loads(path.read_text("utf-8")), contracts()).address
        self.kept: list[str] = []
        self.refused: list[dict] = []
        self._number = 0

    def next(self):
        self._number += 1
        content = b"content %d" % self._number
        statement = work(examples.EXAMPLE_KEY, content, salt=salt(repr(content)), title="长" * 200)
        digest = to_hex(statement.digest(domain_separator(self.registry)))
        return digest, request_body(statement, self.registry, examples.EXAMPLE_KEY)

    def send_until_refused(self, client, most=3000):
        for _ in range(most):
            digest, body = self.next()
            answer = client.post("/v1/statements", json=body)
            if answer.status_code != 201:
                self.refused.append(body)
                return answer
            self.kept.append(digest)
        pytest.fail("the disk is not full")

    def all_are_there(self, client):
        for digest in self.kept:
            assert client.get(f"/v1/statements/{digest}").status_code == 200


def _full_and_free_again(person, fill, free):
    sender = Sender(person)
    with serving(person) as (client, process):
        digest, body = sender.next()
        assert client.post("/v1/statements", json=body).status_code == 201
        sender.kept.append(digest)
        fill(process.pid)
        for language, text in (("en", "Send the same request again"), ("zh", "请重新发送同一请求")):
            answer = sender.send_until_refused(client)
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.status_code, answer.json()["code"] in NOT_NOW) == (503, True), answer.text
            assert answer.headers["retry-after"]
            again = client.post("/v1/statements", json=sender.refused[-1], headers={"Accept-Language": language})
            assert again.status_code == 503
            if again.json()["code"] == "database.unavailable":
                assert text in again.json()["detail"]
        # Reading goes on.
        sender.all_are_there(client)
        assert client.get("/log/checkpoint").status_code == 200
        free(process.pid)
        for body in sender.refused:
            assert client.post("/v1/statements", json=body).json()["outcome"] in ("accepted", "known")
        process.kill()
        process.wait()
    with serving(person) as (client, _):
        sender.all_are_there(client)
        for body in sender.refused:
            assert client.post("/v1/statements", json=body).json()["outcome"] == "known"


def test_a_web_process_that_can_write_no_more_loses_no_acknowledgement_and_goes_on_when_it_can(tmp_path, fork_server):
    person = initialised(tmp_path, fork_server)
    size = 0

    def fill(pid):
        nonlocal size
        size = max(path.stat().st_size for path in person.data.glob("deedlog.sqlite*"))
        limit(pid, size + 4096)

    _full_and_free_again(person, fill, unlimit)


def test_a_web_process_on_a_full_disk_loses_no_acknowledgement_and_goes_on_when_there_is_room(tmp_path, fork_server):
    with mounted(tmp_path / "disk", "16m") as disk:
        person = initialised(tmp_path, fork_server, within=disk.folder)
        _full_and_free_again(person, lambda _pid: disk.fill(), lambda _pid: disk.free())


def test_a_registry_begun_on_a_full_disk_is_finished_when_there_is_room(tmp_path, fork_server):
    with mounted(tmp_path / "disk", "40k") as disk:
        person = made(tmp_path, fork_server, within=disk.folder)
        done = person.run("--lang", "zh", *INIT)
        assert done.returncode == 69
        assert "Traceback" not in done.stderr
        assert json.loads(done.stdout)["error"]["code"] in ("database.unreachable", "database.unavailable")
        assert not (person.data / "identity.json").exists()
        disk.grow(ROOM)
        done = person.run(*INIT)
        assert done.returncode == 0, done.stderr
        with serving(person) as (client, _):
            assert client.get("/readyz").status_code in (200, 503)  # no worker runs here


def test_an_api_key_that_cannot_be_kept_is_not_given_out(tmp_path, fork_server):
    with mounted(tmp_path / "disk", "16m") as disk:
        person = initialised(tmp_path, fork_server, within=disk.folder)
        given = ("--lang", "zh", "api-key", "new", "长" * 200, "--json")
        with serving(person) as (client, _):
            disk.fill()
            Sender(person).send_until_refused(client)
            done = person.run(*given)
            refused(done, "database.unavailable", "its disk may be full", "磁盘可能已满")
            assert "secret" not in done.stdout
        done = person.run(*given)  # killed with a disk still full: perhaps it cannot even be opened
        assert done.returncode == 69
        assert json.loads(done.stdout)["error"]["code"] in ("database.unreachable", "database.unavailable")
        disk.free()
        assert person.run(*given).returncode == 0
        assert len(json.loads(person.run("api-key", "list", "--json").stdout)["keys"]) == 1


@pytest.fixture
def full(tmp_path):
    with mounted(tmp_path / "disk", "64k") as disk:
        disk.fill()
        yield disk


def test_a_statement_that_cannot_be_kept_is_not_sent(tmp_path, fork_server, full, local):
    person = CommandLineUser(tmp_path, fork_server)
    person.cheap_key()
    (tmp_path / "video.mp4").write_bytes(os.urandom(64))
    size = httpx.get(f"{local.url}/readyz").json()["log_size"]
    given = ("register", "video.mp4", "--title", "t", "--credited-as", "c", "--yes", "--url", local.url)
    given += ("--passphrase-file", person.passphrase, "--key", tmp_path / "home/keys/default.json", "--json")
    before = snapshot(full.folder)
    done = person.run("--lang", "zh", *given, DEEDLOG_HOME=str(full.folder))
    refused(done, "file.unwritable", "Make room", "请腾出空间")
    assert [
        name for name in snapshot(full.folder) if name not in before and snapshot(full.folder)[name] != "folder"
    ] == []
    full.free()
    assert person.run(*given, DEEDLOG_HOME=str(full.folder)).returncode == 0
    assert httpx.get(f"{local.url}/readyz").json()["log_size"] <= size + 1


def test_a_bundle_or_a_report_that_cannot_be_written_leaves_the_one_before(tmp_path, fork_server, full, local):
    person = CommandLineUser(tmp_path, fork_server)
    person.cheap_key()
    (tmp_path / "video.mp4").write_bytes(os.urandom(64))
    given = ("register", "video.mp4", "--title", "t", "--credited-as", "c", "--yes", "--url", local.url, "--json")
    digest = json.loads(person.run(*given, "--passphrase-file", person.passphrase).stdout)["digest"]
    target = full.folder / "my.deed"
    full.free()
    prove = ("prove", digest, "-o", target, "--wait", "--url", local.url, "--json")
    assert person.run(*prove).returncode == 0
    older = json.loads(target.read_text("utf-8"))
    older["tlog_proof"] = older.pop("anchors")[0]["tlog_proof"]
    target.write_text(json.dumps(older, ensure_ascii=False), "utf-8")  # an older state, which would be replaced
    full.fill()
    before = snapshot(full.folder)
    refused(person.run("--lang", "zh", *prove), "file.unwritable", "Make room", "请腾出空间")
    done = person.run("--lang", "zh", "verify", target, "--report", full.folder / "out.html", "--json")
    refused(done, "file.unwritable", "Make room", "请腾出空间")
    assert snapshot(full.folder) == before


def test_a_key_without_its_backup_is_not_made(tmp_path, fork_server, full):
    person = CommandLineUser(tmp_path, fork_server)
    given = ("key", "new", "--passphrase-file", person.passphrase, "--json")
    done = person.run("--lang", "zh", *given, "--backup", full.folder / "copy.json")
    refused(done, "file.unwritable", "Make room", "请腾出空间")
    assert not (tmp_path / "home/keys/default.json").exists()
    assert person.run(*given, "--backup", "copy.json").returncode == 0


def test_a_report_goes_to_a_device_or_a_pipe_and_does_not_replace_it(tmp_path, fork_server, local):
    person = CommandLineUser(tmp_path, fork_server)
    person.cheap_key()
    (tmp_path / "video.mp4").write_bytes(os.urandom(64))
    given = ("register", "video.mp4", "--title", "t", "--credited-as", "c", "--yes", "--url", local.url, "--json")
    digest = json.loads(person.run(*given, "--passphrase-file", person.passphrase).stdout)["digest"]
    local.await_logged(digest)
    assert person.run("prove", digest, "-o", "my.deed", "--url", local.url).returncode == 0
    shown = person.run("verify", "my.deed", "--report", "/dev/stdout")
    assert "<!doctype html>" in shown.stdout.lower()
    refused(
        person.run("--lang", "zh", "verify", "my.deed", "--report", "/dev/full", "--json"),
        *("file.unwritable", "Make room", "请腾出空间"),
    )
    (tmp_path / "link.html").symlink_to("page.html")
    (tmp_path / "circle").symlink_to("circle")
    for link in ("link.html", "circle"):
        refused(
            person.run("--lang", "zh", "verify", "my.deed", "--report", link, "--json"),
            *("file.link", "the file itself", "文件本身"),
        )
        assert (tmp_path / link).is_symlink()
    assert not (tmp_path / "page.html").exists()


def test_a_worker_on_a_full_disk_logs_nothing_and_goes_on_when_there_is_room(tmp_path, fork_server, shared_anvil):
    with mounted(tmp_path / "disk", "16m") as disk:
        person = initialised(tmp_path, fork_server, within=disk.folder)
        written = json.loads((person.data / "identity.json").read_text("utf-8"))
        identity = RegistryIdentity.from_json(written, contracts())
        EvmChain(shared_anvil.url).deploy_local(identity)
        person.environment["DEEDLOG_RPC_URL"] = shared_anvil.url
        with serving(person) as (client, _):
            sender = Sender(person)
            disk.fill()
            sender.send_until_refused(client)
            with working(person) as worker:
                time.sleep(4)  # it has the time to log something, and must not
                assert client.get("/readyz").json()["log_size"] == 0
                disk.free()
                ended = worker.ended.is_set()
                if not ended:
                    _until_logged(client, len(sender.kept))
            said = worker.said.read_text("utf-8")
            assert "Traceback" not in said, said
            if ended:  # it says why, and whoever keeps it running starts it again
                assert worker.code >= 64
                assert "disk" in said
                with working(person):
                    _until_logged(client, len(sender.kept))


@contextlib.contextmanager
def working(person):
    said = person.folder / f"worker-{secrets.token_hex(4)}.log"
    worker = person.fork_server.start(("worker",), person.environment, said)
    try:
        yield worker
    finally:
        worker.signal(signal.SIGTERM)
        worker.wait()


def _until_logged(client, size):
    until(lambda: client.get("/readyz").json()["log_size"] >= size, "all is logged")
