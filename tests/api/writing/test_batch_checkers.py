"""Batches are checked in other processes: with the same answers, and without a trace when one of them is killed."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal

import pytest
from support.worlds.registries.registry_world import ALICE, NOW, open_world, work

from deedlog.api.http.batch_checker import Checkers, check_batch
from deedlog.registry.acceptance.submission import CheckedStatement, Submitter
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.store.database import Database

BATCH = Submitter(1, frozenset({"batch"}))


@pytest.fixture
def world(tmp_path):
    return open_world(Database(f"sqlite:///{tmp_path / 'deedlog.sqlite'}"))


def sent(world, count=3):
    items = []
    for number in range(count):
        submission = world.submission(work(content=b"%d" % number), ALICE)
        signatures = [
            {"account": to_hex(one.account), "signature": to_hex(one.signature)} for one in submission.signatures
        ]
        items.append({"typed_data": submission.typed_data, "signatures": signatures})
    return {"statements": items}


def encoded(value):
    return json.dumps(value).encode()


def checked(checkers, world, body):
    return checkers.check(body, world.identity.address, BATCH, NOW)


def test_another_process_finds_what_this_one_finds(world):
    wrong = sent(world)
    wrong["statements"][1]["signatures"][0]["account"] = "0x" + "11" * 20
    wrong["statements"][2] = 7
    body = encoded(wrong)
    here = check_batch(body, world.identity.address, BATCH, NOW)

    async def elsewhere():
        checkers = Checkers(2)
        try:
            assert [type(one) for one in await checked(checkers, world, body)] == [type(one) for one in here]
            return await checked(checkers, world, body)
        finally:
            checkers.close()

    there = asyncio.run(elsewhere())
    assert isinstance(here[0], CheckedStatement)
    assert there[0] == here[0]
    assert [str(one) for one in there[1:]] == [str(one) for one in here[1:]]


@pytest.mark.parametrize(
    "error",
    [
        InvalidData("http.head_too_large", field="f", maximum=1),
        Unavailable("fetch.too_slow", url="http://127.0.0.1:1", seconds="60"),
    ],
    ids=lambda error: error.code,
)
def test_an_error_survives_the_way_between_processes(error):
    other = pickle.loads(pickle.dumps(error))
    assert (type(other), str(other), other.params, other.field) == (type(error), str(error), error.params, error.field)


def test_what_is_wrong_with_the_whole_batch_is_raised_here(world):
    async def elsewhere():
        checkers = Checkers(2)
        try:
            with pytest.raises(InvalidData, match=r"json\."):
                await checked(checkers, world, b"{")
        finally:
            checkers.close()

    asyncio.run(elsewhere())


def test_a_checker_that_is_killed_is_named_and_replaced(world):
    async def killed():
        checkers = Checkers(2)
        try:
            await checked(checkers, world, encoded(sent(world, 1)))
            waiting = asyncio.ensure_future(checked(checkers, world, encoded(sent(world, 400))))
            await asyncio.sleep(0)
            for process in checkers._pool._processes.values():
                os.kill(process.pid, signal.SIGKILL)
            with pytest.raises(Unavailable, match=r"statement\.checker_ended"):
                await waiting
            assert len(await checked(checkers, world, encoded(sent(world, 2)))) == 2
        finally:
            checkers.close()

    asyncio.run(killed())
