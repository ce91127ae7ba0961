"""A registry for all tests here."""

from __future__ import annotations

import pytest
from site_world import running_site


@pytest.fixture(scope="session")
def site(tmp_path_factory, nursery):
    with running_site(tmp_path_factory.mktemp("site"), nursery) as site:
        yield site
