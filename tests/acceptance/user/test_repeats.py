"""A command that changed nothing says so: what stands, since when, how it differs, and how to correct it."""

from __future__ import annotations

import json
import os
import shutil

import httpx
import pytest
from support.faults.strange_server import answering
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.commands.folder_snapshot import unchanged

OTHER = "0x" + "11" * 20


@pytest.fixture
def person(tmp_path, fork_server, local):
    person = CommandLineUser(tmp_path, fork_server, DEEDLOG_URL=local.url)
    person.cheap_key()
    (tmp_path / "film.mp4").write_bytes(os.urandom(64))
    return person


def register(person, *more, language="en"):
    given = ("--title", "Frist", "--credited-as", "Anna", "--yes", "--passphrase-file", person.passphrase)
    return person.run("--lang", language, "register", "film.mp4", *given, *more)


def answer(done, code=0):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def registered(person, local):
    account = json.loads(person.run("key", "show", "--json").stdout)["account"]
    return httpx.get(f"{local.url}/v1/statements", params={"account": account}).json()["statements"]


def _with_outbox(_person):
    pass


def _without_outbox(person):
    shutil.rmtree(person.folder / "home/statements")


@pytest.mark.parametrize("before", [_with_outbox, _without_outbox], ids=["this machine", "another machine"])
def test_a_corrected_title_is_not_dropped_in_silence(person, local, before):
    first = answer(register(person, "--json"))
    [stored] = registered(person, local)
    before(person)
    done = register(person, "--title", "First", "--ai-use", "assisted", "--media-type", "video/webm")
    assert done.returncode == 3, done.stdout + done.stderr
    for said in ("Nothing was registered", first["digest"], "Frist", "First", "none", "assisted", "video/webm"):
        assert said in done.stdout
    assert "Anna" not in done.stdout.partition("Nothing was registered")[2], "what does not differ is not listed"
    assert "register a new version of the file" in done.stdout
    before(person)
    found = answer(register(person, "--title", "First", "--json"), 3)
    assert (found["outcome"], found["digest"], found["draft"]) == ("stands", first["digest"], False)
    assert found["since"] == stored["accepted_at"]
    assert found["differs"] == [{"member": "title", "stands": "Frist", "asked": "First"}]
    before(person)
    assert "没有登记任何内容" in register(person, "--title", "First", language="zh").stdout
    # What stands can still be asked for, and is a success.
    again = register(person)
    assert again.returncode == 0, again.stderr
    assert first["digest"] in again.stdout
    assert len(registered(person, local)) == 1


def test_the_same_words_again_are_a_success_that_says_so(person):
    digest = answer(register(person, "--json"))["digest"]
    (person.folder / "film.mp4").rename(person.folder / "film.mov")  # another media type, which nobody asked for
    done = person.run(
        *("register", "film.mov", "--title", "Frist", "--credited-as", "Anna", "--yes"),
        *("--passphrase-file", person.passphrase),
    )
    assert done.returncode == 0, done.stderr
    assert f"Registered before: {digest}. Nothing changed." in done.stdout


def test_a_title_that_never_arrived_is_corrected(person, local):
    true = httpx.get(f"{local.url}/v1/registry").content
    with answering(lambda method, *_request: (200, true) if method == "GET" else (502, b"")) as url:
        assert register(person, "--url", url).returncode == 69
    done = register(person, "--title", "First")
    assert done.returncode == 0, done.stderr
    assert "never reached the registry" in done.stdout
    [stored] = registered(person, local)
    assert stored["typed_data"]["message"]["title"] == "First"


def test_a_repeated_draft_says_what_stands(person):
    joint = ("--creator", OTHER)
    first = answer(register(person, *joint, "--json"))
    assert first["outcome"] == "proposed"
    again = register(person, *joint)
    assert again.returncode == 0, again.stderr
    assert "nothing changed" in again.stdout
    done = register(person, *joint, "--title", "First")
    assert done.returncode == 3, done.stdout + done.stderr
    for said in ("Nothing was proposed", first["digest"], "Frist", "First", "ask them not to sign"):
        assert said in done.stdout
    found = answer(register(person, *joint, "--title", "First", "--json"), 3)
    assert (found["draft"], found["digest"]) == (True, first["digest"])


def test_a_joint_claim_is_another_claim(person):
    assert answer(register(person, "--json"))["outcome"] == "accepted"
    assert answer(register(person, "--creator", OTHER, "--json"))["outcome"] == "proposed"


def test_a_bundle_that_did_not_change_is_not_written(person):
    digest = answer(register(person, "--json"))["digest"]
    prove = ("prove", digest, "-o", "my.deed", "--wait")
    assert answer(person.run(*prove, "--json"))["changed"] is True
    before = (person.folder / "my.deed").stat()
    with unchanged(person.folder):
        done = person.run(*prove)
    assert done.returncode == 0, done.stderr
    assert "nothing changed" in done.stdout
    assert (person.folder / "my.deed").stat().st_ino == before.st_ino
    assert answer(person.run(*prove, "--json"))["changed"] is False
    assert "没有变化" in person.run("--lang", "zh", *prove).stdout
