"""Configuration of anchoring: the chain, the registry, the operator key and the interval."""

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
    """Configuration of anchoring. `operator_key` is a private key (32 bytes); `interval` is in seconds."""

    chain: Chain
    identity: RegistryIdentity
    operator_key: bytes
    interval: int

    @property
    def contract(self) -> bytes:
        """The contract's address, which is the registry address."""
        return self.identity.address

    @cached_property
    def operator(self) -> bytes:
        """The account of `operator_key`. Only the contract knows whether this account may anchor."""
        return account_of_private_key(self.operator_key)
