"""What the tests share: a real chain (anvil), people with keys, and a registry with its log on a real database."""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from local_registry import anvil_binary, free_port
from support.worlds.databases import database, database_url, postgres
from support.worlds.nursery import Nursery
from support.worlds.trust import trust_nobody

__all__ = ["database", "database_url", "postgres"]

trust_nobody()

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the long tests too")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow") is not None:  # `keywords` has the names of folders too
                item.add_marker(pytest.mark.skip(reason="long: run with --slow"))


@pytest.fixture(scope="session")
def nursery():
    """Forks `deedlog` processes, for tests of other things than how they start."""
    nursery = Nursery()
    yield nursery
    nursery.stop()


@dataclass
class Anvil:
    """A running local chain."""

    url: str
    process: subprocess.Popen
    client: httpx.Client = field(default_factory=httpx.Client)

    def request(self, method, *parameters):
        answer = self.client.post(
            self.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        )
        body = answer.json()
        assert "error" not in body, body
        return body["result"]

    def automine(self, *, on):
        """Mine each transaction at once, or leave them waiting."""
        self.request("evm_setAutomine", on)


@contextlib.contextmanager
def running_anvil(*arguments):
    port = free_port()
    process = subprocess.Popen([anvil_binary(), "--port", str(port), "--silent", *arguments], start_new_session=True)
    chain = Anvil(f"http://127.0.0.1:{port}", process)
    try:
        for _ in range(200):
            with contextlib.suppress(httpx.TransportError):
                chain.request("eth_chainId")
                break
            time.sleep(0.05)
        yield chain
    finally:
        process.kill()
        process.wait()


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
