"""Each fault of the faulty node, as a client sees it."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.faults.faulty_node import FaultyNode
from support.faults.node_faults import (
    answer,
    body,
    changed,
    cut,
    cut_short,
    frozen,
    hang,
    instead,
    late,
    lost,
    passed,
    rpc_error,
    status,
    zeros,
)
from support.worlds.chains.anvil import running_anvil
from support.worlds.session.waiting import PATIENCE, until

CLIENT = httpx.Client()  # its connections are kept, and left open when a node is closed
CUT_OFF = httpx.RemoteProtocolError
HEADERS_ONLY = False
SHORT = 0.5
"""Seconds a client waits for what never comes."""


@pytest.fixture
def node(shared_anvil):
    with FaultyNode(shared_anvil.url) as node:
        yield node


def post(node, method, *params, timeout=PATIENCE):
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}
    return CLIENT.post(node.url, json=message, timeout=timeout)


def result(node, method, *params):
    answered = post(node, method, *params).json()
    assert answered["id"] == 7
    return answered["result"]


def error(node, method, *params):
    return post(node, method, *params).json()["error"]


def nonce(chain):
    return int(chain.request("eth_getTransactionCount", chain.request("eth_accounts")[0], "latest"), 16)


def send(node, chain):
    payer, payee = chain.request("eth_accounts")[:2]
    return post(node, "eth_sendTransaction", {"from": payer, "to": payee, "value": "0x1"})


def test_without_a_fault_the_node_behind_answers_over_one_connection(node, shared_anvil):
    connection = http.client.HTTPConnection("127.0.0.1", int(node.url.rsplit(":", 1)[1]))
    ports = set()
    for method in ("eth_chainId", "eth_accounts"):
        connection.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": "an id", "method": method, "params": []}))
        answered = json.loads(connection.getresponse().read())
        assert answered == {"jsonrpc": "2.0", "id": "an id", "result": shared_anvil.request(method)}
        ports.add(connection.sock.getsockname())
    connection.close()
    assert len(ports) == 1, "the connection was not kept"


def test_what_was_asked_is_kept_in_order(node):
    post(node, "eth_chainId")
    post(node, "eth_getBlockByNumber", "0x0", HEADERS_ONLY)
    post(node, "eth_chainId")
    post(node, "eth_accounts")
    asked = [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", HEADERS_ONLY]), ("eth_chainId", [])]
    assert node.seen == [*asked, ("eth_accounts", [])]
    assert node.count("eth_chainId") == 2


def test_a_fault_is_used_so_many_times_then_the_next_one(node):
    node.fault("eth_chainId", answer(1), times=2)
    node.fault("eth_chainId", answer(2), times=1)
    assert [result(node, "eth_chainId") for _ in range(4)] == [1, 1, 2, "0x7a69"]


def test_a_fault_of_the_method_goes_before_one_of_every_method(node):
    node.fault(None, answer("every"))
    node.fault("eth_chainId", answer("one"))
    node.fault("eth_accounts", passed, times=1)
    assert result(node, "eth_chainId") == "one"
    assert len(result(node, "eth_accounts")) == 10
    assert result(node, "eth_accounts") == "every"
    node.heal()
    assert result(node, "eth_chainId") == "0x7a69"


def test_a_fault_for_some_parameters_only(node):
    node.fault("eth_getBlockByNumber", answer(None), where=lambda params: params[0] == "finalized")
    assert result(node, "eth_getBlockByNumber", "finalized", HEADERS_ONLY) is None
    assert result(node, "eth_getBlockByNumber", "latest", HEADERS_ONLY) is not None


def test_hang_is_never_answered_and_never_done(node, shared_anvil):
    before = nonce(shared_anvil)
    node.fault("eth_sendTransaction", hang, times=1)
    with ThreadPoolExecutor() as pool:
        sent = pool.submit(send, node, shared_anvil)
        until(lambda: node.count("eth_sendTransaction"))
        with pytest.raises(TimeoutError):
            sent.result(timeout=SHORT)
        node.heal()
        with pytest.raises(CUT_OFF):
            sent.result()
    assert nonce(shared_anvil) == before


def test_late_is_done_after_the_client_gave_up(node, shared_anvil):
    before = nonce(shared_anvil)
    payer, payee = shared_anvil.request("eth_accounts")[:2]
    node.fault("eth_sendTransaction", late)
    with pytest.raises(httpx.ReadTimeout):
        post(node, "eth_sendTransaction", {"from": payer, "to": payee, "value": "0x1"}, timeout=SHORT)
    assert nonce(shared_anvil) == before
    node.heal()
    until(lambda: nonce(shared_anvil) == before + 1)


@pytest.mark.parametrize("code", [429, 500, 503])
def test_an_http_error_comes_with_a_page(node, code):
    node.fault("eth_chainId", status(code))
    answered = post(node, "eth_chainId")
    assert answered.status_code == code
    assert answered.headers["content-type"] == "text/html"
    assert str(code) in answered.text
    with pytest.raises(ValueError, match="Expecting value"):
        answered.json()


@pytest.mark.parametrize(("fault", "done"), [(cut, 0), (lost, 1)])
def test_a_connection_cut_before_or_after_it_was_done(node, shared_anvil, fault, done):
    before = nonce(shared_anvil)
    node.fault("eth_sendTransaction", fault, times=1)
    with pytest.raises(CUT_OFF, match="without sending a response"):
        send(node, shared_anvil)
    until(lambda: nonce(shared_anvil) == before + done)
    assert send(node, shared_anvil).status_code == 200
    until(lambda: nonce(shared_anvil) == before + done + 1)


def test_half_of_an_answer(node):
    whole = len(post(node, "eth_accounts").content)
    node.fault("eth_accounts", cut_short)
    with pytest.raises(CUT_OFF, match=f"received {whole // 2} bytes, expected {whole}"):
        post(node, "eth_accounts")


def test_refusals_of_the_node(node):
    for code, message in [(-32005, "limit exceeded"), (-32000, "nonce too low")]:
        node.fault("eth_sendRawTransaction", rpc_error(code, message), times=1)
        assert error(node, "eth_sendRawTransaction", "0x") == {"code": code, "message": message}


@pytest.mark.parametrize("value", [None, {}, [], "0x", -1, 2**300, True, "0x" + "f" * 100])
def test_any_result(node, value):
    node.fault(None, answer(value))
    assert result(node, "eth_blockNumber") == value


@pytest.mark.parametrize("content", [b"[]", b"{}", b"no JSON", b"", b"\xff\xfe"])
def test_any_bytes(node, content):
    node.fault(None, body(content))
    answered = post(node, "eth_blockNumber")
    assert (answered.status_code, answered.content) == (200, content)


def test_more_bytes_than_anybody_should_read(node):
    node.fault(None, zeros(50_000_001))
    assert post(node, "eth_blockNumber").content == bytes(50_000_001)
    # A client that stops reading holds up nothing.
    with CLIENT.stream("POST", node.url, json={"id": 1, "method": "eth_blockNumber"}) as answered:
        assert next(answered.iter_raw())[0] == 0


def test_a_result_that_is_changed(node, shared_anvil):
    node.fault("eth_getBlockByNumber", changed(lambda block: block | {"hash": "0x" + "ab" * 32}))
    block = result(node, "eth_getBlockByNumber", "0x0", HEADERS_ONLY)
    assert block["hash"] == "0x" + "ab" * 32
    assert block["stateRoot"] == shared_anvil.request("eth_getBlockByNumber", "0x0", HEADERS_ONLY)["stateRoot"]


def test_an_error_is_not_changed(node):
    node.fault("eth_getBalance", changed(lambda _result: "changed"))
    assert error(node, "eth_getBalance", "no address", "latest")["code"] == -32602


def test_another_node_instead(node):
    with running_anvil("--chain-id", "5") as other:
        node.fault(None, instead(other.url))
        assert result(node, "eth_chainId") == "0x5"
        node.heal()
        assert result(node, "eth_chainId") == "0x7a69"
    # It is gone now: nothing answers, and that is no defect of the test.
    node.fault(None, instead(other.url))
    with pytest.raises(CUT_OFF):
        result(node, "eth_chainId")


class Stale:
    """A chain that went on after a node had stopped: the payer's nonce is one more, four blocks later."""

    def __init__(self, chain):
        self.payer, self.payee = chain.request("eth_accounts")[:2]
        payment = {"from": self.payer, "to": self.payee, "value": "0x1"}
        self.old = chain.request("eth_sendTransaction", payment)
        mined = until(lambda: chain.request("eth_getTransactionReceipt", self.old), "the payment is mined")
        self.newest = int(mined["blockNumber"], 16)
        self.finalized = chain.request("eth_getBlockByNumber", "finalized", HEADERS_ONLY)["number"]
        self.fault = frozen(chain.url)
        self.nonce = chain.request("eth_getTransactionCount", self.payer, "latest")
        self.balance = chain.request("eth_getBalance", self.payee, "latest")
        self.late = chain.request("eth_sendTransaction", payment)
        chain.request("anvil_mine", "0x64")
        assert chain.request("eth_getBlockByNumber", "finalized", HEADERS_ONLY)["number"] != self.finalized


@pytest.fixture
def stale(shared_anvil):
    return Stale(shared_anvil)


def test_a_frozen_node_stays_at_its_block(node, stale):
    node.fault(None, stale.fault)
    assert result(node, "eth_blockNumber") == hex(stale.newest)
    for tag in ("latest", "pending"):
        assert result(node, "eth_getBlockByNumber", tag, HEADERS_ONLY)["number"] == hex(stale.newest)
        assert result(node, "eth_getTransactionCount", stale.payer, tag) == stale.nonce
        assert result(node, "eth_getBalance", stale.payee, tag) == stale.balance
        assert result(node, "eth_getProof", stale.payee, [], tag)["balance"] == stale.balance
    for tag in ("safe", "finalized"):
        assert result(node, "eth_getBlockByNumber", tag, HEADERS_ONLY)["number"] == stale.finalized
    assert result(node, "eth_getBalance", stale.payee) == stale.balance
    assert result(node, "eth_getBlockByNumber", "earliest", HEADERS_ONLY)["number"] == "0x0"


def test_a_frozen_node_runs_code_at_its_block(node, shared_anvil):
    # NUMBER, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: returns the block's number.
    contract = "0x" + "c0" * 20
    shared_anvil.request("anvil_setCode", contract, "0x435f5260205ff3")
    shared_anvil.request("anvil_mine", "0x1")
    node.fault(None, frozen(shared_anvil.url))
    newest = int(shared_anvil.request("eth_blockNumber"), 16)
    shared_anvil.request("anvil_mine", "0x5")
    assert int(result(node, "eth_call", {"to": contract}, "latest"), 16) == newest
    assert result(node, "eth_getCode", contract, "latest") == "0x435f5260205ff3"


def test_a_frozen_node_knows_nothing_of_later_blocks(node, stale, shared_anvil):
    node.fault(None, stale.fault)
    later = hex(stale.newest + 1)
    assert result(node, "eth_getBlockByNumber", later, HEADERS_ONLY) is None
    for method, *params in [
        ("eth_getBalance", stale.payee),
        ("eth_call", {"to": stale.payee}),
        ("eth_getProof", stale.payee, []),
    ]:
        assert error(node, method, *params, later) == {"code": -32000, "message": "header not found"}
    assert result(node, "eth_getTransactionReceipt", stale.late) is None
    assert result(node, "eth_getTransactionReceipt", stale.old)["blockNumber"] == hex(stale.newest)
    later_hash = shared_anvil.request("eth_getBlockByNumber", later, HEADERS_ONLY)["hash"]
    assert result(node, "eth_getBlockByHash", later_hash, HEADERS_ONLY) is None


def test_a_node_that_lags_for_one_method_once(node, stale, shared_anvil):
    node.fault("eth_getTransactionCount", stale.fault, times=1)
    assert result(node, "eth_blockNumber") == shared_anvil.request("eth_blockNumber")
    counts = [int(result(node, "eth_getTransactionCount", stale.payer, "latest"), 16) for _ in range(2)]
    assert counts == [int(stale.nonce, 16), int(stale.nonce, 16) + 1]


def walk(node, seed, chance):
    weather = node.weather(random.Random(seed), [answer("a"), answer("b"), answer("c")], chance)
    results = [result(node, "eth_chainId") for _ in range(40)]
    node.heal()
    assert weather.met == [("eth_chainId", "abc".index(value)) for value in results if value in "abc"]
    return results


def test_weather_is_the_same_for_the_same_seed(node):
    assert walk(node, 1, 0.5) == walk(node, 1, 0.5)
    assert walk(node, 1, 0.5) != walk(node, 2, 0.5)
    assert set(walk(node, 1, 0.5)) == {"a", "b", "c", "0x7a69"}
    assert set(walk(node, 1, 0)) == {"0x7a69"}
    assert set(walk(node, 1, 1)) == {"a", "b", "c"}


def test_closing_lets_go_whatever_hangs_and_leaves_no_thread(shared_anvil):
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
        with FaultyNode(shared_anvil.url) as node:
            node.fault("hang", hang)
            node.fault("late", late)
            node.fault("upstream", instead(f"http://127.0.0.1:{silent.getsockname()[1]}"))
            node.fault("unread", zeros(10**9))
            asked = [pool.submit(post, node, method) for method in ("hang", "late", "upstream")]
            idle = socket.create_connection(("127.0.0.1", int(node.url.rsplit(":", 1)[1])))
            unread = socket.create_connection(idle.getpeername())
            message = b'{"id": 1, "method": "unread"}'
            unread.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(message), message))
            until(lambda: len(node.seen) == 4)
            silent.accept()
        assert [type(one.exception()) for one in asked] == [CUT_OFF, CUT_OFF, CUT_OFF]
        assert idle.recv(1) == b""
        idle.close()
        unread.close()
        with pytest.raises(httpx.ConnectError):
            post(node, "eth_chainId")
    assert set(threading.enumerate()) <= before  # threads of other tests may end meanwhile


def test_a_mistake_in_a_tests_own_fault_is_raised(shared_anvil):
    def mistaken():
        with FaultyNode(shared_anvil.url) as node:
            node.fault(None, changed(lambda _result: {}["no such member"]))
            with pytest.raises(CUT_OFF):
                post(node, "eth_chainId")

    with pytest.raises(KeyError, match="no such member"):
        mistaken()


def test_a_batch_is_refused(node):
    assert CLIENT.post(node.url, json=[]).json()["error"]["code"] == -32600
