"""Fixtures of `chain_world`, and a walk of rounds through a node that can be made to fail."""

from __future__ import annotations

import pytest
from support.faults.faulty_node import FaultyNode
from support.worlds.chains.anchoring_walk import PUBLIC, Walk
from support.worlds.chains.anvil import running_anvil
from support.worlds.chains.chain_world import proven, proven_locally

from deedlog.anchor.rpc import json_rpc
from deedlog.registry.store.database import Database

__all__ = ["proven", "proven_locally"]


@pytest.fixture
def chain():
    with running_anvil("--chain-id", str(PUBLIC)) as anvil:
        yield anvil


@pytest.fixture
def faulty(chain):
    with FaultyNode(chain.url) as faulty_node:
        yield faulty_node


@pytest.fixture
def impatient(monkeypatch):
    """Give up on a node after seconds. Only for tests of nodes that never answer: any other may be slow to."""
    monkeypatch.setattr(json_rpc, "TIMEOUT", 5)


@pytest.fixture
def walk(chain, faulty, tmp_path):
    return Walk(Database(f"sqlite:///{tmp_path / 'deedlog.sqlite'}"), chain, faulty.url, confirmations=4)
