"""A chain that a registry can anchor on. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from deedlog.anchor.evm.finality import DEVELOPMENT_CHAINS


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain and how to use it.

    If `confirmations` is None, the chain's finalized tag decides what is final. `poll` and `resend` are in seconds.
    `max_fee` is the most that a transaction may offer, in wei per unit of gas.
    """

    name: str
    chain_id: int
    rpc_url: str | None
    confirmations: int | None
    poll: float
    resend: int
    max_fee: int

    @property
    def development(self) -> bool:
        """Whether this is a development chain: it may restart from an earlier state, and proves nothing to others."""
        return self.chain_id in DEVELOPMENT_CHAINS
