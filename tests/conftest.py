"""Fixtures of all tests: databases, a local chain, `deedlog` processes; helpers are in `tests/support`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from support.worlds.chains.anvil import running_anvil
from support.worlds.databases.dialects import database, database_url, postgres
from support.worlds.processes.fork_server import ForkServer
from support.worlds.session.patient_http import be_patient
from support.worlds.session.text_watch import TextWatch
from support.worlds.session.tls_trust import trust_no_authority

__all__ = ["database", "database_url", "postgres"]

trust_no_authority()
be_patient()
_text_watch = TextWatch()

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the long tests too")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow") is not None:  # `keywords` has the names of folders too
                item.add_marker(pytest.mark.skip(reason="long: run with --slow"))


@pytest.fixture(autouse=True)
def text_watch():
    """Fail a test that made an error, an answer or a standing without a text in each language."""
    _text_watch.complaints()
    yield _text_watch
    assert _text_watch.complaints() == []


@pytest.fixture(scope="session")
def fork_server():
    """Forks `deedlog` processes, for tests of other things than how they start."""
    server = ForkServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_anvil():
    """A chain for tests that do not reorganise it."""
    with running_anvil() as chain:
        yield chain


@pytest.fixture
def anvil():
    """A chain of the test's own."""
    with running_anvil() as chain:
        yield chain
