"""Fixtures of `chain_world`, and a running registry with its chain, as `scripts/run` starts it."""

from __future__ import annotations

import pytest
from chain_world import proven
from local_registry import LocalRegistry, free_port

__all__ = ["proven"]


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    local = LocalRegistry(
        tmp_path_factory.mktemp("local"), port=free_port(), chain_port=free_port(), anchor_interval=1, quiet=True
    )
    try:
        local.start()
        yield local
    finally:
        local.stop()
