"""A local chain: anvil, an EVM node for development."""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass

import httpx
from local_registry import anvil_binary
from ports import free_port
from support.worlds.session.waiting import PATIENCE, until

_client = httpx.Client(timeout=PATIENCE)


SECONDS_TO_MINE = 20
"""What is still in the pool then cannot be mined: it pays less than a block asks for."""


def await_mined(url):
    """Return once nothing is left that this anvil mines at once: it answers before it mines. At once where it waits."""
    end = time.monotonic() + SECONDS_TO_MINE
    while ask(url, "anvil_getAutomine") and int(ask(url, "txpool_status")["pending"], 16):
        if time.monotonic() > end:
            return
        time.sleep(0.005)


def ask(url, method, *parameters):
    """Return the result of one JSON-RPC call, which must have one."""
    body = _client.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}).json()
    assert "error" not in body, body
    return body["result"]


@dataclass
class Anvil:
    """A running local chain."""

    url: str
    process: subprocess.Popen

    def request(self, method, *parameters):
        """Return the result of a call; of one that sends a transaction, once that is mined, unless mining is off."""
        result = ask(self.url, method, *parameters)
        if method.startswith("eth_send"):
            await_mined(self.url)
        return result

    def automine(self, *, on):
        """Mine each transaction at once, or leave them waiting."""
        self.request("evm_setAutomine", on)


@contextlib.contextmanager
def running_anvil(*arguments):
    port = free_port()
    process = subprocess.Popen([anvil_binary(), "--port", str(port), "--silent", *arguments], start_new_session=True)
    chain = Anvil(f"http://127.0.0.1:{port}", process)
    try:
        until(lambda: chain.request("eth_chainId"), "anvil answers", not_yet=httpx.TransportError)
        yield chain
    finally:
        process.kill()
        process.wait()
