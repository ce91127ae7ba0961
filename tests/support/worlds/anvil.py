"""A local chain: anvil, an EVM node for development."""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass, field

import httpx
from local_registry import anvil_binary, free_port


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
