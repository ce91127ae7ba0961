"""The worker compares its clock with the chain's newest block: a block from the future shows a clock that is behind."""

from __future__ import annotations

import pytest
from support.worlds.chains.anvil import running_anvil
from support.worlds.registries.registry_world import connect, open_world
from support.worlds.session.waiting import until

from deedlog.anchor.anchoring.anchorer import BLOCK_AHEAD_SECONDS, BLOCK_OLD_SECONDS
from deedlog.anchor.anchoring.chain_view import AHEAD_SECONDS
from deedlog.api.worker import Worker
from deedlog.registry import times
from deedlog.registry.errors import Unavailable
from deedlog.registry.store import alarms, clock
from deedlog.registry.store.database import Database
from deedlog.registry.store.lease import ANCHORER, Fenced, Roles

PUBLIC = 11155111
DEVELOPMENT = 31337
MARGIN = 600
"""More than a test takes."""


@pytest.fixture
def new_world(tmp_path):
    def new(chain, chain_id):
        return connect(
            open_world(Database(f"sqlite:///{tmp_path / f'{chain_id}.sqlite'}")), chain.url, chain_id=chain_id
        )

    return new


def mine_at(chain, time):
    """Mine a block that is dated at a time, in Unix seconds."""
    chain.request("evm_setNextBlockTimestamp", time)
    chain.request("anvil_mine", "0x1")
    whole = False
    until(lambda: int(chain.request("eth_getBlockByNumber", "latest", whole)["timestamp"], 16) >= time, "it is mined")


def test_a_block_from_the_future_is_an_alarm_and_stops_what_would_be_dated(new_world):
    with running_anvil("--chain-id", str(PUBLIC)) as chain:
        world = new_world(chain, PUBLIC)
        assert clock.BEHIND_CHAIN not in world.anchorer.tick(world.now)
        mine_at(chain, times.now() + BLOCK_AHEAD_SECONDS + MARGIN)
        raised = world.anchorer.tick(world.now)
        assert BLOCK_AHEAD_SECONDS < raised[clock.BEHIND_CHAIN]["seconds"] <= BLOCK_AHEAD_SECONDS + MARGIN
        # Every process that would date something reads the alarm.
        with world.database.write() as connection:
            alarms.put(connection, "anchorer", raised, world.now)
        with world.database.read() as connection, pytest.raises(Unavailable) as caught:
            clock.check(connection)
        assert (caught.value.code, caught.value.params) == (clock.BEHIND_CHAIN, raised[clock.BEHIND_CHAIN])
        mine_at(chain, times.now() + AHEAD_SECONDS + MARGIN)
        with pytest.raises(Unavailable) as caught:
            world.anchorer.check()
        assert caught.value.code == clock.BEHIND_CHAIN


def test_a_node_that_fails_later_does_not_open_what_the_clock_had_closed(new_world):
    with running_anvil("--chain-id", str(PUBLIC)) as chain:
        world = new_world(chain, PUBLIC)
    roles = Roles(world.database, (ANCHORER,))
    roles.beat()
    fenced = Fenced(world.database, roles.held(ANCHORER))
    worker = Worker.__new__(Worker)  # only what says why a tick failed
    worker._language = "en"
    worker._raise_alarms(fenced, {clock.BEHIND_CHAIN: {"seconds": 900, "block": 7}})
    worker._say(world.anchorer, fenced, Unavailable("node.unreachable", url="https://node.example"))
    with world.database.read() as connection:
        assert {alarm.code for alarm in alarms.alarms(connection)} >= {clock.BEHIND_CHAIN, "node.unreachable"}
        with pytest.raises(Unavailable, match=r"clock\.behind_chain"):
            clock.check(connection)


def test_an_old_block_is_only_an_alarm(new_world):
    with running_anvil("--chain-id", str(PUBLIC), "--timestamp", str(times.now() - BLOCK_OLD_SECONDS - MARGIN)) as old:
        world = new_world(old, PUBLIC)
        raised = world.anchorer.tick(world.now)
        assert raised["alarm.block_old"]["seconds"] > BLOCK_OLD_SECONDS
        assert clock.BEHIND_CHAIN not in raised
        with world.database.read() as connection:
            assert clock.check(connection) <= times.now()


def test_the_times_of_a_development_chain_say_nothing(new_world):
    with running_anvil("--chain-id", str(DEVELOPMENT)) as chain:
        world = new_world(chain, DEVELOPMENT)
        mine_at(chain, times.now() + BLOCK_AHEAD_SECONDS + MARGIN)
        assert set(world.anchorer.tick(world.now)) <= {"alarm.balance_low"}
