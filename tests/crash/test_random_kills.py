"""The web process and the worker killed at random moments, one or both, while people register."""

from __future__ import annotations

import random
import secrets
import time

import pytest
from support.worlds.crashes.crash_world import until

FEW = 10
MANY = 200
LONGEST = 0.4
"""Seconds: a start, some requests, a batch or two, an anchor now and then."""

ROUND = 10
"""Kills between two looks from outside."""


def kill_at_random(registry, times, seed):
    print(f"seed {seed} on {registry.dialect}")  # noqa: T201 - to try the same again
    chance = random.Random(seed)
    for _ in range(times // ROUND):
        with registry.public():
            for _ in range(ROUND):
                # One in five lives long enough to work and to anchor, however slow the machine is.
                answered = len(registry.witness.acknowledged)
                if chance.random() < 0.2:
                    until(lambda: len(registry.witness.acknowledged) > answered + 5, registry.stuck)  # noqa: B023 - at once
                time.sleep(chance.uniform(0, LONGEST) * (5 if chance.random() < 0.2 else 1))
                names = chance.choice((("serve",), ("worker",), ("serve", "worker")))
                registry.kill(*names)
                if len(names) == 2:
                    registry.look_at_rest()
                registry.start(*names)
            registry.await_web()
            answered = len(registry.witness.acknowledged)
            until(lambda: len(registry.witness.acknowledged) > answered + ROUND, registry.stuck)  # noqa: B023 - at once
        assert not [problem for problem in registry.witness.problems if "statement.not_logged_yet" not in problem]
        registry.await_logged()
        registry.look(bundles=5)
    registry.await_anchored()
    registry.look(bundles=200)
    assert len(registry.witness.acknowledged) > times, "the registry hardly worked between the kills"


def test_killed_at_a_few_random_moments(crash_registry):
    kill_at_random(crash_registry, FEW, secrets.randbits(32))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_many_random_moments(crash_registry):
    kill_at_random(crash_registry, MANY, secrets.randbits(32))
