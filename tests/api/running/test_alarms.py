"""Alarms as a monitor outside sees them: real processes, on a chain whose node goes away and comes back."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.faults.faulty_node import FaultyNode
from support.faults.node_faults import status
from support.worlds.registries.forked_registry import ForkedRegistry, forked_registry
from support.worlds.session.waiting import until

from deedlog.anchor.log import key as log_key
from deedlog.api.http import examples
from deedlog.registry import files, keystore
from deedlog.registry.hexadecimal import to_checksum, to_hex

SECRET = "0123456789abcdef"
CHEAP = 2**4
"""The cost of the operator's key file, which is not what is tested."""


class Watched:
    """A registry whose worker asks a node that a test can take away, under a URL with secrets in it."""

    def __init__(self, node: FaultyNode, local: ForkedRegistry) -> None:
        self.node = node
        self.local = local
        files.make_folder(local.data / "passphrases")
        for name in ("operator", "log"):
            files.write_private(local.data / "passphrases" / name, f"{SECRET}\n".encode())
        keystore.write(local.data / "operator.json", keystore.new_key(), SECRET, CHEAP)
        log_key.create(local.data / "log.pem", SECRET)
        self.identity = local.create()
        host = node.url.removeprefix("http://")
        chains = json.loads(Path("anchor/rpc/chains.json").read_text("utf-8"))
        path = local.data / "chains.json"
        path.write_text(json.dumps({"local": chains["local"] | {"poll_milliseconds": 50}}), "utf-8")
        environment = {
            "DEEDLOG_RPC_URL": f"http://user-{SECRET}:word-{SECRET}@{host}/v3/{SECRET}",
            "DEEDLOG_CHAINS": str(path),
        }
        local.begin("serve", "serve", **environment)
        self._worker = local.begin("worker", "worker", "--json", **environment)

    def answers(self):
        try:
            return httpx.get(f"{self.local.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def ready(self, language="en"):
        answer = httpx.get(f"{self.local.url}/readyz", headers={"Accept-Language": language})
        assert SECRET not in answer.text
        return answer

    def alarms(self, language="en"):
        return {alarm["code"]: alarm for alarm in self.ready(language).json()["alarms"]}

    def metrics(self):
        text = httpx.get(f"{self.local.url}/metrics").text
        assert SECRET not in text
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def lines(self):
        """Return what the worker has logged, whole lines only; its node's secrets are in none."""
        text = self._worker.said.read_text("utf-8")
        assert SECRET not in text
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def said(self, code):
        """Return how often the log says that an alarm began, and that it is over."""
        about = [
            line["message"].split(":")[0]
            for line in self.lines()
            if line.get("alarm") == code and line.get("role") == "anchorer"
        ]
        assert set(about) <= {"alarm", "over"}
        return about.count("alarm"), about.count("over")

    def polls(self, method, count) -> None:
        """Wait until the worker has asked for something so often again."""
        before = self.node.count(method)
        until(lambda: self.node.count(method) >= before + count)

    def balance(self, wei) -> None:
        self.chain("anvil_setBalance", to_hex(self.identity.operator), hex(wei))
        self.chain("evm_mine")

    def chain(self, method, *parameters):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer = httpx.post(self.local.rpc_url, json=message).json()
        return answer["result"]


@pytest.fixture(scope="module")
def watched(tmp_path_factory, fork_server):
    local = forked_registry(tmp_path_factory.mktemp("watched"), fork_server)
    try:
        local.start_chain()
        with FaultyNode(local.rpc_url) as node:
            made = Watched(node, local)
            until(made.answers)
            yield made
    finally:
        local.stop()


@pytest.fixture
def well(watched):
    """The registry with nothing wrong, before and after a test."""
    watched.node.heal()
    until(lambda: not watched.alarms())
    yield watched
    watched.node.heal()


def test_a_registry_in_order_says_how_its_chain_stands(well):
    body = examples.submission(well.identity.address)
    assert httpx.post(f"{well.local.url}/v1/statements", json=body).status_code == 201

    def in_order():
        shown = well.ready().json()
        anchored = shown["anchored_size"] == 1 and int(shown["operator_balance"]) < 10**20  # the anchor is paid for
        return shown if anchored and shown["status"] == "ok" and all(shown["checks"].values()) else None

    shown = until(in_order, well.ready)
    assert set(shown["checks"]) >= {"database", "sequencer", "checkpoint", "balance"}
    assert int(shown["operator_balance"]) > 10**19
    assert shown["unanchored_age"] is None

    def quiet():
        seen = well.metrics()
        return None if any(name == "deedlog_alarm" for name, *_ in seen) else seen

    metrics = until(quiet, well.metrics)
    assert metrics["deedlog_operator_balance_wei",] == float(shown["operator_balance"])
    assert metrics["deedlog_anchored_size",] == 1


def test_a_node_that_is_away_is_an_alarm_until_it_is_back(well):
    code = "chain.unreachable"
    before = well.said(code)
    well.node.fault(None, status(503))
    until(lambda: code in well.alarms())
    # What is accepted is logged all the same.
    answer = until(lambda: (got := well.ready()).status_code == 200 and got)
    assert answer.json()["status"] == "alarm"
    assert answer.json()["checks"]["sequencer"]
    english, chinese = (well.alarms(language)[code]["detail"] for language in ("en", "zh"))
    for detail in (english, chinese):
        assert well.node.url in detail
        assert "DEEDLOG_RPC_URL" in detail
        assert "HTTP 503" in detail
    assert "Check DEEDLOG_RPC_URL" in english
    assert "请检查 DEEDLOG_RPC_URL" in chinese
    since = well.alarms()[code]["since"]
    assert well.metrics()["deedlog_alarm", code] == since
    until(lambda: well.said(code) == (before[0] + 1, before[1]))
    well.polls("eth_chainId", 10)
    assert well.alarms()[code]["since"] == since
    assert well.said(code) == (before[0] + 1, before[1])
    well.node.heal()
    until(lambda: not well.alarms())
    until(lambda: well.said(code) == (before[0] + 1, before[1] + 1))
    well.polls("eth_chainId", 10)
    assert ("deedlog_alarm", code) not in well.metrics()
    assert well.said(code) == (before[0] + 1, before[1] + 1)


def test_the_log_says_why_it_waits_once_and_not_at_every_poll(well):
    code = "chain.unreachable"

    def said():
        # The sequencer says it too, where it is not yet at work, or has to begin again.
        return len([line for line in well.lines() if line.get("alarm") == code and line.get("role") != "sequencer"])

    before = said()
    well.node.fault(None, status(503))
    until(lambda: said() == before + 1)
    well.polls("eth_chainId", 20)
    assert said() == before + 1


def test_a_low_balance_is_an_alarm_until_somebody_funds_the_account(well):
    code = "alarm.balance_low"
    before = well.said(code)
    full = int(well.ready().json()["operator_balance"])
    well.balance(10**15)
    until(lambda: code in well.alarms())
    until(lambda: well.ready().json()["operator_balance"] == str(10**15))
    shown = well.ready().json()
    assert (shown["status"], shown["checks"]["balance"]) == ("alarm", False)
    # It is not over because the next rounds fail.
    well.node.fault(None, status(503))
    until(lambda: "chain.unreachable" in well.alarms())
    assert code in well.alarms()
    well.node.heal()
    until(lambda: "chain.unreachable" not in well.alarms())
    account = to_checksum(well.identity.operator)
    assert account in well.alarms()[code]["detail"]
    assert "Fund it" in well.alarms()[code]["detail"]
    assert "充值" in well.alarms("zh")[code]["detail"]
    metrics = well.metrics()
    assert metrics["deedlog_alarm", code] == well.alarms()[code]["since"]
    assert metrics["deedlog_operator_balance_wei",] == 10**15
    assert metrics["deedlog_check", "balance"] == 0
    until(lambda: well.said(code) == (before[0] + 1, before[1]))
    well.polls("eth_getBalance", 10)
    assert well.said(code) == (before[0] + 1, before[1])
    well.balance(full)
    until(lambda: not well.alarms())
    until(lambda: well.ready().json()["checks"]["balance"])
    until(lambda: well.said(code) == (before[0] + 1, before[1] + 1))
    well.polls("eth_getBalance", 10)
    assert well.said(code) == (before[0] + 1, before[1] + 1)
