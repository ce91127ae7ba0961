"""What `register` signs is kept before it is sent: privately, until the registry has judged it, and for good."""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import threading

import httpx
import pytest
from support.worlds.commands.command_line_user import CommandLineUser
from support.worlds.registries.registry_world import work

from deedlog.api.client import outbox as kept_statements
from deedlog.api.client.signed_statement import SignedStatement
from deedlog.registry.errors import Unavailable

PROBLEM = b'{"code":"http.internal","params":{},"field":null}'
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def whole(status, body, kind=b"application/problem+json"):
    # Closed, and said to be: what is posted over a connection that is about to close arrives nowhere.
    head = b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return head % (status, kind, len(body)) + body


FAILURES = {
    "500 with a problem": whole(500, PROBLEM),
    "500 with another problem": whole(500, b'{"code":"statement.in_the_future","params":{},"field":null}'),
    "502 of a proxy": whole(502, HTML, b"text/html"),
    "503 of a proxy": whole(503, HTML, b"text/html"),
    "504 of a proxy": whole(504, b"", b"text/html"),
    "500 with a problem of a later version": whole(500, b'{"code":"no.such","params":{},"field":null}'),
    "408 with a problem": whole(408, b'{"code":"http.too_slow","params":{},"field":null}'),
    "403 of a proxy": whole(403, HTML, b"text/html"),
    "a redirection": b"HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    "no answer": b"",
    "a cut head": b"HTTP/1.1 201 Cre",
    "a cut answer": whole(201, PROBLEM)[:-9],
    "a cut refusal": whole(422, PROBLEM)[:-9],
    "a cut stream": b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{",
    "success without a word": whole(201, b""),
}


@contextlib.contextmanager
def before(registry_answer, answer):
    """Stand before a registry: say who it is, and answer whatever is posted with these bytes, then hang up."""
    posted = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            method = self.rfile.readline().split()[0]
            length = 0
            while (line := self.rfile.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            body = self.rfile.read(length)
            if method == b"GET":
                self.wfile.write(whole(200, registry_answer, b"application/json"))
            else:
                posted.append(json.loads(body))
                self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", posted
        server.shutdown()


@pytest.fixture
def person(tmp_path, fork_server):
    (tmp_path / "stick").mkdir()
    (tmp_path / "film.mp4").write_bytes(os.urandom(512))
    somebody = CommandLineUser(tmp_path, fork_server)
    somebody.cheap_key()
    return somebody


@pytest.fixture(scope="module")
def identity(local):
    return httpx.get(f"{local.url}/v1/registry").content


def register(person, url, *more, **environment):
    return person.run(
        *("register", "film.mp4", "--title", "t", "--credited-as", "c", "--yes", "--url", url),
        *("--passphrase-file", person.passphrase, *more),
        **environment,
    )


def files(person):
    return sorted(path for path in (person.folder / "home/statements").rglob("*") if path.is_file())


def test_a_failing_server_has_refused_nothing_and_the_same_statement_is_sent_again(person, identity, local):
    sent = None
    for name, answer in FAILURES.items():
        with before(identity, answer) as (url, posted):
            done = register(person, url, "--json")
        assert done.returncode == 69, name
        assert "Traceback" not in done.stderr, name
        (kept,) = files(person)
        assert kept.suffix == ".json", name
        assert json.loads(done.stdout)["error"]["params"]["kept"] == str(kept), name
        assert f"The signed statement is stored at {kept}. Run the same command again" in done.stderr, name
        sent = sent or json.loads(kept.read_text("utf-8"))
        assert posted, name
        assert all(each == sent for each in posted), name  # what may pass is tried again
        assert json.loads(kept.read_text("utf-8")) == sent, name
    said = register(person, "http://127.0.0.1:1", DEEDLOG_LANG="zh")
    assert said.returncode == 69  # not even its address could be asked
    done = register(person, local.url)
    assert "Sending that one again" in done.stdout
    stored = httpx.get(
        f"{local.url}/v1/statements", params={"content_hash": sent["typed_data"]["message"]["contentHash"]}
    )
    assert stored.json()["statements"][0]["typed_data"]["message"]["salt"] == sent["typed_data"]["message"]["salt"]


def test_what_was_put_aside_before_is_never_replaced(person, identity, local):
    refusal = whole(422, b'{"code":"statement.in_the_future","params":{},"field":null}')
    seen = []
    for _ in range(3):
        with before(identity, refusal) as (url, posted):
            assert register(person, url, "--json").returncode == 77
        seen += posted
    assert len({each["typed_data"]["message"]["salt"] for each in seen}) == 3
    aside = [json.loads(path.read_text("utf-8")) for path in files(person)]
    assert sorted(aside, key=str) == sorted(seen, key=str)
    assert all(path.name.endswith(".refused") for path in files(person))
    assert json.loads(register(person, local.url, "--json").stdout)["outcome"] == "accepted"


def test_a_kept_statement_is_its_owners_alone(person, identity, tmp_path):
    loose = tmp_path / "home/statements"
    loose.mkdir(mode=0o755)  # as an earlier version made it
    with before(identity, FAILURES["502 of a proxy"]) as (url, _):
        usual = os.umask(0)
        try:
            register(person, url, "--json")
        finally:
            os.umask(usual)
    (kept,) = files(person)
    assert kept.stat().st_mode & 0o777 == 0o600
    for folder in (kept.parent, kept.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


@pytest.mark.parametrize("leads_to", ["nowhere", "file"])
def test_a_link_in_a_kept_statements_place_is_not_followed(person, identity, local, leads_to):
    with before(identity, FAILURES["502 of a proxy"]) as (url, _):
        register(person, url, "--json")
    (kept,) = files(person)
    elsewhere = person.folder / "elsewhere"
    content = kept.read_bytes()
    kept.unlink()
    if leads_to == "file":
        elsewhere.write_bytes(content)
    kept.symlink_to(elsewhere)
    done = register(person, local.url, "--json")
    assert json.loads(done.stdout)["error"]["code"] == "register.link"
    assert kept.is_symlink()
    if leads_to == "nowhere":
        assert not elsewhere.exists()
    else:
        assert elsewhere.read_bytes() == content
    # Nor does a link that appears between looking and writing get anything written through it.
    with pytest.raises(Unavailable) as raised:
        kept_statements.write(kept, SignedStatement(work(), bytes(20), ()))
    assert raised.value.code == "file.exists"
    assert elsewhere.exists() == (leads_to == "file")


def test_a_pipe_in_a_kept_statements_place_is_not_waited_for(person, identity, local):
    with before(identity, FAILURES["502 of a proxy"]) as (url, _):
        register(person, url, "--json")
    (kept,) = files(person)
    kept.unlink()
    os.mkfifo(kept)
    error = json.loads(register(person, local.url, "--json").stdout)["error"]
    assert (error["code"], error["params"]["reason"]) == ("register.kept", "file.not_a_file")
