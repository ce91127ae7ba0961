"""What nodes answer to `verify --rpc`: taken only in its shape; all else is a problem with a name."""

from __future__ import annotations

import json

import pytest
from support.faults.strange_server import answering

from deedlog.anchor.rpc.contract_reader import ask

BLOCK = {"hash": "0x" + "ab" * 32, "number": "0x10"}


def node(results):
    """Answer each method with its result, or with an error if that is an exception."""

    def answer(_method, _path, body):
        request = json.loads(body)
        result = results[request["method"]](*request["params"])
        if isinstance(result, Exception):
            return 200, json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": str(result)}}).encode()
        return 200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()

    return answering(answer)


def blocks(finalized=BLOCK, numbered=BLOCK):
    return lambda number, _full: finalized if number == "finalized" else numbered


def asked(**results):
    methods = {"eth_chainId": lambda: "0xaa36a7", "eth_getBlockByNumber": blocks()}
    with node(methods | results) as url:
        return ask(url, [16])


def test_an_honest_node():
    answer = asked()
    assert (answer.problem, answer.chain_id, answer.finalized) == (None, 11155111, 16)
    assert answer.blocks == {16: b"\xab" * 32}


def test_a_chain_without_the_finalized_tag():
    answer = asked(eth_getBlockByNumber=blocks(finalized=ValueError("no such tag")))
    assert (answer.problem, answer.finalized, answer.blocks) == (None, None, {16: b"\xab" * 32})


def test_a_node_that_calls_nothing_final():
    answer = asked(eth_getBlockByNumber=blocks(finalized=None))
    assert (answer.problem, answer.finalized, answer.blocks) == (None, None, {16: b"\xab" * 32})


def test_a_node_that_does_not_have_the_block():
    answer = asked(eth_getBlockByNumber=blocks(numbered=None))
    assert (answer.problem, answer.blocks) == (None, {})


@pytest.mark.parametrize(
    "results",
    [
        {"eth_chainId": lambda: "0x" + "f" * 6000},
        {"eth_chainId": lambda: None},
        {"eth_chainId": lambda: 5},
        {"eth_chainId": lambda: ValueError("rate limited")},
        {"eth_getBlockByNumber": blocks(numbered=ValueError("rate limited"))},
        {"eth_getBlockByNumber": blocks(numbered=[])},
        {"eth_getBlockByNumber": blocks(numbered={"hash": 5})},
        {"eth_getBlockByNumber": blocks(numbered={"hash": "0xzz"})},
        {"eth_getBlockByNumber": blocks(finalized={"number": "0x" + "f" * 6000})},
        {"eth_getBlockByNumber": blocks(finalized=[])},
    ],
)
def test_answers_that_are_no_answers(results):
    assert asked(**results).problem == "node.unreadable"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"[" * 200_000, b"\xff", b"{" + b" " * 100])
def test_bytes_that_are_no_answers(content):
    with answering(lambda *_: (200, content)) as url:
        assert ask(url, [16]).problem == "node.unreadable"


@pytest.mark.parametrize("url", ["http://[", "no url", "ftp://127.0.0.1", "http://127.0.0.1:1"])
def test_urls_that_lead_nowhere(url):
    assert ask(url, [16]).problem == "node.unreachable"


def test_a_node_that_refuses():
    with answering(lambda *_: (429, b"too many")) as url:
        assert ask(url, [16]).problem == "node.unreachable"
