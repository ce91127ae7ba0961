"""Fixtures of `crash_world`, and which tests stay together where several processes share them out."""

from __future__ import annotations

import pytest
from crash_world import crash_chain, crash_nursery, crash_registry, new_registry, walking
from databases import DIALECTS

__all__ = ["crash_chain", "crash_nursery", "crash_registry", "new_registry", "walking"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep the tests of a file that share a registry in one process: those of each dialect (`--dist loadgroup`)."""
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        dialect = next((value for value in parameters if value in DIALECTS), "")
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {dialect}"))
