"""The operator's chain port, for tests in one process: what was sent is mined when `send` returns.

anvil mines a transaction at once, but after it has answered. A worker just looks again; a test that counts rounds must
not depend on how soon anvil gets a processor.
"""

from __future__ import annotations

from support.worlds.chains.anvil import await_mined

from deedlog.anchor.rpc.evm_chain import EvmChain


class MinedChain(EvmChain):
    """`EvmChain` through a node at `url`, which may be a proxy; the chain itself is the anvil at `anvil_url`."""

    def __init__(self, url: str, anvil_url: str | None = None) -> None:
        super().__init__(url)
        self._anvil_url = anvil_url or url

    def send(self, raw: bytes) -> None:
        try:
            super().send(raw)
        finally:  # where the answer was lost it has happened all the same
            await_mined(self._anvil_url)
