"""Fixtures of `chain_world`, and a running registry with its chain; what starts it in earnest is in `test_scripts`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.worlds.chains.chain_world import proven
from support.worlds.registries.forked_registry import forked_registry
from support.worlds.session.xdist_groups import group_tests

__all__ = ["proven"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    alone = ("test_scripts", "test_backup", "test_interrupted", "test_readme", "test_deploy_trial")
    group_tests(items, Path(__file__).parent, first=alone, one_by_one=alone)


@pytest.fixture(scope="session")
def local(tmp_path_factory, fork_server):
    local = forked_registry(tmp_path_factory.mktemp("local"), fork_server)
    try:
        local.start()
        yield local
    finally:
        local.stop()
