"""A development chain that lasts for one benchmark."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_registry import anvil_binary
from ports import free_port

from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.registry.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60


@contextmanager
def running_chain() -> Iterator[EvmChain]:
    """Start anvil on a free port; yield the chain once it answers."""
    port = free_port()
    process = subprocess.Popen([anvil_binary(), "--port", str(port), "--silent", "--slots-in-an-epoch", "1"])
    try:
        chain = EvmChain(f"http://127.0.0.1:{port}")
        _wait(process, chain)
        yield chain
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], chain: EvmChain) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(Unavailable):
            chain.chain_id()
            return
        time.sleep(0.05)
    sys.exit(f"anvil did not answer within {START_SECONDS} s (exit code {process.poll()})")
