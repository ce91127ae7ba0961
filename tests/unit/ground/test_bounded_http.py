"""A request over HTTP ends within its total time, in the very bytes that were sent or in an error with a name."""

from __future__ import annotations

import contextlib
import errno
import gzip
import re
import socket
import threading
import time
import tracemalloc
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.faults.slow_server import ENDLESS, SLOW, WRONG, answer, speaking

from deedlog.registry.bounded_http import Answer, BoundedHttp, FetchError
from deedlog.registry.errors import InvalidData

TOTAL = 0.7
"""Seconds that the requests of these tests may take to a server that is slow."""

HANG = 30
"""Seconds after which a request is hanging, on any machine."""

MOST = 100_000


def fetch(url, method="GET", seconds=60.0, pauses=(), maximum=MOST, **options):
    with BoundedHttp(url, seconds=seconds, pauses=pauses) as http:
        return http.request(method, "/x", maximum=maximum, **options)


@contextlib.contextmanager
def raw_server(hello):
    """Listen, and send each who connects the bytes `hello` and then a byte now and then, whatever they say."""
    over = threading.Event()

    def drip(connection):
        with connection, contextlib.suppress(OSError):
            connection.sendall(hello)
            while hello and not over.wait(0.05):
                connection.sendall(b"\0")
            over.wait()

    def listen():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        yield listener.getsockname()[1]
        over.set()


@pytest.fixture(scope="module")
def server():
    """One server for many examples: its `script` is what it does next."""
    told = SimpleNamespace(script=[])
    with speaking(lambda _: iter(told.script)) as told.url:
        yield told


def refused(url, **options):
    with pytest.raises(FetchError) as caught:
        fetch(url, **options)
    assert caught.value.params["url"] == url
    return caught.value


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("pauses", [(), (0.01, 0.01)], ids=["once", "again"])
def test_a_slow_server_ends_in_an_error_within_the_total(script, pauses):
    start = time.monotonic()
    with speaking(script) as url:
        error = refused(url, seconds=TOTAL, pauses=pauses)
    assert (error.code, error.params["seconds"]) == ("fetch.too_slow", "0.7")
    assert TOTAL <= time.monotonic() - start < HANG


def test_a_server_that_does_not_read_ends_in_an_error_within_the_total():
    start = time.monotonic()
    with speaking(lambda _: iter([3600])) as url:
        error = refused(url, method="POST", body="x" * 50_000_000, seconds=TOTAL)
    assert error.code == "fetch.too_slow"
    assert time.monotonic() - start < HANG


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x03\x40\x00"], ids=["says nothing", "drips a record"])
def test_a_slow_handshake_of_tls_ends_in_an_error_within_the_total(hello):
    start = time.monotonic()
    with raw_server(hello) as port:
        error = refused(f"https://127.0.0.1:{port}", seconds=TOTAL)
    assert error.code == "fetch.too_slow"
    assert time.monotonic() - start < HANG


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_more_than_was_asked_for_is_not_read(script):
    with speaking(script) as url:
        error = refused(url)
    assert (error.code, error.params["maximum"]) == ("fetch.too_long", MOST)


def test_a_bomb_is_not_opened_beyond_the_most():
    bomb = answer(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    with speaking(lambda _: iter([bomb])) as url:
        tracemalloc.start()
        error = refused(url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.code == "fetch.too_long"
    assert peak < 10_000_000


@pytest.mark.parametrize("script", WRONG.values(), ids=WRONG)
def test_what_is_not_whole_is_no_answer(script):
    with speaking(script) as url:
        assert refused(url).code == "fetch.cut_off"


def test_exactly_the_most_bytes_are_an_answer():
    for body, coded in ((b"a" * MOST, None), (gzip.compress(b"a" * MOST), "gzip")):
        with speaking(lambda _, body=body, coded=coded: iter([answer(body, Content_Encoding=coded)])) as url:
            assert fetch(url) == Answer(200, b"a" * MOST)
            assert refused(url, maximum=MOST - 1).code == "fetch.too_long"


def test_an_error_page_that_is_too_long_is_still_an_error_of_its_status():
    with speaking(lambda _: iter([answer(b"<html>" * 50_000, 404)])) as url:
        assert fetch(url, maximum=10) == Answer(404, b"")


def test_what_comes_after_the_length_is_not_the_answer():
    with speaking(lambda _: iter([answer(b"{}", Content_Length=2) + b"HTTP/1.1 200 OK\r\n\r\nmore"])) as url:
        assert fetch(url) == Answer(200, b"{}")


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_other_compressions_are_not_read(coding):
    with speaking(lambda _: iter([answer(b"{}", Content_Encoding=coding)])) as url:
        error = refused(url)
    assert (error.code, error.params["encoding"]) == ("fetch.encoding", coding)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_is_followed(status, method):
    asked = []
    with speaking(lambda head: asked.append(head) or iter([answer(b"{}")])) as elsewhere:

        def script(head):
            asked.append(head)
            return iter([answer(b"", status, Location=f"{elsewhere}/x")])

        with speaking(script) as url:
            error = refused(url, method=method, pauses=(0.01,))
    assert (error.code, error.params["location"]) == ("fetch.redirected", f"{elsewhere}/x")
    assert len(asked) == 1
    assert asked[0].startswith(f"{method} /x ".encode())


def test_a_redirect_loop_is_one_request():
    asked = []
    with speaking(lambda head: asked.append(head) or iter([answer(b"", 302, Location="/x")])) as url:
        assert refused(url).params["location"] == "/x"
    assert len(asked) == 1


# Retries


def in_turn(*scripts):
    """Answer each request with the next; keep the requests and when they came."""
    asked = []

    def script(head):
        asked.append((time.monotonic(), head))
        return iter(scripts[min(len(asked), len(scripts)) - 1])

    return asked, script


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_may_pass_is_asked_again(status):
    asked, script = in_turn([answer(b"", status)], [], [answer(b"{}")])
    with speaking(script) as url:
        assert fetch(url, pauses=(0.01, 0.01, 0.01)) == Answer(200, b"{}")
    assert len(asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_what_stays_is_not_asked_again(status):
    asked, script = in_turn([answer(b"no", status)])
    with speaking(script) as url:
        assert fetch(url, pauses=(0.01,)) == Answer(status, b"no")
    assert len(asked) == 1


def test_tries_end():
    asked, script = in_turn([answer(b"busy", 503)])
    with speaking(script) as url:
        assert fetch(url, pauses=(0.01, 0.01)) == Answer(503, b"busy")
    assert len(asked) == 3


def test_a_post_is_sent_once_unless_it_may_be_repeated():
    for repeat, tries in ((None, 1), (False, 1), (True, 2)):
        asked, script = in_turn([], [answer(b"{}")])
        with speaking(script) as url:
            if tries == 1:
                assert refused(url, method="POST", body={}, repeat=repeat, pauses=(0.01,)).code == "fetch.cut_off"
            else:
                assert fetch(url, method="POST", body={}, repeat=repeat, pauses=(0.01,)) == Answer(200, b"{}")
        assert len(asked) == tries


def test_the_server_may_ask_for_a_longer_pause():
    asked, script = in_turn([answer(b"", 429, Retry_After=1)], [answer(b"{}")])
    with speaking(script) as url:
        assert fetch(url, pauses=(0.01,)).ok
    (first, _), (second, _) = asked
    assert second - first >= 1


def test_a_pause_is_told_before_it_is_made():
    told = []
    asked, script = in_turn([answer(b"", 429, Retry_After=1)], [], [answer(b"{}")])
    with speaking(script) as url, BoundedHttp(url, pauses=(0.01, 0.02), on_pause=told.append) as http:
        assert http.request("GET", maximum=MOST).ok
    assert (told, len(asked)) == ([1, 0.02], 3)


@pytest.mark.parametrize("after", ["86400", "999999999999", "-1", "soon", "Mon, 30 Nov 2026 10:00:00 GMT"])
def test_a_pause_beyond_the_total_is_not_made(after):
    start = time.monotonic()
    asked, script = in_turn([answer(b"", 503, Retry_After=after)])
    with speaking(script) as url:
        assert fetch(url, seconds=HANG, pauses=(0.01,)).status == 503
    assert len(asked) == (1 if after == "86400" else 2)
    assert time.monotonic() - start < HANG


# What is sent


def test_the_request_says_what_it_should():
    asked, script = in_turn([answer(b"{}")])
    with speaking(script) as url, BoundedHttp(url.replace("//", "//nóm:s%3Acret@"), headers={"X-A": "1"}) as http:
        http.request("POST", "/x", body={"é": 1}, query={"a": "b c"}, maximum=MOST)
    head = asked[0][1].decode().lower()
    assert head.startswith(("post /x?a=b%20c http/1.1\r\n", "post /x?a=b+c http/1.1\r\n"))
    for line in ("x-a: 1", "content-type: application/json", "accept-encoding: gzip", f"host: {url[7:]}"):
        assert line in head.split("\r\n")
    assert "authorization: basic " in head


@contextlib.contextmanager
def on_ipv6(script):
    """Run a server on ::1; skip the test where this machine has no IPv6."""
    try:
        with speaking(script, host="::1") as url:
            yield url
    except OSError as error:
        if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise
        pytest.skip(f"no IPv6 on this machine: {error.strerror}")


def host_of(head):
    return re.findall(rb"(?im)^host: (.*)\r$", head)


def test_an_ipv6_address_is_in_brackets_in_the_header_host():
    asked, script = in_turn([answer(b"{}")])
    with on_ipv6(script) as url:
        assert url.startswith("http://[::1]:")
        assert fetch(url) == Answer(200, b"{}")
    assert host_of(asked[0][1]) == [url.removeprefix("http://").encode()]


def test_the_zone_of_an_ipv6_address_stays_on_this_machine():
    asked, script = in_turn([answer(b"{}")])
    with on_ipv6(script) as url:
        assert fetch(url.replace("::1", "::1%1")) == Answer(200, b"{}")
    assert host_of(asked[0][1]) == [url.removeprefix("http://").encode()]


@pytest.mark.parametrize("value", ["é", "a\r\nX-Evil: 1", "a\n", " a", "a ", "\0", "a\x7f"])
def test_a_value_that_no_header_can_carry_is_refused_before_anything_is_sent(value):
    with pytest.raises(InvalidData, match=r"http\.header_value") as caught:
        BoundedHttp("http://127.0.0.1:1", headers={"X-A": value})
    assert caught.value.field == "X-A"
    with BoundedHttp("http://127.0.0.1:1") as http, pytest.raises(InvalidData, match=r"http\.header_value"):
        http.set_header("X-A", value)


def test_a_header_is_sent_until_it_is_taken_back():
    asked, script = in_turn([answer(b"{}")])
    with speaking(script) as url, BoundedHttp(url) as http:
        for value in ("zh-CN, zh;q=0.9", None):
            http.set_header("X-A", value)
            http.request("GET", maximum=MOST)
    assert [re.findall(rb"(?i)x-a: (.*)\r", head) for _, head in asked] == [[b"zh-CN, zh;q=0.9"], []]


def test_a_secret_url_is_not_in_errors():
    with (
        speaking(lambda _: iter([answer(b"", 302, Location="http://elsewhere/secret")])) as url,
        BoundedHttp(f"{url}/secret", shown=url) as http,
        pytest.raises(FetchError) as caught,
    ):
        http.request("GET", maximum=MOST)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *("", "no url", "http://[", "ftp://127.0.0.1", "http://a b/", "http://a..b/"),
        *(f"http://127.0.0.1:{port}" for port in (0, 65_536, 10**20)),
    ],
)
def test_urls_that_are_none(url):
    assert refused(url).code == "fetch.url"


def test_nobody_there():
    error = refused("http://127.0.0.1:1", pauses=(0.01,))
    assert (error.code, error.params["reason"]) == ("fetch.unreachable", "Connection refused")


# Proxies of the environment


@pytest.fixture
def proxies(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_a_proxy_is_used_and_is_as_slow_as_any_server(proxies):
    asked, script = in_turn([answer(b"{}")])
    with speaking(script) as proxy:
        proxies.setenv("http_proxy", proxy)
        assert fetch("http://registry.invalid") == Answer(200, b"{}")
    assert asked[0][1].startswith(b"GET http://registry.invalid/x HTTP/1.1\r\n")
    with speaking(SLOW["headers without end"]) as proxy:
        proxies.setenv("https_proxy", proxy)
        assert refused("https://registry.invalid", seconds=TOTAL).code == "fetch.too_slow"


def test_a_proxy_is_asked_for_an_ipv6_address_in_brackets(proxies):
    asked, script = in_turn([answer(b"{}")])
    with speaking(script) as proxy:
        proxies.setenv("http_proxy", proxy)
        proxies.setenv("https_proxy", proxy)
        assert fetch("http://[2001:db8::1]:81") == Answer(200, b"{}")
        with pytest.raises(FetchError):  # this proxy makes no tunnel
            fetch("https://[2001:db8::1]")
    (_, forwarded), (_, tunnelled) = asked
    assert forwarded.startswith(b"GET http://[2001:db8::1]:81/x HTTP/1.1\r\n")
    assert host_of(forwarded) == [b"[2001:db8::1]:81"]
    assert tunnelled.startswith(b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n")


def test_a_proxy_may_have_an_ipv6_address(proxies):
    asked, script = in_turn([answer(b"{}")])
    with on_ipv6(script) as proxy:
        proxies.setenv("http_proxy", proxy)
        assert fetch("http://registry.invalid") == Answer(200, b"{}")
    assert host_of(asked[0][1]) == [b"registry.invalid"]


@pytest.mark.parametrize("exempt", ["::1", "[::1]"])
def test_an_ipv6_address_can_be_exempt(proxies, exempt):
    proxies.setenv("http_proxy", "http://127.0.0.1:1")
    proxies.setenv("no_proxy", exempt)
    with on_ipv6(lambda _: iter([answer(b"{}")])) as url:
        assert fetch(url).ok


def test_a_host_can_be_exempt(proxies):
    proxies.setenv("http_proxy", "http://127.0.0.1:1")
    with speaking(lambda _: iter([answer(b"{}")])) as url:
        assert refused(url).code == "fetch.unreachable"
        proxies.setenv("no_proxy", "127.0.0.1")
        assert fetch(url).ok


@pytest.mark.parametrize("scheme", ["https", "socks5"])
def test_a_proxy_that_would_wait_without_bound_is_refused(proxies, scheme):
    proxies.setenv("all_proxy", f"{scheme}://127.0.0.1:1")
    error = refused("http://127.0.0.1:2")
    assert (error.code, error.params["scheme"]) == ("fetch.proxy", scheme)


# Any bytes, cut in any way


def outcome(url):
    """Return the answer, or the code of the error."""
    try:
        return fetch(url)
    except FetchError as error:
        return error.code


def framed(body, framing, sizes):
    """Return an answer's bytes with its body framed in one of HTTP's ways, and whether its end can be told."""
    if framing == "gzip":
        body = gzip.compress(body, mtime=0)
    if framing == "end":
        return answer(body, Content_Length=None)
    if framing == "chunks":
        chunks, at = b"", 0
        for size in [*sizes, len(body)]:
            part = body[at : at + size]
            chunks += f"{len(part):x}\r\n".encode() + part + b"\r\n" if part else b""
            at += size
        return answer(chunks + b"0\r\n\r\n", Content_Length=None, Transfer_Encoding="chunked")
    return answer(body, Content_Encoding="gzip" if framing == "gzip" else None)


@settings(max_examples=150)
@given(
    st.binary(max_size=2000),
    st.sampled_from(["length", "chunks", "end", "gzip"]),
    st.lists(st.integers(1, 300), max_size=8),
    st.lists(st.integers(0, 2600), max_size=6),
    st.one_of(st.none(), st.integers(0, 2600)),
)
def test_the_very_bytes_or_an_error_however_they_come(server, body, framing, sizes, cuts, end):
    sent = framed(body, framing, sizes)
    whole = end is None or end >= len(sent)
    sent = sent if whole else sent[:end]
    marks = sorted({0, *(cut for cut in cuts if cut < len(sent)), len(sent)})
    pieces = [sent[start:stop] for start, stop in pairwise(marks)]
    server.script = [act for piece in pieces for act in (piece, 0.001)]
    got = outcome(server.url)
    if whole:
        assert got == Answer(200, body)
    elif got == "fetch.cut_off":
        return
    elif framing == "end":  # nothing tells the end of such a body: what came, came
        assert body.startswith(got.content)
    else:
        assert got == Answer(200, body), "a body that was cut was taken for whole"


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_at_all_end_in_an_answer_or_an_error(server, data):
    server.script = [data]
    got = outcome(server.url)
    assert isinstance(got, Answer) or got in ("fetch.cut_off", "fetch.redirected", "fetch.encoding")
