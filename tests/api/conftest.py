"""A registry for all tests here, and one on each database."""

from __future__ import annotations

import pytest
from databases import DIALECTS
from shares_world import Sharing
from site_world import running_site


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session", params=DIALECTS)
def sharing(request, tmp_path_factory):
    """People who share works, at a registry on each database."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    with running_site(tmp_path_factory.mktemp("site"), url) as site:
        yield Sharing(site)
