"""Databases for the tests of `fsck`: each is filled once, and a test damages a copy."""

from __future__ import annotations

import contextlib

import pytest
from support.worlds.chains.anvil import running_anvil
from support.worlds.databases.damage_world import (
    FEW,
    Damaged,
    fill,
)
from support.worlds.registries.registry_world import connect, open_world

from deedlog.registry.store.database import Database


@contextlib.contextmanager
def filled(folder, *how):
    """Make a world whose database is copied; its chain goes on running."""
    path = folder / "deedlog.sqlite"
    with running_anvil("--slots-in-an-epoch", "1") as chain:
        world = connect(open_world(Database(f"sqlite:///{path}")), chain.url)
        fill(world, *how)
        world.database.close()
        yield Damaged(world, path, chain)


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """Two full tiles and a part."""
    with filled(tmp_path_factory.mktemp("sound")) as made:
        yield made


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    """A few entries, with as much beside them."""
    with filled(tmp_path_factory.mktemp("few"), FEW, FEW[0]) as made:
        yield made


@pytest.fixture
def damaged(sound, tmp_path):
    """A copy to be damaged."""
    return sound.copy(tmp_path)
