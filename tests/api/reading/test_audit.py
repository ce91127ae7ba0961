"""`deedlog audit` over HTTP: a real registry in order, and servers that lie, stall, cut off or send too much."""

from __future__ import annotations

import json
import random

import httpx
import pytest
from support.faults.strange_server import answering
from support.worlds.chains.anvil import running_anvil
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.logs.memory_log import KEY, LOG_KEY, MemoryLog, entry
from support.worlds.registries.registry_world import ALICE, identity, work

from deedlog.anchor.audit.audit import audit_log
from deedlog.api.client.log_client import ServedLog
from deedlog.registry.errors import Unavailable, VerificationError
from deedlog.registry.hexadecimal import to_checksum, to_hex

SOUND = [entry(number) for number in range(600)]
IDENTITY = identity(LOG_KEY)


@pytest.fixture(scope="module")
def sound():
    return MemoryLog(SOUND)


def serve(log, change=None):
    """Serve a log; `change(path, content)` gives (status, content) of what is lied about."""

    def answer(_method, path, _body):
        if path == "/v1/registry":
            content = json.dumps({"identity": IDENTITY.to_json()}).encode()
        elif path == "/log/checkpoint":
            content = log.note
        else:
            content = log.served.get(path.removeprefix("/log/"))
        if change is not None:
            return change(path, content)
        return (404, b"") if content is None else (200, content)

    return answering(answer)


def audited(url):
    with ServedLog(url, pauses=[0.001] * 3) as log:
        return audit_log(log, KEY)


def test_a_log_over_http(sound):
    with serve(sound) as url:
        report = audited(url)
    assert (report.checkpoint.root, report.signatures) == (sound.root, 600)


def test_one_flipped_bit_in_anything_served_is_named(sound):
    choose = random.Random(11)
    lies = {}
    with serve(sound, lambda path, honest: (200, lies.get(path, honest))) as url:
        for name, data in [("checkpoint", sound.note), *sorted(sound.served.items())]:
            for _ in range(4):
                at = choose.randrange(len(data))
                lies = {f"/log/{name}": data[:at] + bytes([data[at] ^ 1 << choose.randrange(8)]) + data[at + 1 :]}
                with pytest.raises(VerificationError) as caught:
                    audited(url)
                expected = ("audit.checkpoint",) if name == "checkpoint" else ("audit.bundle", "audit.tile")
                assert caught.value.code in expected
                assert name == "checkpoint" or caught.value.params["path"].split("/")[2] == name.split("/")[2]


@pytest.mark.parametrize(
    ("lied_about", "status", "content", "code"),
    [
        ("tile/entries/001", 404, b"", "audit.not_there"),
        ("tile/0/002.p/88", 410, b"", "audit.not_there"),
        ("tile/0/000", 200, bytes(8193), "audit.too_long"),
        ("tile/1/000.p/2", 200, b"", "audit.tile_size"),
        ("checkpoint", 200, b"x" * (512 * 1024 + 1), "audit.too_long"),
        ("checkpoint", 200, b"", "audit.checkpoint"),
        ("checkpoint", 404, b"", "audit.not_there"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_served_wrongly(sound, lied_about, status, content, code):
    def change(path, honest):
        return (status, content) if path == f"/log/{lied_about}" else (200, honest)

    with serve(sound, change) as url, pytest.raises(VerificationError) as caught:
        audited(url)
    assert caught.value.code == code


def test_an_endless_bundle_is_not_read_to_its_end():
    small = MemoryLog(SOUND[:2])
    endless = bytes(2 * 65_537 + 1)

    def change(path, honest):
        return 200, endless if "entries" in path else honest

    with serve(small, change) as url, pytest.raises(VerificationError) as caught:
        audited(url)
    assert (caught.value.code, caught.value.params["maximum"]) == ("audit.too_long", 2 * 65_537)


@pytest.mark.parametrize(("status", "tries"), [(503, 4), (500, 4), (429, 4), (403, 1), (301, 1)])
def test_what_cannot_be_read_is_tried_again_where_that_may_help_and_is_not_called_wrong(sound, status, tries):
    asked = []

    def change(path, honest):
        asked.append(path)
        return (status, b"") if path == "/log/tile/0/001" else (200, honest)

    with serve(sound, change) as url, pytest.raises(Unavailable) as caught:
        audited(url)
    assert (caught.value.code, caught.value.params["status"]) == ("registry.answered", status)
    assert asked.count("/log/tile/0/001") == tries


def test_a_fault_that_passes_is_no_fault(sound):
    failed = set()

    def change(path, honest):
        if path in failed:
            return 200, honest
        failed.add(path)
        return 503, b""

    with serve(sound, change) as url:
        assert audited(url).signatures == 600


def test_a_log_that_grows_meanwhile(sound):
    longer = MemoryLog([*SOUND, *(entry(number) for number in range(600, 800))])

    def change(path, honest):
        # The checkpoint is the older one; tiles are those of now, which have the older parts too.
        name = path.removeprefix("/log/")
        return 200, sound.served.get(name, longer.served.get(name)) or honest

    with serve(sound, change) as url:
        assert audited(url).checkpoint.size == 600


@pytest.mark.parametrize(
    ("url", "code"), [("http://127.0.0.1:1", "fetch.unreachable"), ("http://[", "fetch.url"), ("no url", "fetch.url")]
)
def test_nobody_there(url, code):
    with pytest.raises(Unavailable) as caught:
        audited(url)
    assert caught.value.code == code


def run(person, *arguments):
    done = person.run("audit", *arguments, "--json")
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_command_on_a_sound_log_and_its_answers(sound, tmp_path, fork_server):
    person = CommandLineUser(tmp_path, fork_server)
    kept, other = tmp_path / "kept", tmp_path / "other"
    kept.write_bytes(MemoryLog.signed(300, sound.root_of(300)))
    other.write_bytes(MemoryLog.signed(300, bytes(32)))
    address = to_checksum(IDENTITY.address)
    with serve(sound) as url:
        code, said = run(person, url, "--registry", address, "--checkpoint", kept)
        assert code == 0
        assert said == {
            "registry": address,
            "origin": "deeds.example.com/log",
            "size": 600,
            "root": to_hex(sound.root),
            "signatures": 600,
            "checkpoints": 1,
            "contract": {"checked": False, "heads": None, "dated_back": None},
            "pinned": True,
        }
        code, said = run(person, url)
        assert (code, said["pinned"]) == (2, False)
        done = person.run("audit", url)
        assert "Contract: not checked." in done.stdout
        assert "says of itself" in done.stdout
        assert done.stderr == ""  # no bar where no terminal is
        assert "合约：未查" in person.run("--lang", "zh", "audit", url).stdout
        code, said = run(person, url, "--checkpoint", kept, "--checkpoint", other)
        assert (code, said["error"]["code"]) == (1, "audit.forked")
        code, said = run(person, url, "--registry", "0x" + "11" * 20)
        assert (code, said["error"]["code"]) == (1, "registry.other")
        code, said = run(person, url, "--rpc", "http://127.0.0.1:1")
        assert (code, said["error"]["code"]) == (2, "node.unreachable")
        code, said = run(person, url, "--checkpoint", tmp_path / "missing")
        assert (code, said["error"]["code"]) == (66, "file.unreadable")

    def change(path, honest):
        return 200, bytes(len(honest)) if path == "/log/tile/0/001" else honest

    with serve(sound, change) as url:
        code, said = run(person, url)
        assert (code, said["error"]["code"]) == (1, "audit.tile")
    code, said = run(person, "http://127.0.0.1:1")
    assert (code, said["error"]["code"]) == (2, "fetch.unreachable")


PORTAL = b"<!DOCTYPE html><title>Free Wi-Fi</title>" * 9


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("checkpoint", PORTAL, "audit.checkpoint"),
        ("checkpoint", MemoryLog.signed(1, bytes(32)).replace(b"\n", b"\r\n"), "audit.checkpoint"),
        ("tile/entries/001", PORTAL, "audit.bundle"),
        ("tile/0/001", PORTAL, "audit.tile_size"),
        ("tile/0/001", PORTAL * 100, "audit.too_long"),
    ],
)
def test_what_is_no_answer_of_a_log_accuses_nobody(sound, tmp_path, fork_server, path, content, code):
    person = CommandLineUser(tmp_path, fork_server)
    with serve(sound, lambda asked, honest: (200, content if asked == f"/log/{path}" else honest)) as url:
        done = person.run("audit", url, "--registry", to_checksum(IDENTITY.address), "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, code)
    assert "accuses nobody" in done.stderr
    if content == PORTAL and path == "checkpoint":
        assert "Free Wi-Fi" in done.stderr


@pytest.mark.parametrize(
    "edited",
    [
        lambda note: b"\xef\xbb\xbf" + note,
        lambda note: note.replace(b"\n", b"\r\n"),
        lambda note: note.removesuffix(b"\n"),
        lambda note: b"\xef\xbb\xbf" + note.replace(b"\n", b"\r\n").removesuffix(b"\r\n"),
    ],
)
def test_a_kept_checkpoint_survives_editors_and_systems(sound, tmp_path, fork_server, edited):
    person = CommandLineUser(tmp_path, fork_server)
    kept = tmp_path / "kept"
    kept.write_bytes(edited(MemoryLog.signed(300, sound.root_of(300))))
    with serve(sound) as url:
        code, said = run(person, url, "--registry", to_checksum(IDENTITY.address), "--checkpoint", kept)
    assert (code, said["checkpoints"]) == (0, 1)


def test_an_older_checkpoint_than_the_kept_one_is_no_proof(sound, tmp_path, fork_server):
    person = CommandLineUser(tmp_path, fork_server)
    kept = tmp_path / "kept"
    kept.write_bytes(MemoryLog.signed(700, bytes(32)))
    with serve(sound) as url:
        done = person.run("audit", url, "--checkpoint", kept)
    assert done.returncode == 2
    assert sound.note.decode() in done.stderr  # to keep it with the other


def test_the_newest_checkpoint_is_kept_from_audit_to_audit(sound, tmp_path, fork_server):
    person = CommandLineUser(tmp_path, fork_server)
    state, registry = tmp_path / "state", to_checksum(IDENTITY.address)
    longer = MemoryLog([*SOUND, *(entry(number) for number in range(600, 700))])
    another = MemoryLog([entry(number) for number in range(1, 800)])
    for log, compared in ((sound, 0), (sound, 1), (longer, 1)):
        with serve(log) as url:
            code, said = run(person, url, "--registry", registry, "--keep", state)
        assert (code, said["checkpoints"], state.read_bytes()) == (0, compared, log.note)
    with serve(another) as url:
        done = person.run("audit", url, "--registry", registry, "--keep", state)
    assert done.returncode == 1
    assert "signed two histories" in done.stderr
    assert another.note.decode() in done.stderr
    assert state.read_bytes() == longer.note  # the proof stays
    with serve(sound) as url:
        assert person.run("audit", url, "--keep", state).returncode == 2
    assert state.read_bytes() == longer.note
    video = tmp_path / "video.mp4"
    video.write_bytes(b"not a checkpoint")
    with serve(sound) as url:
        assert person.run("audit", url, "--keep", video).returncode == 65
        assert person.run("audit", url, "--checkpoint", state, "--keep", state).returncode == 73
    assert (video.read_bytes(), state.read_bytes()) == (b"not a checkpoint", longer.note)


def test_what_is_at_the_address_on_a_chain_that_is_not_listed_is_not_the_contract(sound, tmp_path, fork_server):
    """Only somebody who made the whole chain can have put code there."""
    person = CommandLineUser(tmp_path, fork_server)
    with serve(sound) as url, running_anvil("--chain-id", "8453") as chain:
        chain.request("anvil_setCode", to_checksum(IDENTITY.address), "0x00")
        code, said = run(person, url, "--rpc", chain.url)
    assert (code, said["error"]["code"]) == (1, "registry.chain_not_listed")


def test_a_registry_at_work_with_its_contract_and_its_database(site, tmp_path):
    for number in range(3):
        site.post(work(content=b"for the audit %d" % number), ALICE, wait=True)
    kept = tmp_path / "kept"
    kept.write_bytes(httpx.get(f"{site.local.url}/log/checkpoint").content)
    site.post(work(content=b"after the checkpoint was kept"), ALICE, wait=True)
    address = to_checksum(site.identity.address)
    said = json.loads(
        site.local.deedlog(
            *("audit", site.local.url, "--registry", address, "--rpc", site.local.rpc_url),
            *("--checkpoint", str(kept), "--json"),
        )
    )
    assert said["contract"]["checked"]
    assert said["contract"]["chain_id"] == 31337
    assert said["signatures"] >= said["size"] >= 4
    checked = json.loads(site.local.deedlog("fsck", "--json"))
    assert checked["registry"] == address
    assert checked["rows"]["statements"] >= said["size"]
    assert "No fault found in the rows" in site.local.deedlog("fsck", "--no-chain")
