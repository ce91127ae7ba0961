"""Several workers and several web processes on one database: one sequences, one anchors, whatever becomes of them.

Real processes under a steady stream of registrations: the holder of the roles is paused and wakes up, is killed, is
told to stop; each time another goes on, and in the end the log is one.
"""

from __future__ import annotations

import json
import logging
import signal
import time

import httpx
import pytest
from sqlalchemy import text
from support.worlds.registries.fleet import Stream, Watch, make_fleet
from support.worlds.session.waiting import until

from deedlog.anchor import merkle
from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring import store as anchor_store
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.store import statements as store
from deedlog.registry.store.lease import ANCHORER, SEQUENCER

_log = logging.getLogger(__name__)

SIZES = {"sqlite": (2, 1), "postgresql": (3, 2)}
"""Dialect → workers, web processes."""


@pytest.fixture
def registry(database_url, tmp_path, fork_server):
    """A registry of which nothing runs yet."""
    data = tmp_path / "data"
    if database_url.startswith("sqlite"):
        database_url = f"sqlite:///{data / 'deedlog.sqlite'}"
    fleet = make_fleet(data, fork_server, database_url)
    yield fleet
    fleet.stop()


@pytest.fixture
def fleet(registry):
    workers, webs = SIZES[registry.database.engine.dialect.name]
    for _ in range(webs):
        registry.start_web()
    registry.start_worker()
    until(lambda: registry.holding(ANCHORER), "the first one takes both roles")
    for _ in range(1, workers):
        registry.start_worker()
    return registry


def size(fleet):
    with fleet.database.read() as connection:
        return connection.execute(text("SELECT size FROM log")).scalar()


def wait_for_work(fleet, after_term):
    """Wait until another sequences; return it."""
    began = time.monotonic()

    def taken():
        found = fleet.holding(SEQUENCER)
        return found if found and found.term > after_term and found.holder else None

    def working():
        held = taken()
        if held is None:
            return None
        worker = fleet.worker_of(held.holder)
        return worker if any(term == held.term for *_, term in worker.logged()) else None

    worker = until(working, "another sequences")
    _log.info("sequences after %.1f s: %s", time.monotonic() - began, worker.name)
    return worker


def test_one_of_several_sequences_and_one_anchors_whatever_becomes_of_them(fleet):
    with Watch(fleet) as watch, Stream(fleet) as stream:
        first = wait_for_work(fleet, 0)
        until(lambda: all(worker.holder for worker in fleet.workers), "all stand by")
        time.sleep(2)
        term = fleet.holding(SEQUENCER).term

        # Paused: another takes over both roles. Awake again, the old one writes nothing, lives on, and stands by.
        fleet.pause(first)
        second = wait_for_work(fleet, term)
        assert second is not first
        # A role that nobody has taken yet is still the first one's when it wakes.
        until(lambda: fleet.worker_of(fleet.holding(ANCHORER).holder) is not first, "anchors")
        before = first.logged()
        first.process.signal(signal.SIGCONT)
        time.sleep(3)
        assert not first.process.ended.is_set(), first.lines()
        assert first.logged()[len(before) + 1 :] == []  # at most what it had committed, and not yet said
        until(lambda: any(line.startswith(f"lost role={SEQUENCER}") for line in first.lines()), "it stands by")
        # The holder is still the second one, unless that got no processor for as long as a lease lasts.
        second = until(lambda: fleet.holder_of(SEQUENCER), "the role is held")

        # Killed: replaced.
        term = fleet.holding(SEQUENCER).term
        second.process.kill()
        third = wait_for_work(fleet, term)
        assert third is not second

        # Told to stop: it gives its roles up, and another need not wait for a lease to run out.
        if len(fleet.workers) > 2:
            term = fleet.holding(SEQUENCER).term
            third.process.signal(signal.SIGTERM)
            assert third.process.wait("it stops") == 0
            held = fleet.holding(SEQUENCER)
            assert (held.term, held.holder) != (term, third.holder), "it kept a role that it cannot use"
            wait_for_work(fleet, term)
        until(lambda: len(stream.acknowledged) > 100, "a hundred are acknowledged")
    assert not stream.refused, stream.refused[:3]
    check_roles(fleet, watch)
    check_log(fleet, stream)
    check_anchors(fleet)
    check_idle(fleet)


def check_roles(fleet, watch):
    for role in (SEQUENCER, ANCHORER):
        seen = [found for found in watch.seen if found.role == role]
        terms = [found.term for found in seen]
        assert terms == sorted(terms)
        held = {(found.term, found.holder) for found in seen if found.holder}
        # Both roles went away from the first one; which of the others took which is chance.
        assert len(held) == len({term for term, _ in held}) >= (3 if role == SEQUENCER else 2)
    batches = sorted((batch, worker.name) for worker in fleet.workers for batch in worker.logged())
    by_size = sorted((logged, entries, term, name) for (entries, logged, term), name in batches)
    # Nobody logged what another had logged, and terms follow each other along the log.
    assert len({logged for logged, *_ in by_size}) == len(by_size)
    assert [term for *_, term, _ in by_size] == sorted(term for *_, term, _ in by_size)
    assert len({(term, name) for *_, term, name in by_size}) == len({term for *_, term, _ in by_size})


def check_log(fleet, stream):
    until(lambda: size(fleet) == len(stream.acknowledged), "all that was acknowledged is logged")
    with fleet.database.read() as connection:
        rows = connection.execute(text("SELECT digest, log_index FROM statement ORDER BY log_index")).all()
        entries = store.entries_between(connection, 0, len(rows))
        heads = connection.execute(text("SELECT size, root FROM checkpoint ORDER BY size")).all()
    assert {to_hex(row.digest) for row in rows} == set(stream.acknowledged)
    assert [row.log_index for row in rows] == list(range(len(rows)))
    leaf_hashes = [merkle.leaf_hash(entry) for entry in entries]
    for head in heads:
        assert merkle.root_from_leaf_hashes(leaf_hashes[: head.size]) == head.root, head.size


def check_anchors(fleet):
    def final():
        with fleet.database.read() as connection:
            found = anchor_store.anchors(connection, 1)
            opened = attempt_store.open_attempt(connection, 31337)
        return found and found[0].size == size(fleet) and found[0].final and not opened

    until(final, "the newest head is anchored and final")
    with fleet.database.read() as connection:
        attempts = connection.execute(text("SELECT nonce, state, size FROM attempt ORDER BY id")).all()
    assert [attempt.nonce for attempt in attempts] == list(range(len(attempts)))
    assert {attempt.state for attempt in attempts} == {"final"}
    assert len({attempt.size for attempt in attempts}) == len(attempts)
    operator = "0x" + fleet.identity.operator.hex()
    question = {"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionCount", "params": [operator, "latest"]}
    assert int(httpx.post(fleet.local.rpc_url, json=question).json()["result"], 16) == len(attempts)


def check_idle(fleet):
    """Where nothing waits, the sequencer looks twenty times a second and writes nothing; only leases are renewed."""
    if fleet.database.engine.dialect.name == "sqlite":
        return  # it does not count its transactions

    def writes():
        with fleet.database.read() as connection:
            return int(connection.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")).scalar())

    before, began = writes(), time.monotonic()
    time.sleep(3)
    found, seconds = writes() - before, time.monotonic() - began
    _log.info("%d writes in %.1f s where nothing waits", found, seconds)
    assert found < 10 * seconds


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_whose_memory_is_ahead_of_the_database_does_not_go_on(registry):
    """What it saw signed with its key is gone: the database has failed over to an old copy."""
    registry.start_web()
    first, second = registry.start_worker(), registry.start_worker()
    with Stream(registry):
        until(lambda: first.logged() or second.logged(), "one sequences")
        if second.logged():
            first, second = second, first
        until(lambda: second.holder, "the other stands by")
        # It remembers what another signs with the same key.
        until(lambda: memory(registry, second)["size"] > 0, "the standby remembers")
    path = registry.local.data / second.name / "log.pem.last-signed"
    path.write_text(json.dumps({"size": size(registry) + 100, "root": "0x" + "11" * 32}), "ascii")
    term = registry.holding(SEQUENCER).term
    with Stream(registry):
        first.process.kill()
        assert second.process.wait("it ends") != 0
    assert registry.holding(SEQUENCER).term > term
    assert "it is an old backup" in second.process.said.read_text("utf-8")
    assert second.logged() == []


def memory(registry, worker):
    path = registry.local.data / worker.name / "log.pem.last-signed"
    return json.loads(path.read_text("ascii")) if path.exists() else {"size": 0}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_without_a_node_leaves_the_log_to_one_that_has_one(registry):
    registry.start_web()
    lame = registry.start_worker(DEEDLOG_RPC_URL="http://127.0.0.1:1")
    until(lambda: any(line.startswith(f"gave up role={SEQUENCER}") for line in lame.lines()), "it gives up")
    with Stream(registry):
        other = registry.start_worker()
        until(other.logged, "the other one sequences")
    assert lame.logged() == []
    assert not lame.process.ended.is_set()
