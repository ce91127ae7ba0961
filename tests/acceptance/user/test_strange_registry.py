"""Whatever a registry answers, `register` and `prove` end with an error that is named, and nothing is lost."""

from __future__ import annotations

import json
import os

import httpx
import pytest
from support.faults.strange_server import answering
from support.worlds.commands.command_line_user import CommandLineUser

STRANGE_ANSWERS = (
    (200, b""),
    (200, b"[]"),
    (200, b"{}"),
    (200, b'{"outcome":"accepted"}'),
    (200, b'{"outcome":"accepted","digest":"0x' + b"11" * 32 + b'"}'),
    (200, b'{"outcome":"repeat","digest":"../../x"}'),
    (200, b'{"outcome":"thanks","digest":"0x' + b"11" * 32 + b'"}'),
    (200, b"[" * 100_000),
    (200, b" " * (9 * 1024 * 1024)),
    (500, b"<html>"),
    (503, b'{"code":1,"params":[],"field":{}}'),
    (422, b'{"code":"no.such_code","params":{"a":null},"field":7}'),
    (422, b'{"code":"file.unreadable","params":{},"field":null}'),
    (400, b'{"code":[],"params":{},"field":null}'),
    (422, b'{"code":"hex.malformed","params":{"code":"x","field":"y","self":"z"},"field":null}'),
    (422, b'{"code":"statement.unknown","params":{"digest":"\\u001b]0;owned\\u0007"},"field":"\\u001b[2J"}'),
)


@pytest.fixture
def person(tmp_path, fork_server):
    (tmp_path / "film.mp4").write_bytes(os.urandom(4096))
    person = CommandLineUser(tmp_path, fork_server)
    person.cheap_key()
    return person


def register(person, url):
    given = ("register", "film.mp4", "--title", "t", "--credited-as", "c", "--yes", "--json", "--url", url)
    return person.run(*given, "--passphrase-file", person.passphrase)


def test_whatever_a_registry_answers_is_no_surprise(person, local):
    true = httpx.get(f"{local.url}/v1/registry").content
    for status, body in STRANGE_ANSWERS:
        strange = (status, body)
        with answering(
            lambda _method, path, _body, strange=strange: (200, true) if "registry" in path else strange
        ) as url:
            register_done = register(person, url)
            prove_done = person.run("prove", "0x" + "11" * 32, "-o", "my.deed", "--url", url, "--json")
        for done in (register_done, prove_done):
            assert done.returncode >= 64, (status, body[:40])
            assert "Traceback" not in done.stderr, (status, body[:40], done.stderr)
            assert "\x1b" not in done.stderr + done.stdout
            assert "error" in json.loads(done.stdout)
        assert not (person.folder / "my.deed").exists()
    # The statement was kept when it was signed, so nothing is lost: what was refused was signed afresh, once.
    assert json.loads(register(person, local.url).stdout)["outcome"] == "accepted"
    kept = next((person.folder / "home/statements").rglob("*.json"))
    kept.write_bytes(b"{")
    assert json.loads(register(person, local.url).stdout)["error"]["code"] == "register.kept"
