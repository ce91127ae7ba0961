"""What anchoring asks of a chain, and the values passed between them. `anchor.rpc.evm_chain.EvmChain` answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from deedlog.anchor.evm.identity import Head


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest block as one node has it: number, Unix time, hash, header (RLP), base fee (wei)."""

    number: int
    timestamp: int
    hash: bytes
    header: bytes
    base_fee: int


@dataclass(frozen=True, slots=True)
class AnchorCall:
    """The arguments of `anchor`, and the contract's address."""

    contract: bytes
    from_size: int
    size: int
    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SlotProof:
    """A block's header (RLP) and the proofs of one storage slot in its state."""

    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559 fees, in wei for a unit of gas."""

    max_fee: int
    priority_fee: int


Outcome = Literal["succeeded", "reverted"]


class ChainPort(Protocol):
    """A chain behind a node. State is asked for at one block, so that the answers of one round belong together."""

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
