"""A registry for all tests here, one on each database, and how they are shared out."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.worlds.databases.dialects import DIALECTS
from support.worlds.registries.shares_world import Sharing
from support.worlds.registries.site_world import beside, running_site
from support.worlds.session.xdist_groups import group_tests


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    first = ("test_schemathesis", "test_many_at_once", "test_bad_input", "test_connections", "test_audit")
    group_tests(items, Path(__file__).parent, first, one_by_one=("test_logs",))


@pytest.fixture(scope="session")
def site(tmp_path_factory, fork_server):
    with running_site(tmp_path_factory.mktemp("site"), fork_server) as site:
        yield site


@pytest.fixture(scope="session", params=DIALECTS)
def sharing(request, tmp_path_factory, fork_server):
    """People who share works, at a registry on each database."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    with running_site(tmp_path_factory.mktemp("site"), fork_server, url) as site:
        yield Sharing(site)


@pytest.fixture(scope="session")
def second(sharing):
    """The URL of another web process of that registry: what is sent to both at once, no process puts in order."""
    with beside(sharing.site) as client:
        yield str(client.base_url)
