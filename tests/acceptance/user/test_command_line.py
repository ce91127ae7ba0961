"""The command line as a creator, a third party and an operator use it: real processes, real files.

The whole way, and what depends on how a process starts, with the interpreter started each time; the rest forked.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.worlds.commands.command_line_user import CommandLineUser

from deedlog.registry.hexadecimal import to_checksum
from deedlog.registry.statements.signatures import account_of_private_key

ROOT = Path(__file__).resolve().parents[3]

VIDEO_NAME = "我的视频.mp4"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "stick").mkdir()
    video = tmp_path / VIDEO_NAME
    video.write_bytes(b"\x00\x00\x00\x18ftypmp42" + os.urandom(4096))
    return tmp_path


@pytest.fixture
def person(folder, fork_server):
    return CommandLineUser(folder, fork_server)


@pytest.fixture
def starting(folder):
    """A person each of whose commands starts the interpreter."""
    return CommandLineUser(folder)


def register(person, local, *more, video=VIDEO_NAME, url=None):
    return person.run(
        *("register", video, "--title", "怎样 读论文", "--credited-as", "爱丽丝", "--yes", "--url", url or local.url),
        *("--passphrase-file", person.passphrase, *more),
    )


def test_a_key_is_not_made_without_a_backup(person):
    refused = person.run("key", "new", "--passphrase-file", person.passphrase, given="")
    assert refused.returncode != 0
    assert not list((person.folder / "home").rglob("*.json"))
    made = person.run("key", "new", "--passphrase-file", person.passphrase, given="stick/copy.json\n")
    assert made.returncode == 0, made.stderr
    assert "you can never again sign as this account" in made.stdout
    kept, copy = person.folder / "home/keys/default.json", person.folder / "stick/copy.json"
    assert kept.read_bytes() == copy.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    shown = person.run("key", "show", "--json")
    assert json.loads(shown.stdout)["account"] in made.stdout


@pytest.mark.parametrize(
    ("backup", "name"), [("not-mounted/stick/copy.json", "default"), ("stick/copy.json", "not-mounted/key.json")]
)
def test_no_key_is_made_in_a_folder_that_is_missing(person, backup, name):
    refused = person.run(
        "key", "new", "--name", name, "--backup", backup, "--passphrase-file", person.passphrase, "--json"
    )
    assert refused.returncode == 73
    error = json.loads(refused.stdout)["error"]
    missing = Path(backup if "not-mounted" in backup else name)
    assert error["code"] == "file.no_folder"
    assert error["params"] == {"path": str(missing), "folder": str(missing.parent)}
    assert "is mounted" in refused.stderr
    assert not (person.folder / "not-mounted").exists()
    assert not list(person.folder.rglob("*.json"))


def test_the_backup_is_another_file_than_the_key(person):
    (person.folder / "keys").symlink_to("stick")
    refused = person.run(
        *("key", "new", "--name", "keys/key.json", "--backup", "stick/key.json"),
        *("--passphrase-file", person.passphrase, "--json"),
    )
    assert json.loads(refused.stdout)["error"]["code"] == "file.exists"
    assert not list(person.folder.rglob("*.json"))


@pytest.mark.parametrize(
    ("backup", "code"),
    [("a\0b", "file.name_zero"), ("circle/copy.json", "file.unwritable"), ("x" * 256, "file.unwritable")],
    ids=["zero byte", "links in a circle", "too long"],
)
def test_a_backups_path_that_cannot_be_is_an_error_with_a_code(person, backup, code):
    (person.folder / "circle").symlink_to("circle")
    refused = person.run("key", "new", "--passphrase-file", person.passphrase, "--json", given=f"{backup}\n")
    assert refused.returncode >= 64
    assert f'"code": "{code}"' in refused.stdout
    assert not list(person.folder.rglob("*.json"))


def test_a_key_is_never_written_over(person):
    person.new_key()
    before = (person.folder / "home/keys/default.json").read_bytes()
    again = person.run("key", "new", "--backup", "stick/other.json", "--passphrase-file", person.passphrase, "--json")
    assert again.returncode == 73
    assert json.loads(again.stdout)["error"]["code"] == "file.exists"
    assert (person.folder / "home/keys/default.json").read_bytes() == before


def test_a_creator_registers_proves_and_verifies(starting, local):
    person = starting
    made = person.new_key()
    registered = register(person, local)
    assert registered.returncode == 0, registered.stderr
    assert "Public for ever" in registered.stdout
    again = json.loads(register(person, local, "--json").stdout)
    assert again["outcome"] == "known"
    digest, registry = again["digest"], again["registry"]
    assert digest in registered.stdout
    proved = person.run(
        "prove", digest, "-o", "my.deed", "--wait", "--url", local.url, "--registry", registry, "--json"
    )
    assert proved.returncode == 0, proved.stderr
    block_hash = json.loads(proved.stdout)["block_hash"]
    pins = ("--registry", registry, "--block-hash", block_hash)
    verified = person.run("verify", "my.deed", VIDEO_NAME, *pins, "--report", "out.html")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert made["account"] in verified.stdout
    assert "This proves nothing to other people" in verified.stdout  # a development chain
    report = (person.folder / "out.html").read_text("utf-8")
    assert "怎样 读论文" in report
    assert "<script" not in report
    chinese = person.run("--lang", "zh", "verify", "my.deed", VIDEO_NAME, *pins)
    assert "所有必需项（*）均为“是”。" in chinese.stdout
    unpinned = person.run("verify", "my.deed", VIDEO_NAME)
    assert unpinned.returncode == 2
    assert "taken from the bundle" in unpinned.stdout
    (person.folder / "copy.mp4").write_bytes(b"re-encoded")
    wrong = person.run("verify", "my.deed", "copy.mp4", *pins, "--json")
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["answers"]["file"]["answer"] == "no"
    with_node = person.run("verify", "my.deed", VIDEO_NAME, "--registry", registry, "--rpc", local.rpc_url, "--json")
    assert with_node.returncode == 0, with_node.stdout
    assert json.loads(with_node.stdout)["answers"]["final"]["code"] == "final.development_chain"


def test_what_register_says_comes_next_leads_to_final(person, local):
    """As copied from the terminal, whatever the file's name and the registry's URL; ADDRESS and HASH are filled in."""
    person.cheap_key()
    name = "my film; $(first cut)'s.mp4"
    (person.folder / name).write_bytes(os.urandom(64))
    said = register(person, local, video=name).stdout
    prove, verify = (shlex.split(line)[1:] for line in said.splitlines() if line.startswith("  deedlog "))
    proved = person.run(*prove, "--json")
    assert proved.returncode == 0, proved.stderr
    hint = person.run(*verify, "--require", "final")
    assert hint.returncode == 64, "HASH stands for one"
    found = json.loads(proved.stdout)
    assert person.run("trust", "add", "here", found["registry"]).returncode == 0
    verify = [{"ADDRESS": "here"}.get(word, word) for word in verify]
    filled = [found["block_hash"] if word == "HASH" else word for word in verify]
    verified = person.run(*filled, "--require", "file,signatures,complete,included,anchored,final", "--json")
    assert verified.returncode == 0, verified.stdout
    by_node = [{"--block-hash": "--rpc", "HASH": local.rpc_url}.get(word, word) for word in verify]
    assert person.run(*by_node, "--require", "anchored").returncode == 0
    assert "--rpc URL instead of --block-hash HASH" in said


def test_a_signed_statement_survives_a_registry_that_is_away(person, local):
    person.cheap_key()
    # The address is learnt first; then the registry is away when the statement is sent.
    identity = json.loads((local.data / "identity.json").read_text("utf-8"))
    away = FlakyRegistry(identity)
    with away as url:
        failed = register(person, local, "--json", url=url)
    assert failed.returncode == 69
    assert json.loads(failed.stdout)["error"]["code"] == "registry.answered"
    kept = list((person.folder / "home/statements").rglob("*.json"))
    assert len(kept) == 1
    sent = json.loads(kept[0].read_text("utf-8"))
    retried = json.loads(register(person, local, "--json").stdout)
    assert retried["outcome"] == "accepted"
    assert json.loads(kept[0].read_text("utf-8")) == sent


class FlakyRegistry:
    """A registry that says who it is and fails at everything else."""

    def __init__(self, identity) -> None:
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # noqa: PLC0415

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"identity": identity}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.send_response(502)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        import threading  # noqa: PLC0415

        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_error):
        self.server.shutdown()


@pytest.mark.parametrize(
    ("arguments", "expected", "exit_code"),
    [
        (("register", "missing.mp4", "--title", "t", "--credited-as", "c"), "file.unreadable", 66),
        (("prove", "0x12", "-o", "x.deed"), "hex.length", 64),
        (("verify", "missing.deed"), "file.unreadable", 66),
        (("verify", VIDEO_NAME), "json.not_utf8", 65),
        (("verify", VIDEO_NAME, "--registry", "0x12"), "hex.length", 64),
        (("key", "show", "--name", "nobody"), "file.unreadable", 66),
        (("prove", "0x" + "00" * 32, "-o", "x.deed", "--url", "http://127.0.0.1:9"), "fetch.unreachable", 69),
    ],
)
def test_mistakes_are_named(person, arguments, expected, exit_code):
    (person.folder / VIDEO_NAME).write_bytes(b"\xff\xfe not a bundle")
    done = person.run(*arguments, "--json")
    assert done.returncode == exit_code
    assert json.loads(done.stdout)["error"]["code"] == expected
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_wrong_call_exits_with_64(starting):
    assert starting.run("verify").returncode == 64
    assert starting.run("register").returncode == 64


def test_a_wrong_passphrase_changes_nothing(person, local):
    person.cheap_key()
    person.passphrase.write_text("another\n", "utf-8")
    refused = register(person, local, "--json")
    assert json.loads(refused.stdout)["error"]["code"] == "key.wrong_passphrase"
    assert not list((person.folder / "home").rglob("statements/*/*.json"))


def test_a_key_file_that_does_not_name_its_account_is_shown_and_signs(person, local):
    vectors = json.loads((ROOT / "tests/vectors/keystores.json").read_text("utf-8"))["files"]
    cast = next(case for case in vectors if "address" not in case["file"] and not case["passphrase"].isascii())
    key = person.folder / "cast.json"
    key.write_text(json.dumps(cast["file"]), "utf-8")
    person.passphrase.write_text("\ufeff" + cast["passphrase"] + "\r\n", "utf-8")
    account = to_checksum(account_of_private_key(bytes.fromhex(cast["key"][2:])))
    shown = person.run("key", "show", "--name", "./cast.json", "--passphrase-file", person.passphrase, "--json")
    assert json.loads(shown.stdout)["account"] == account
    asked = person.run("key", "show", "--name", "./cast.json", "--json", given=cast["passphrase"] + "\n")
    assert account in asked.stdout
    registered = register(person, local, "--key", "./cast.json", "--json")
    assert registered.returncode == 0, registered.stderr
    statement = httpx.get(f"{local.url}/v1/statements/{json.loads(registered.stdout)['digest']}").json()
    assert account in json.dumps(statement)


def test_a_console_of_another_encoding_shows_escapes_and_does_not_fail(starting):
    done = subprocess.run(
        [sys.executable, "-m", "deedlog.api.cli", "key", "show", "--name", "\N{CLAPPER BOARD}"],
        env=starting.environment | {"PYTHONIOENCODING": "gbk", "DEEDLOG_LANG": "zh"},
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode("gbk")
    assert done.returncode == 66
    assert "无法读取" in said
    assert "\\U0001f3ac" in said


def test_every_command_explains_itself(person):
    listed = person.run("--help").stdout
    for name in ("key", "register", "prove", "verify", "init", "serve", "worker", "api-key"):
        assert name in listed
        assert person.run(name, "--help").returncode == 0


def test_a_passphrase_file_in_another_encoding_is_named(person, local):
    person.cheap_key()
    person.passphrase.write_bytes("正确 马\n".encode("gbk"))
    refused = json.loads(register(person, local, "--json").stdout)
    assert refused["error"]["code"] == "key.passphrase_encoding"


def test_urls_that_lead_nowhere(person, local):
    person.cheap_key()
    for url in ("http://[", "no url", "ftp://127.0.0.1", "http://127.0.0.1:1"):
        refused = register(person, local, "--json", url=url)
        expected = "fetch.unreachable" if url.endswith(":1") else "fetch.url"
        assert json.loads(refused.stdout)["error"]["code"] == expected, refused.stderr


def test_a_refused_statement_is_put_aside_for_another_try(person, local):
    person.cheap_key()
    refused = register(person, local, "--json", "--made-at", "4000000000")
    assert json.loads(refused.stdout)["error"]["code"] == "statement.in_the_future"
    assert json.loads(register(person, local, "--json").stdout)["outcome"] == "accepted"
    kept = sorted(path.suffix for path in (person.folder / "home/statements").rglob("*.*"))
    assert kept == [".json", ".refused"]


def test_times_that_no_calendar_shows(person, local):
    person.cheap_key()
    digest = json.loads(register(person, local, "--json", "--made-at", "1").stdout)["digest"]
    local.await_logged(digest)
    proved = person.run("prove", digest, "-o", "my.deed", "--url", local.url)
    assert proved.returncode == 0, proved.stderr
    for zone in ("Asia/Shanghai", "America/Los_Angeles"):
        shown = person.run("verify", "my.deed", TZ=zone)
        assert "Traceback" not in shown.stderr
        assert "1970-01-01 00:00:01 UTC" in shown.stdout


def test_nobody_is_made_to_say_when_the_file_was_made(person, local):
    person.cheap_key()
    signing = register(person, local)
    assert "made at (madeAt): not said" in signing.stdout
    digest = re.search(r"Registered: (0x[0-9a-f]{64})", signing.stdout)[1]
    shown = httpx.get(f"{local.url}/v1/statements/{digest}").json()
    assert shown["typed_data"]["message"]["madeAt"] == "0"
    assert "作成时间 (madeAt): 未说明" in person.run("--lang", "zh", "show", digest, "--url", local.url).stdout
