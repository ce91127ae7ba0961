"""A node's URL is shown as scheme, host and port: no secret that it carries gets into what is kept or passed on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedlog.anchor.rpc.contract_reader import NodeContract, ask
from deedlog.anchor.rpc.redaction import UNREADABLE, shown
from deedlog.registry.errors import Unavailable

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://eth.example.com/v3/s3cr3t", "https://eth.example.com"),
        ("https://eth.example.com/?key=s3cr3t", "https://eth.example.com"),
        ("https://eth.example.com#s3cr3t", "https://eth.example.com"),
        ("https://somebody:s3cr3t@eth.example.com:8545/x", "https://eth.example.com:8545"),
        ("https://s3cr3t@eth.example.com", "https://eth.example.com"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://[::1]:8545/s3cr3t", "http://[::1]:8545"),
        ("wss://例え.jp/s3cr3t", "wss://例え.jp"),
        ("eth.example.com/s3cr3t", UNREADABLE),
        ("http://[s3cr3t", UNREADABLE),
        ("http://eth.example.com:s3cr3t/", UNREADABLE),
        ("http://eth.example.com\\s3cr3t", UNREADABLE),
        ("http://s3cr3t@", UNREADABLE),
        ("s3cr3t", UNREADABLE),
        ("", UNREADABLE),
    ],
)
def test_only_scheme_host_and_port_are_shown(url, expected):
    assert shown(url) == expected
    assert SECRET not in shown(url)


@given(
    *(st.text(st.characters(codec="utf-8"), max_size=20) for _ in range(3)),
)
def test_whatever_stands_around_the_host_is_not_shown(before, path, query):
    url = f"https://{before}{SECRET}@host.example:99/{path}{SECRET}?{query}{SECRET}"
    assert SECRET not in shown(url)


@pytest.mark.parametrize("url", ["http://u:s3cr3t@127.0.0.1:1/s3cr3t", "http://[s3cr3t", "s3cr3t"])
def test_neither_an_answer_nor_an_error_holds_the_whole_url(url):
    answer = ask(url, [1])
    assert answer.problem == "node.unreachable"
    assert SECRET not in repr(answer)
    with pytest.raises(Unavailable) as raised:
        NodeContract(url, bytes(20))
    assert raised.value.code == "node.unreachable"
    assert SECRET not in str(raised.value)
