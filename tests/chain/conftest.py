"""Fixtures of `chain_world`, and a walk of rounds through a node that can be made to fail."""

from __future__ import annotations

import pytest
from anchoring_walk import PUBLIC, Walk
from chain_world import proven, proven_locally
from conftest import running_anvil
from faulty_node import FaultyNode

from anchor import node
from registry.database import Database

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
def walk(chain, faulty, tmp_path, monkeypatch):
    monkeypatch.setattr(node, "TIMEOUT", 1)
    return Walk(Database(f"sqlite:///{tmp_path / 'deedlog.sqlite'}"), chain, faulty.url, confirmations=4)
