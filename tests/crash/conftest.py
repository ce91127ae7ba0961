"""Fixtures of `crash_world`, and how the tests here are shared out: those of a dialect share a registry."""

from __future__ import annotations

from pathlib import Path

import pytest
from crash_world import crash_chain, crash_nursery, crash_registry, new_registry, walking
from support.worlds.sharing import share_out

__all__ = ["crash_chain", "crash_nursery", "crash_registry", "new_registry", "walking"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    share_out(items, Path(__file__).parent, first=("test_every_step", "test_several_workers", "test_faults_twice"))
