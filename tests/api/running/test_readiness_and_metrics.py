"""Signs of life: what monitors ask, against a real registry, its worker and its chain."""

from __future__ import annotations

import json
import signal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.worlds.registries.forked_registry import forked_registry
from support.worlds.registries.registry_world import ALICE, work
from support.worlds.session.waiting import until


def metrics(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_registry_in_order_is_ready_and_says_how_it_stands(site):
    site.post(work(content=b"to be counted"), ALICE, wait=True)
    # A worker that gets no processor for seconds is not ready for a moment.
    answer = until(lambda: (got := site.anyone.get("/readyz")).status_code == 200 and got)
    shown = answer.json()
    assert shown["status"] in ("ok", "alarm")
    assert shown["checks"]["database"]
    assert shown["checks"]["sequencer"]
    assert shown["checks"]["checkpoint"]
    assert shown["log_size"] >= 1
    assert shown["anchor_deadline"] == 3 * site.local.anchor_interval


def test_metrics_count_requests_by_route_and_never_by_what_was_typed(site):
    for path in ("/v1/statements/0x" + "0" * 64, "/v1/statements/0x" + "1" * 64, "/no/such/page"):
        assert site.anyone.get(path).status_code == 404
    seen = metrics(site.anyone)
    routes = {dict(labels).get("route") for (name, labels) in seen if name == "deedlog_http_requests_total"}
    assert "/v1/statements/{digest}" in routes
    assert "other" in routes
    assert not any("0000" in str(route) or "such" in str(route) for route in routes)
    assert seen["deedlog_up", ()] == 1
    assert seen["deedlog_log_size", ()] >= 0
    assert seen["deedlog_check", (("check", "sequencer"),)] == 1


def test_an_accepted_statement_is_counted_and_logged_with_its_digest(site):
    before = metrics(site.anyone).get(("deedlog_statements_total", (("kind", "Work"), ("outcome", "accepted"))), 0)
    site.post(work(content=b"counted once"), ALICE)
    after = metrics(site.anyone)["deedlog_statements_total", (("kind", "Work"), ("outcome", "accepted"))]
    assert after == before + 1


@pytest.fixture
def alone(tmp_path, fork_server):
    """A registry whose web process and worker are started one by one."""
    local = forked_registry(tmp_path / "alone", fork_server)
    try:
        local.start_chain()
        local.create()
        yield local
    finally:
        local.stop()


def test_without_a_sequencer_it_answers_and_is_not_ready(alone):
    local = alone
    web = local.begin("serve", "serve", "--json")
    until(lambda: answers(local))
    assert httpx.get(f"{local.url}/healthz").status_code == 200
    not_ready = httpx.get(f"{local.url}/readyz")
    assert not_ready.status_code == 503
    assert not_ready.json()["checks"]["sequencer"] is False
    worker = local.begin("worker", "worker", "--json")
    until(lambda: httpx.get(f"{local.url}/readyz").status_code == 200)
    worker.signal(signal.SIGTERM)
    assert worker.wait("it stops") == 0
    until(lambda: httpx.get(f"{local.url}/readyz").status_code == 503)
    for process in (web, worker):
        for line in process.said.read_text("utf-8").splitlines():
            assert {"time", "level", "logger", "message"} <= json.loads(line).keys()


def answers(local):
    try:
        return httpx.get(f"{local.url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
