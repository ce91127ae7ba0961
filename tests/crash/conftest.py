"""Fixtures of `crash_world`, and how the tests here are shared out: those of a dialect share a registry."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.worlds.crashes.crash_world import crash_chain, crash_fork_server, crash_registry, new_registry, walking
from support.worlds.session.xdist_groups import group_tests

__all__ = ["crash_chain", "crash_fork_server", "crash_registry", "new_registry", "walking"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    group_tests(items, Path(__file__).parent, first=("test_every_step", "test_several_workers", "test_faults_twice"))
