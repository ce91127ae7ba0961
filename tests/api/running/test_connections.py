"""What comes over a connection that no HTTP library would send: nothing fails, nothing is held for ever."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import re
import socket
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import uvicorn
from packaging.requirements import Requirement
from packaging.version import Version
from support.worlds.processes.threaded_server import serving
from support.worlds.registries.registry_world import ALICE, salt, work
from support.worlds.session.waiting import PATIENCE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from deedlog.api.http.connection_limits import MAXIMUM_HEAD, BoundedConnection

LARGE = 50_000_000


ATTRIBUTES = ("cycle", "loop", "pipeline", "transport")
"""What the limits read of uvicorn's connection."""

OF_A_CYCLE = ("response_started", "response_complete")
"""What they read of its newest request's cycle."""


def test_uvicorn_is_what_the_limits_build_on():
    """Where uvicorn calls a method by another name, a limit would hold no more, and nothing else would say so."""
    for name, ours in vars(BoundedConnection).items():
        if inspect.isfunction(ours) and not name.startswith("_"):
            theirs = getattr(HttpToolsProtocol, name, None)
            assert theirs is not None, f"uvicorn {uvicorn.__version__} has no {name}: connection_limits.py overrides it"
            parameters = [list(inspect.signature(method).parameters) for method in (ours, theirs)]
            assert parameters[0] == parameters[1], f"uvicorn {uvicorn.__version__} calls {name} with other arguments"
    config = uvicorn.Config(None, loop="asyncio", lifespan="off", log_level="critical")
    config.load()
    with asyncio.Runner() as runner:
        connection = BoundedConnection(config, ServerState(), {}, runner.get_loop())
    for name in ATTRIBUTES:
        assert hasattr(connection, name), f"uvicorn {uvicorn.__version__} has no {name}: connection_limits.py reads it"
    made = set(RequestResponseCycle.__init__.__code__.co_names)
    assert set(OF_A_CYCLE) <= made, f"uvicorn {uvicorn.__version__} has another cycle: connection_limits.py reads it"


def test_no_version_of_uvicorn_is_admitted_that_was_not_tried():
    project = tomllib.loads(Path(__file__).parents[3].joinpath("pyproject.toml").read_text("utf-8"))
    (bound,) = [each for each in project["project"]["optional-dependencies"]["platform"] if each.startswith("uvicorn")]
    installed = Version(version("uvicorn"))
    assert installed in Requirement(bound).specifier
    assert Version(f"{installed.major}.{installed.minor + 1}") not in Requirement(bound).specifier


def said(address, *parts, pause=0.0, seconds=PATIENCE):
    """Send bytes, perhaps slowly; return all that is answered until the connection ends."""
    with socket.create_connection(address, timeout=seconds) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        except OSError:
            pass  # refused before all was sent
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass  # closed with bytes of ours unread
        return answer


def parse(answer):
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.lower(), content


def problem(answer):
    status, head, content = parse(answer)
    assert b"content-type: application/problem+json" in head
    shown = json.loads(content)
    assert shown["status"] == status
    return status, shown["code"]


@pytest.fixture
def address(site):
    return site.local.host, site.local.port


def request(method, target, *headers, version="1.1", content=b""):
    lines = [f"{method} {target} HTTP/{version}", "Host: x", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\1\2\3\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        request("FOO", "/healthz"),
        request("GET", "/v1/statements?cursor=\u00d9"),
        request("GET", "?x"),
        request("GET", "/healthz", "Idempotency-Key: a\r\n b"),
        request("GET", "/healthz", "X: \0"),
        request("GET", "/healthz", "no colon"),
        request("POST", "/v1/statements", "Content-Length: -5"),
        request("POST", "/v1/statements", "Content-Length: 2", "Content-Length: 3", content=b"{}"),
        request("POST", "/v1/statements", "Content-Length: 5", "Transfer-Encoding: chunked", content=b"0\r\n\r\n"),
        request("POST", "/v1/statements", "Transfer-Encoding: chunked", content=b"zz\r\n"),
    ],
    ids=lambda sent: repr(sent[:70]),
)
def test_what_is_no_http_is_a_problem(address, sent):
    assert problem(said(address, sent)) == (400, "http.malformed")


def test_a_body_in_chunks_without_a_length_is_read(site, address):
    body = json.dumps(site.body(work(content=b"in chunks", salt=salt("chunks")), ALICE)).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in re.findall(rb"(?s).{1,700}", body))
    for number, expected in enumerate((201, 200)):
        version = ("1.1", "1.0")[number]
        headers = ("Transfer-Encoding: chunked",) if number == 0 else (f"Content-Length: {len(body)}",)
        content = (chunks + b"0\r\n\r\n", body)[number]
        answer = said(address, request("POST", "/v1/statements", *headers, version=version, content=content))
        assert parse(answer)[0] == expected


def test_nothing_of_a_batch_is_read_without_the_scope_for_it(address):
    """Its answer comes although not a byte of its body does."""
    head = request("POST", "/v1/statements:batch", "Content-Length: 8000000")
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(head)
        assert b" 403 " in connection.recv(65536).split(b"\r\n")[0]


def test_what_asks_to_be_a_websocket_is_answered_as_http(address):
    wanted = (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(wanted)
        assert b" 200 " in connection.recv(65536).split(b"\r\n")[0]


def test_a_body_of_endless_chunks_is_cut_off(address):
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    head = request("POST", "/v1/statements", "Transfer-Encoding: chunked")
    # The answer comes before all is sent; a system may throw it away with what it could not deliver.
    answer = said(address, head, *[chunk] * 40)
    assert not answer or problem(answer) == (413, "http.too_large")


def test_a_body_that_is_not_json_by_its_type_is_refused_for_what_it_is(address):
    sent = b"\x1f\x8b\x08\0"
    head = ("Content-Encoding: gzip", f"Content-Length: {len(sent)}")
    assert problem(said(address, request("POST", "/v1/statements", *head, content=sent))) == (400, "json.not_utf8")


def test_a_connection_that_ends_in_the_middle_of_a_body_leaves_nothing(site, address):
    with socket.create_connection(address) as connection:
        connection.sendall(request("POST", "/v1/statements", "Content-Length: 500", content=b'{"typed'))
    assert site.anyone.get("/healthz").status_code == 200


def test_head_is_answered_as_get_without_content(site):
    for path in ("/v1/registry", "/log/checkpoint", "/healthz", "/", "/v1/statements"):
        head, got = site.anyone.head(path), site.anyone.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
        assert head.headers.get("cache-control") == got.headers.get("cache-control")
    assert site.anyone.head("/nothing").status_code == 404


def test_allow_names_the_methods_of_every_route_at_the_path(site):
    for path, allowed in (
        ("/v1/statements", {"GET", "HEAD", "POST"}),
        ("/v1/statements:batch", {"POST"}),
        ("/log/checkpoint", {"GET", "HEAD"}),
    ):
        for method in ("OPTIONS", "PUT", "DELETE", "TRACE"):
            answer = site.anyone.request(method, path)
            assert answer.status_code == 405
            assert set(answer.headers["allow"].split(", ")) == allowed


def test_no_redirect_leads_where_the_host_header_says(site):
    answer = site.anyone.get("/v1/statements/", headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("name", ["Idempotency-Key", "Authorization"])
def test_a_header_that_decides_something_may_not_stand_there_twice(site, name):
    headers = [(name, "Bearer deedlog_a"), (name, "Bearer deedlog_b")]
    answer = site.anyone.post("/v1/statements", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "http.header_twice")
    assert answer.json()["field"] == name.lower()


def test_headers_that_are_too_large_are_refused(address):
    endless = b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 400_000
    assert problem(said(address, endless, *[b"a" * MAXIMUM_HEAD] * 2, pause=0.2)) == (431, "http.head_too_large")
    # Answered at once, and not kept: a header of a gigabyte costs nobody's memory.
    many = b"".join(b"X%d: a\r\n" % number for number in range(100_000))
    assert said(address, b"GET /healthz HTTP/1.1\r\n", many[:500_000], many[500_000:], pause=0.2)[9:12] == b"431"


def test_a_header_that_never_ends_does_not_fill_the_memory(site, address):
    pid = site.local.processes["serve"].pid

    def peak():
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("ascii"))[1])

    before = peak()
    said(address, b"GET /healthz HTTP/1.1\r\nX: ", *[b"a" * 1_000_000] * 200)
    assert peak() - before < 50_000  # of 200,000 KiB


@contextlib.contextmanager
def waiting(head, body, write, slow):
    """Serve an application that waits for the whole body; give the address.

    `head`, `body` and `write` are the seconds that the connection waits for each; the path /slow takes `slow` seconds.
    """

    class Connection(BoundedConnection):
        HEAD_SECONDS = head
        BODY_SECONDS = body
        WRITE_SECONDS = write

    async def application(scope, receive, send):
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            if scope["path"] == "/slow":
                await asyncio.sleep(slow)
            names = b" ".join(name for name, _ in scope["headers"])
            content = b"a" * LARGE if scope["path"] == "/large" else names + b" ok"
            headers = [(b"content-length", b"%d" % len(content))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    with serving(application, http=Connection, lifespan="off") as port:
        yield "127.0.0.1", port


@pytest.fixture
def impatient():
    """A server that gives up soon, for those who are too slow."""
    with waiting(head=0.5, body=1.0, write=0.5, slow=1.5) as address:
        yield address


@pytest.fixture
def patient():
    """A server that waits as long as a busy machine may need, for those who are in time; /slow takes longer."""
    with waiting(head=5.0, body=30.0, write=30.0, slow=6.0) as address:
        yield address


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"GET / HTTP/1.1\r\n", b"X: a\r\n"],
        [bytes([byte]) for byte in b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"],
        [b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n", *[b"a"] * 49],
        [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n"] * 50],
        [b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX: ", *[b"a"] * 40],
        [b"GET / HTTP/1.1\r\n\r\n", *[b"\r\n"] * 40],
    ],
    ids=[
        "nothing",
        "half a head",
        "a head byte by byte",
        "a body byte by byte",
        "endless chunks",
        "a slow second",
        "empty lines",
    ],
)
def test_a_request_that_does_not_arrive_in_time_is_given_up(impatient, parts):
    answer = said(impatient, *parts, pause=0.05)
    assert json.loads(answer[answer.index(b'{"type"') :])["code"] == "http.too_slow"


def test_a_request_that_arrives_in_time_is_answered_and_so_is_the_next(patient):
    one = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    with socket.create_connection(patient, timeout=PATIENCE) as connection:
        for _ in range(2):
            connection.sendall(one)
            answer = b""
            while not answer.endswith(b"ok"):
                answer += connection.recv(4096)
            time.sleep(6)  # longer than a head may take: waiting between requests is not slowness
    large = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 8000000\r\n\r\n" + b"a" * 8_000_000
    assert said(patient, large).endswith(b"ok")


LAST = b"Connection: close\r\n\r\n"


def test_who_pipelines_is_not_too_slow_while_the_answer_to_an_earlier_request_is_awaited(patient):
    first = b"GET /slow HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\nGET /b HT"
    assert said(patient, first, b"TP/1.1\r\n" + LAST, pause=0.05).count(b" 200 ") == 3
    post = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n" + LAST
    assert said(patient, b"GET /slow HTTP/1.1\r\n\r\n" + post + b"a", b"bc", pause=0.05).count(b" 200 ") == 2


def test_who_pipelines_and_then_is_too_slow_is_told_so_after_the_answer(impatient):
    answer = said(impatient, b"GET /slow HTTP/1.1\r\n\r\nGET /b HT")
    assert answer.index(b" 200 ") < answer.index(b" ok") < answer.index(b" 408 ")


def test_what_is_no_http_behind_a_request_is_not_the_answer_to_it(patient):
    answer = said(patient, b"GET /slow HTTP/1.1\r\n\r\n", b"\0\1\r\n\r\n", pause=0.1)
    assert b" 400 " not in answer


def test_a_trailer_says_nothing(patient):
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + LAST
    answer = said(patient, head + b"1\r\na\r\n0\r\nAuthorization: Bearer a\r\n\r\n")
    assert answer.endswith(b"transfer-encoding connection ok")


@pytest.mark.parametrize("begun", [b"0\r\nX: ", b"1;", b"1\r\na\r\n0\r\nX: "], ids=["trailer", "extension", "late"])
def test_what_nobody_reads_of_a_body_is_bounded(patient, begun):
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + LAST
    answer = said(patient, head, begun, *[b"a" * 20_000] * 20, pause=0.01)
    assert not answer or problem(answer) == (431, "http.head_too_large")
    assert said(patient, head, *[b"1\r\na\r\n" * 5_000] * 20, b"0\r\n\r\n").endswith(b" ok")


def test_a_body_that_comes_with_the_end_of_its_head_is_not_part_of_it(patient):
    rest = b"st: x\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000
    parts = (b"POST / HTTP/1.1\r\nHo", rest + b"GET /b HT", b"TP/1.1\r\n" + LAST)
    assert said(patient, *parts, pause=0.1).count(b" 200 ") == 2


@pytest.mark.parametrize("last", [b"\r\n", LAST], ids=["kept", "closed"])
def test_who_reads_nothing_of_an_answer_is_given_up(impatient, last):
    with socket.create_connection(impatient, timeout=PATIENCE) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\n" + last)
        time.sleep(2)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(1 << 20):
                received += len(part)
        assert received < LARGE
