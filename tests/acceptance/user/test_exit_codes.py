"""How each command ends, as a script sees it: 1 and 2 are answers, and no mistake ends with them."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from ports import free_port
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.session.waiting import PATIENCE, until

from deedlog.api.cli import _COMMANDS
from deedlog.api.cli.exit_codes import ExitCode

OTHER = "0x" + "11" * 20
DIGEST = "0x" + "00" * 32


@pytest.fixture(scope="module")
def creator(tmp_path_factory, local, fork_server):
    """Somebody with a key, a registered video and its bundle."""
    person = CommandLineUser(tmp_path_factory.mktemp("endings"), fork_server, DEEDLOG_URL=local.url)
    person.cheap_key()
    for name in ("mine.mp4", "new.mp4"):
        (person.folder / name).write_bytes(os.urandom(64))
    (person.folder / "empty.mp4").write_bytes(b"")
    (person.folder / "none.deed").write_bytes(b"{}")
    (person.folder / "salt").write_text(DIGEST + "\n", "utf-8")
    done = person.run(*register("mine.mp4"), "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert person.run("prove", made["digest"], "-o", "mine.deed", "--wait").returncode == 0
    return SimpleNamespace(person=person, folder=person.folder, **made)


def register(video, *more):
    given = ("--title", "t", "--credited-as", "c", "--yes", "--passphrase-file", "passphrase")
    return ("register", video, *given, *more)


def away():
    return f"http://127.0.0.1:{free_port()}"


def every_command():
    """Return each command's words, with its click command."""
    found = []
    for name, place in _COMMANDS.items():
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute or "command")
        inner = command.commands if isinstance(command, click.Group) else {}
        found += [((name, below), inner[below]) for below in inner] or [((name,), command)]
    return found


COMMANDS = every_command()


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS], ids=" ".join)
def test_an_unknown_option_is_wrong_usage_for_every_command(creator, words):
    done = creator.person.run(*words, "--nonsense")
    assert done.returncode == 64, done.stderr
    assert "--nonsense" in done.stderr


NEEDS = [(words, command) for words, command in COMMANDS if any(each.required for each in command.params)]


@pytest.mark.parametrize("words", [words for words, _ in NEEDS], ids=" ".join)
def test_a_missing_argument_is_wrong_usage_for_every_command(creator, words):
    assert creator.person.run(*words).returncode == 64


def _arguments(words, command):
    """Return a call in which everything is given and of the right form."""
    call = list(words)
    for each in command.params:
        if each.required:
            value = {
                "digest": DIGEST, "upload": DIGEST, "work": DIGEST, "statement": DIGEST, "to_name": "default",
                "url": "http://127.0.0.1:1", "bundle": "mine.deed", "agreement": "mine.deed", "reports": "mine.deed",
                "video": "new.mp4", "start": "0", "end": "1", "amount": "1", "currency": "CNY", "output": "new.deed",
                "owner": OTHER, "origin": "deeds.example.com/log",
            }.get(each.name, "x")  # fmt: skip
            call += [value] if isinstance(each, click.Argument) else [each.opts[0], value]
    return call


PINNED = [(words, command) for words, command in COMMANDS if any(each.name == "registry" for each in command.params)]


@pytest.mark.parametrize(("words", "command"), PINNED, ids=[" ".join(words) for words, _ in PINNED])
@pytest.mark.parametrize("mistyped", ["0x12", "nonsense", "0x596ffe27E81cf2Aa1CD8d4e52F70F51c9373cC50"])
def test_a_mistyped_address_is_wrong_usage_for_every_command(creator, words, command, mistyped):
    done = creator.person.run(*_arguments(words, command), "--registry", mistyped)
    assert done.returncode == 64, (done.returncode, done.stderr)
    assert "--registry" in done.stderr


SIGNING = [(words, command) for words, command in COMMANDS if any(each.name == "key_name" for each in command.params)]


@pytest.mark.parametrize(("words", "command"), SIGNING, ids=[" ".join(words) for words, _ in SIGNING])
def test_a_key_that_is_not_there_is_not_found_for_every_command(creator, words, command):
    assert creator.person.run(*_arguments(words, command), "--key", "nobody").returncode == 66


def verify(*more):
    return ("verify", "mine.deed", *more)


ENDINGS = {
    # verify
    "verify: nothing pinned": (verify(), 2),
    "verify: another file": (verify("new.mp4"), 1),
    "verify: another registry": (verify("--registry", OTHER), 1),
    "verify: only what needs no pin": (verify("mine.mp4", "--require", "file,signatures"), 0),
    "verify: a requirement that there is not": (verify("--require", "nonsense"), 64),
    "verify: half a block hash": (verify("--block-hash", "0x12"), 64),
    "verify: half a maker": (verify("--maker", "0x12"), 64),
    "verify: a missing bundle": (("verify", "none at all.deed"), 66),
    "verify: a missing file": (verify("none at all.mp4"), 66),
    "verify: no bundle": (("verify", "none.deed"), 65),
    "verify: no bundle beside it": (verify("--with", "none.deed"), 65),
    "verify: a folder for a bundle": (("verify", "."), 74),
    "verify: a report over the video": (verify("mine.mp4", "--report", "mine.mp4"), 73),
    "verify: a report in no folder": (verify("--report", "missing/page.html"), 73),
    "verify: a report on a full disk": (verify("--report", "/dev/full"), 74),
    # payout check
    "payout check: no bundle": (("payout", "check", "none.deed", "mine.deed"), 65),
    "payout check: a missing bundle": (("payout", "check", "mine.deed", "none at all.deed"), 66),
    "payout check: no agreement": (("payout", "check", "mine.deed", "mine.deed"), 64),
    # audit
    "audit: no trusted address": (("audit", "URL"), 2),
    "audit: of a trusted address": (("audit", "URL", "--registry", "REGISTRY"), 0),
    "audit: another registry": (("audit", "URL", "--registry", OTHER), 1),
    "audit: nobody there": (("audit", "AWAY"), 2),
    "audit: a name that is not trusted": (("audit", "URL", "--registry", "nobody"), 64),
    "audit: no URL": (("audit", "http://["), 64),
    "audit: a missing checkpoint": (("audit", "URL", "--checkpoint", "none at all"), 66),
    "audit: a file that is no checkpoint": (("audit", "URL", "--checkpoint", "mine.deed"), 65),
    # register
    "register: a missing file": (register("none at all.mp4"), 66),
    "register: an empty file": (register("empty.mp4"), 65),
    "register: a title that cannot be": (register("new.mp4", "--title", ""), 64),
    "register: a basis that is none": (register("new.mp4", "--basis", "theft"), 64),
    "register: a time that is none": (register("new.mp4", "--made-at", "yesterday"), 64),
    "register: nobody there": (register("new.mp4", "--url", "AWAY"), 69),
    "register: no URL": (register("new.mp4", "--url", "http://["), 64),
    "register: another registry": (register("new.mp4", "--registry", OTHER), 77),
    "register: a wrong passphrase": (register("new.mp4", "--passphrase-file", "/dev/null"), 77),
    "register: no key file": (register("new.mp4", "--key", "./mine.mp4"), 65),
    "register: refused": (register("new.mp4", "--made-at", "4000000000"), 77),
    # prove
    "prove: half a digest": (("prove", "0x12", "-o", "new.deed"), 64),
    "prove: an unknown statement": (("prove", DIGEST, "-o", "new.deed"), 66),
    "prove: over a video": (("prove", "MINE", "-o", "mine.mp4"), 73),
    "prove: on a full disk": (("prove", "MINE", "-o", "/dev/full"), 74),
    # trust
    "trust: half an address": (("trust", "add", "x", "0x12"), 64),
    "trust: a name like an address": (("trust", "add", "0x12", OTHER), 64),
    "trust: a name that is not there": (("trust", "remove", "nobody"), 66),
    # show, terms
    "show: half a digest": (("show", "0x12"), 64),
    "show: an unknown digest": (("show", DIGEST), 66),
    "show: no statement": (("show", "none.deed"), 65),
    "show: a bundle": (("show", "mine.deed"), 0),
    "terms check: without a salt": (("terms", "check", "mine.mp4", "MINE"), 66),
    "terms check: a missing text": (("terms", "check", "none at all", "MINE"), 66),
    "terms check: no agreement given": (("terms", "check", "mine.mp4", "--salt", "salt"), 2),
    "terms check: a damaged salt": (("terms", "check", "mine.mp4", "--salt", "passphrase"), 65),
    "terms check: another statement than an agreement": (
        ("terms", "check", "mine.mp4", "mine.deed", "--salt", "salt"),
        64,
    ),
    # others
    "agreement show: an unknown digest": (("agreement", "show", DIGEST, "--passphrase-file", "passphrase"), 66),
    "agreement simulate: no sum": (("agreement", "simulate", "--share", f"{OTHER}:1:music", "--revenue", "1"), 64),
    "agreement simulate: no share": (("agreement", "simulate", "--share", "x", "--revenue", "1"), 64),
    "agreement propose: missing terms": (
        ("agreement", "propose", "--payer", OTHER, "--share", f"{OTHER}:1000000:music", "--terms", "none at all"),
        66,
    ),
    "countersign: half a digest": (("countersign", "0x12"), 64),
    "countersign: refused": (("countersign", "MINE", "--yes", "--passphrase-file", "passphrase"), 77),
    "key show: no such key": (("key", "show", "--name", "nobody"), 66),
    "key new: over a key": (("key", "new", "--backup", "copy.json", "--passphrase-file", "passphrase"), 73),
    "key new: nobody answers": (("key", "new", "--name", "fresh"), 130),
    "api-key: a scope that there is not": (("api-key", "new", "x", "--scope", "all"), 64),
    "api-key: no such key": (("api-key", "revoke", "999"), 66),
    "init: no origin that can be": (("init", "--origin", "http://x y", "--owner", OTHER), 64),
    "init: half an owner": (("init", "--origin", "deeds.example.com/log", "--owner", "0x12"), 64),
    "fsck: in order": (("fsck",), 0),
    "fsck: no registry in the folder": (("fsck",), 66, {"DEEDLOG_DATA": "/none"}),
    "fsck: a setting that cannot be": (("fsck",), 78, {"DEEDLOG_PORT": "x"}),
    "prove: a setting that cannot be": (("prove", DIGEST, "-o", "new.deed"), 78, {"DEEDLOG_TIMEOUT": "x"}),
}
OF_THE_OPERATOR = ("fsck", "api-key", "init")


@pytest.mark.parametrize("name", ENDINGS)
def test_how_commands_end(creator, local, tmp_path, name):
    arguments, expected, *more = ENDINGS[name]
    filled = {"URL": local.url, "AWAY": away(), "REGISTRY": creator.registry, "MINE": creator.digest}
    environment = dict(more[0]) if more else {}
    if arguments[0] in OF_THE_OPERATOR:
        environment = local.environment() | environment
    if arguments[0] == "init":
        environment |= {"DEEDLOG_DATA": str(tmp_path)}
    done = creator.person.run(*(filled.get(word, word) for word in arguments), **environment)
    assert done.returncode == expected, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    if expected >= 64:
        assert done.stderr.strip()


def started(person, *arguments, **more):
    command = [sys.executable, "-m", "deedlog.api.cli", *arguments]
    return subprocess.Popen(
        command, env=person.environment, cwd=person.folder, text=True, stderr=subprocess.PIPE, **more
    )


def heed_ctrl_c():
    """Undo what a suite inherits that a shell started in the background: SIGINT is ignored, and Python leaves it so."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_is_no_answer(creator, tmp_path):
    """A command that waits for a pipe is interrupted, in its language and without a traceback."""
    os.mkfifo(tmp_path / "pipe")
    process = started(
        creator.person,
        *("--lang", "zh", "verify", str(tmp_path / "pipe")),
        preexec_fn=heed_ctrl_c,
    )
    waiting = f"/proc/{process.pid}/wchan"
    until(lambda: "wait_for_partner" in open(waiting).read() or process.poll() is not None)  # noqa: PTH123, SIM115
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "已中止" in errors


def test_a_reader_that_is_gone_is_no_answer(creator):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = started(creator.person, "verify", "mine.deed", stdout=writing)
    finally:
        os.close(writing)
    _, errors = process.communicate()
    assert process.returncode == 74, errors
    assert "Traceback" not in errors


def test_a_fault_of_ours_is_no_answer(creator, tmp_path):
    """A module that cannot be loaded stands for any fault: the traceback is shown."""
    (tmp_path / "coincurve.py").write_text("raise ZeroDivisionError\n", "utf-8")
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "deedlog.api.cli", "verify", "mine.deed"],
        env=creator.person.environment | {"PYTHONPATH": path},
        cwd=creator.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70, done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("key", "list", "--json"), ("key", "--json")])
def test_a_full_disk_behind_standard_output_is_no_fault(tmp_path, arguments):
    """A usage error with --json prints nothing there, and keeps its code."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deedlog.api.cli", *arguments],
            env={**os.environ, "DEEDLOG_HOME": str(tmp_path), "LANG": "C.UTF-8"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "Traceback" not in done.stderr
    assert done.returncode == (ExitCode.USAGE if arguments == ("key", "--json") else ExitCode.IO)
