"""Two anchorers on one chain: wherever the first is paused and replaced, one head is one nonce and one attempt."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import text
from support.worlds.registries.registry_world import ALICE, connect, open_world, salt, work

from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring.anchorer import Anchorer
from deedlog.registry import failpoints
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.store import lease
from deedlog.registry.store.lease import ANCHORER, LEASE_MS, Fenced
from deedlog.registry.store.tables import ATTEMPT

STEPS = [step for step in failpoints.STEPS if step.startswith("anchor.") and step != "anchor.moved"]
"""Without a reorganisation nothing is moved."""

BEFORE_MINING = ("anchor.head_checked", "anchor.signed", "anchor.stored", "anchor.sent", "anchor.noted")
CASES = [(step, True) for step in STEPS] + [(step, False) for step in BEFORE_MINING]


@pytest.fixture
def world(database, anvil):
    return connect(open_world(database), anvil.url)


def fill(world, count, start=0):
    for number in range(start, start + count):
        world.accept(work(content=b"%d" % number, salt=salt(str(number))), ALICE)
    world.sequence()


def anchorer(world, holder):
    """Return the anchorer of a process that has just taken the role, whoever held it."""
    with world.database.write() as connection:
        connection.execute(text("UPDATE lease SET renewed_at = renewed_at - :some"), {"some": LEASE_MS})
        held = lease.take(connection, ANCHORER, holder)
    config = world.anchorer._config
    return Anchorer(Fenced(world.database, held), world.anchorer._port, config)


def attempts(world):
    with world.database.read() as connection:
        rows = connection.execute(ATTEMPT.select().order_by(ATTEMPT.c.id)).mappings()
        return [(row["from_size"], row["size"], row["nonce"], row["state"]) for row in rows]


def nonces_used(world, anvil):
    operator = "0x" + world.identity.operator.hex()
    return int(anvil.request("eth_getTransactionCount", operator, "pending"), 16)


class Pause:
    """At one step of the first anchorer's tick, for once, another takes over and does `work`."""

    def __init__(self, step, work):
        self.step, self.work, self.happened = step, work, False

    def __call__(self, reached):
        if reached == self.step and not self.happened:
            self.happened = True
            self.work()


def tick_until_refused(world, first, pause):
    """Let the first one tick on, as the worker does, until a write of it is refused; return how."""
    failpoints.hook = pause
    try:
        for _ in range(6):
            world.now += 1
            with contextlib.suppress(InvalidData):  # a head that has moved: the worker ticks again
                first.tick(world.now)
    except Unavailable as error:
        return error.code
    finally:
        failpoints.hook = None
    return None


@pytest.mark.parametrize(("step", "mined"), CASES, ids={True: "mined at once", False: "later"}.get)
def test_an_anchorer_that_was_paused_anywhere_changes_nothing_when_it_wakes_up(world, anvil, step, mined):
    fill(world, 3)
    first = anchorer(world, "first")
    seen = []

    def take_over():
        second = anchorer(world, "second")
        for _ in range(4):
            world.now += 1
            second.tick(world.now)
            seen.append(len([state for *_, state in attempts(world) if state in attempt_store.UNMINED]))

    anvil.automine(on=mined)
    pause = Pause(step, take_over)
    answer = tick_until_refused(world, first, pause)
    assert pause.happened
    assert answer == "lease.lost"
    anvil.request("evm_mine")
    anvil.automine(on=True)
    third = anchorer(world, "third")
    fill(world, 2, 3)
    for _ in range(8):
        world.now += 1
        third.tick(world.now)
    assert attempts(world) == [(0, 3, 0, "final"), (3, 5, 1, "final")]
    assert nonces_used(world, anvil) == 2
    assert max(seen) <= 1
