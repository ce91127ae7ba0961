"""The interface through which anchoring uses a chain, and its values. `anchor.rpc.evm_chain.EvmChain` implements it.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from deedlog.anchor.evm.identity import Head


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest block that a node reports: number, Unix time, hash, header (RLP), base fee (wei per unit of gas)."""

    number: int
    timestamp: int
    hash: bytes
    header: bytes
    base_fee: int


@dataclass(frozen=True, slots=True)
class AnchorCall:
    """A call of the contract's `anchor`: the contract's address and the arguments."""

    contract: bytes
    from_size: int
    size: int
    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SlotProof:
    """A block's header (RLP), with the account proof and the storage proof of one slot in its state."""

    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559 fees, in wei per unit of gas."""

    max_fee: int
    priority_fee: int


Outcome = Literal["succeeded", "reverted"]


class ChainPort(Protocol):
    """A chain, reached through a node. State is read at a given block, so that all answers of one tick fit together."""

    def chain_id(self) -> int: ...  # noqa: D102 - documented at EvmChain
    def tip(self) -> Tip: ...  # noqa: D102
    def finalized(self) -> int | None: ...  # noqa: D102
    def block_hash(self, number: int) -> bytes | None: ...  # noqa: D102
    def head(self, contract: bytes, at: int) -> tuple[int, bytes]: ...  # noqa: D102
    def head_of(self, contract: bytes, root: bytes, at: int) -> Head | None: ...  # noqa: D102
    def operator(self, contract: bytes, at: int) -> bytes: ...  # noqa: D102
    def slot_proof(self, contract: bytes, root: bytes, tip: Tip) -> SlotProof: ...  # noqa: D102
    def next_nonce(self, account: bytes, at: int) -> int: ...  # noqa: D102
    def balance(self, account: bytes, at: int) -> int: ...  # noqa: D102
    def fees(self, tip: Tip) -> Fees: ...  # noqa: D102
    def simulate(self, call: AnchorCall, operator: bytes) -> None: ...  # noqa: D102
    def sign(self, call: AnchorCall, key: bytes, chain_id: int, nonce: int, fees: Fees) -> tuple[bytes, bytes]: ...  # noqa: D102
    def sender(self, raw: bytes) -> bytes: ...  # noqa: D102
    def send(self, raw: bytes) -> None: ...  # noqa: D102
    def outcome(self, transaction_hash: bytes) -> Outcome | None: ...  # noqa: D102
