"""How to anchor: on which chain, for which registry, as whom, how often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from deedlog.registry.statements.signatures import account_of_private_key

if TYPE_CHECKING:
    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.anchor.evm.network import Chain


@dataclass(frozen=True)
class AnchoringConfig:
    """How to anchor; `interval` is in seconds, and `operator_key` a private key (32 bytes)."""

    chain: Chain
    identity: RegistryIdentity
    operator_key: bytes
    interval: int

    @property
    def contract(self) -> bytes:
        """The contract's address: the registry's."""
        return self.identity.address

    @cached_property
    def operator(self) -> bytes:
        """The account whose key this is. Whether it may anchor, the contract says."""
        return account_of_private_key(self.operator_key)
