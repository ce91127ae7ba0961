"""The one place that speaks to a chain for the operator, through web3. What a node says is data to be checked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from eth_account import Account
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, Web3Exception

from anchor.artifacts import rights_anchor
from anchor.deployment import Deployment, creation_data
from anchor.identity import DETERMINISTIC_DEPLOYER, Head, RegistryIdentity, head_slot
from anchor.state_proof import encode_header, parse_header
from registry.errors import InvalidData, Unavailable
from registry.hexadecimal import to_checksum, to_hex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIMEOUT = 20
"""Seconds for one answer of a node."""

GAS_LIMIT = 200_000
"""The dearest honest anchoring, 64 nodes, stays below; what is not used is not paid."""


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


class EvmChain:
    """A chain behind one RPC node. Every method raises `Unavailable` (`chain.…`) when the node does not answer."""

    def __init__(self, url: str) -> None:
        """Name the node; nothing is sent yet."""
        self._web3 = Web3(HTTPProvider(url, request_kwargs={"timeout": TIMEOUT}))
        self._contract = self._web3.eth.contract(abi=rights_anchor()["abi"])

    def chain_id(self) -> int:
        """Return the chain's id."""
        return int(self._request("eth_chainId", []), 16)

    def head(self, contract: bytes) -> tuple[int, bytes, int]:
        """Return (size, root, time) of the contract's last head; zeros before the first."""
        size, root, time = self._call(contract, "head", [], "latest")
        return size, bytes(root), time

    def head_of(self, contract: bytes, root: bytes) -> Head | None:
        """Return the head with that root, if the contract holds it at the newest block."""
        size, time, previous_size, block_number = self._call(contract, "headOf", [root], "latest")
        return Head(size, time, previous_size, block_number) if size else None

    def has_code(self, contract: bytes) -> bool:
        """Return whether there is a contract at that address."""
        return self._request("eth_getCode", [to_hex(contract), "latest"]) not in (None, "0x")

    def newest(self) -> int:
        """Return the newest block's number."""
        return int(self._request("eth_blockNumber", []), 16)

    def finalized(self) -> int | None:
        """Return the number of the newest block that the chain calls final; None if it has no such tag."""
        try:
            block = self._request("eth_getBlockByNumber", ["finalized", False])
        except InvalidData:
            return None
        return None if block is None else int(block["number"], 16)

    def block_hash(self, number: int) -> bytes | None:
        """Return the hash of the canonical block of that number."""
        block = self._request("eth_getBlockByNumber", [hex(number), False])
        return None if block is None else bytes.fromhex(block["hash"][2:])

    def slot_proof(self, contract: bytes, root: bytes) -> SlotProof:
        """Return the proof of the slot of the head with that root, at the newest block."""
        block = self._request("eth_getBlockByNumber", ["latest", False])
        header = encode_header(block)
        proof = self._request(
            "eth_getProof", [to_hex(contract), [to_hex(head_slot(root))], hex(parse_header(header).number)]
        )
        return SlotProof(
            header,
            tuple(bytes.fromhex(node[2:]) for node in proof["accountProof"]),
            tuple(bytes.fromhex(node[2:]) for node in proof["storageProof"][0]["proof"]),
        )

    def next_nonce(self, account: bytes) -> int:
        """Return the nonce of the account's next transaction, counting mined ones only."""
        return int(self._request("eth_getTransactionCount", [to_hex(account), "latest"]), 16)

    def balance(self, account: bytes) -> int:
        """Return the account's balance in wei."""
        return int(self._request("eth_getBalance", [to_hex(account), "latest"]), 16)

    def fees(self) -> Fees:
        """Return fees that a transaction sent now should carry: twice the base fee, and the node's advice for a tip."""
        block = self._request("eth_getBlockByNumber", ["latest", False])
        priority = int(self._request("eth_maxPriorityFeePerGas", []), 16)
        return Fees(2 * int(block["baseFeePerGas"], 16) + priority, priority)

    def simulate(self, call: AnchorCall, operator: bytes) -> None:
        """Raise `InvalidData` (`chain.would_revert`) if the contract would refuse this call now."""
        transaction = {"from": to_hex(operator), "to": to_hex(call.contract), "data": self._data(call)}
        self._request("eth_call", [transaction, "latest"])

    def sign(self, call: AnchorCall, key: bytes, chain_id: int, nonce: int, fees: Fees) -> tuple[bytes, bytes]:
        """Return (hash, raw) of the transaction that makes this call, signed with the operator's key."""
        signed = Account.sign_transaction(
            {
                "type": 2,
                "chainId": chain_id,
                "nonce": nonce,
                "to": to_checksum(call.contract),
                "value": 0,
                "data": self._data(call),
                "gas": GAS_LIMIT,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.priority_fee,
            },
            key,
        )
        return bytes(signed.hash), bytes(signed.raw_transaction)

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to the node; raise `InvalidData` (`chain.rpc_error`) where it refuses."""
        self._request("eth_sendRawTransaction", [to_hex(raw)])

    def failed(self, transaction_hash: bytes) -> bool:
        """Return whether the transaction was mined and reverted. Only for telling why: success is read from state."""
        receipt = self._request("eth_getTransactionReceipt", [to_hex(transaction_hash)])
        return receipt is not None and receipt["status"] == "0x0"

    def deploy_local(self, identity: RegistryIdentity) -> Deployment:
        """Deploy on a development chain, whose node signs for its own accounts; harmless if it is deployed already."""
        accounts = self._request("eth_accounts", [])
        transaction = {
            "from": accounts[0],
            "to": to_hex(DETERMINISTIC_DEPLOYER),
            "data": to_hex(creation_data(identity)),
            "gas": hex(3_000_000),
        }
        transaction_hash = bytes.fromhex(self._request("eth_sendTransaction", [transaction])[2:])
        # A node answers before it has mined; web3 knows how to wait.
        with _translated():
            self._web3.eth.wait_for_transaction_receipt(HexBytes(transaction_hash), TIMEOUT, 0.05)
        self._request("anvil_setBalance", [to_hex(identity.operator), hex(10**20)])
        if not self.has_code(identity.address):
            raise Unavailable("chain.no_contract", address=to_checksum(identity.address))
        return Deployment.of(identity, self.chain_id(), self.newest(), transaction_hash)

    def development_request(self, method: str, parameters: list[Any]) -> Any:
        """Make a request that only a development chain answers."""
        return self._request(method, parameters)

    def _data(self, call: AnchorCall) -> str:
        data = self._contract.encode_abi("anchor", args=[call.from_size, call.size, call.root, list(call.proof)])
        return str(data)

    def _call(self, contract: bytes, name: str, arguments: Sequence[Any], block: str) -> Any:
        function = self._web3.eth.contract(to_checksum(contract), abi=rights_anchor()["abi"])  # type: ignore[call-overload] # takes checksummed text
        with _translated():
            return getattr(function.functions, name)(*arguments).call(block_identifier=block)

    def _request(self, method: str, parameters: list[Any]) -> Any:
        with _translated():
            response = self._web3.provider.make_request(method, parameters)  # type: ignore[arg-type] # method names are a NewType
        error = response.get("error")
        if error is not None:
            message = error.get("message", "") if isinstance(error, dict) else str(error)
            code = "chain.would_revert" if method == "eth_call" else "chain.rpc_error"
            raise InvalidData(code, method=method, message=message[:200])
        return response.get("result")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what web3 and its transport raise into this package's errors."""
    try:
        yield
    except ContractLogicError as error:
        raise InvalidData("chain.would_revert", message=str(error)[:200]) from error
    except (Web3Exception, requests.RequestException, OSError, ValueError) as error:
        raise Unavailable("chain.unreachable", reason=f"{type(error).__name__}: {error}"[:200]) from error
