"""A chain that a registry can anchor on. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from deedlog.anchor.evm.finality import DEVELOPMENT_CHAINS


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain: `confirmations` None means that its finalized tag decides; times are in seconds.

    `max_fee` is the most that a transaction may offer for a unit of gas, in wei.
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
        """Whether the chain proves nothing to others: it may be killed, and go on from an earlier state."""
        return self.chain_id in DEVELOPMENT_CHAINS
