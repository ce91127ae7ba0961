"""The operator's access to a chain: implements `anchor.anchoring.chain_port.ChainPort`. Answers of nodes are untrusted.

web3 encodes the calls and eth-account signs them. `anchor.rpc.json_rpc` sends the requests and reads the answers.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eth_account import Account
from hexbytes import HexBytes
from web3 import Web3

from deedlog.anchor.anchoring.chain_port import AnchorCall, Fees, Outcome, SlotProof, Tip
from deedlog.anchor.contract import rights_anchor
from deedlog.anchor.evm.deployment import Deployment, creation_data
from deedlog.anchor.evm.identity import DETERMINISTIC_DEPLOYER, Head, RegistryIdentity, head_slot
from deedlog.anchor.evm.state_proof import encode_header, parse_header
from deedlog.anchor.rpc import json_rpc
from deedlog.anchor.rpc.redaction import shown, without_secrets
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, to_checksum, to_hex

if TYPE_CHECKING:
    from collections.abc import Iterator

GAS_LIMIT = 200_000
"""The most expensive valid call of `anchor`, with 64 proof nodes, needs less. Unused gas is not paid."""

LARGEST = 2**63
"""Block numbers, nonces and sizes below this fit into a database column. No chain will come near it."""

_MINING_POLL = 0.05
"""Seconds between polls for whether a development chain has mined a transaction."""

_REVERTED = 3
"""JSON-RPC error code for a reverted execution, in go-ethereum and nodes that follow it."""


class EvmChain:
    """A chain, reached through one RPC node.

    Methods that ask the node raise `Unavailable` (`chain.…`) if it does not answer in the expected form. `at` is the
    number of the block whose state is read.
    """

    def __init__(self, url: str) -> None:
        """Store the node's URL. Sends nothing yet."""
        self._url = url
        self._node = json_rpc.Node(url)
        self._contract = Web3().eth.contract(abi=rights_anchor()["abi"])

    def close(self) -> None:
        """Close the connections."""
        self._node.close()

    def chain_id(self) -> int:
        """Return the chain's id."""
        with self._reading("eth_chainId"):
            return json_rpc.number(self._node.request("eth_chainId"), LARGEST)

    def tip(self) -> Tip:
        """Return the newest block."""
        with self._reading("eth_getBlockByNumber"):
            block = self._node.request("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC's own
            header = encode_header(block)
            parsed = parse_header(header)
            base_fee = json_rpc.number(json_rpc.member(block, "baseFeePerGas"))
            return Tip(_below(parsed.number), parsed.timestamp, parsed.hash, header, base_fee)

    def finalized(self) -> int | None:
        """Return the number of the block with the chain's finalized tag; None if the chain has no such tag."""
        with self._reading("eth_getBlockByNumber"):
            try:
                block = self._node.request("eth_getBlockByNumber", "finalized", False)  # noqa: FBT003
            except json_rpc.RefusedError:
                return None
            return None if block is None else json_rpc.number(json_rpc.member(block, "number"), LARGEST)

    def block_hash(self, number: int) -> bytes | None:
        """Return the hash of the canonical block of that number; None if the node has none."""
        with self._reading("eth_getBlockByNumber"):
            block = self._node.request("eth_getBlockByNumber", hex(number), False)  # noqa: FBT003
            if block is None:
                return None
            header = parse_header(encode_header(block))
            if header.number != number:
                raise json_rpc.UnreadableError("another block")
            return header.hash

    def head(self, contract: bytes, at: int) -> tuple[int, bytes]:
        """Return (size, root) of the contract's newest head; zeros before the first."""
        with self._reading("eth_call"):
            size, root, _time = self._view(contract, "head", (), at, 3)
            return _below(json_rpc.uint64(size)), root

    def head_of(self, contract: bytes, root: bytes, at: int) -> Head | None:
        """Return the head with that root; None if the contract does not have it."""
        with self._reading("eth_call"):
            values = [_below(json_rpc.uint64(word)) for word in self._view(contract, "headOf", (root,), at, 4)]
        head = Head(*values)
        return head if head.size else None

    def operator(self, contract: bytes, at: int) -> bytes:
        """Return the account (20 bytes) that the contract names as operator."""
        with self._reading("eth_call"):
            [word] = self._view(contract, "operator", (), at, 1)
            return word[-ACCOUNT_SIZE:]

    def has_code(self, contract: bytes) -> bool:
        """Return whether there is a contract at that address in the newest state."""
        with self._reading("eth_getCode"):
            return json_rpc.octets(self._node.request("eth_getCode", to_hex(contract), "latest")) != b""

    def slot_proof(self, contract: bytes, root: bytes, tip: Tip) -> SlotProof:
        """Return the proof of the storage slot of the head with that root, in the state of the block `tip`."""
        with self._reading("eth_getProof"):
            proof = self._node.request("eth_getProof", to_hex(contract), [to_hex(head_slot(root))], hex(tip.number))
            slots = json_rpc.member(proof, "storageProof")
            if not isinstance(slots, list) or len(slots) != 1:
                raise json_rpc.UnreadableError("storageProof")
            return SlotProof(
                tip.header, _nodes(json_rpc.member(proof, "accountProof")), _nodes(json_rpc.member(slots[0], "proof"))
            )

    def next_nonce(self, account: bytes, at: int) -> int:
        """Return the nonce of the account's next transaction, counting mined ones only."""
        with self._reading("eth_getTransactionCount"):
            return json_rpc.number(self._node.request("eth_getTransactionCount", to_hex(account), hex(at)), LARGEST)

    def balance(self, account: bytes, at: int) -> int:
        """Return the account's balance in wei."""
        with self._reading("eth_getBalance"):
            return json_rpc.number(self._node.request("eth_getBalance", to_hex(account), hex(at)))

    def fees(self, tip: Tip) -> Fees:
        """Return the fees for a transaction sent now: twice the base fee plus the node's suggested priority fee."""
        with self._reading("eth_maxPriorityFeePerGas"):
            priority = json_rpc.number(self._node.request("eth_maxPriorityFeePerGas"))
        return Fees(2 * tip.base_fee + priority, priority)

    def simulate(self, call: AnchorCall, operator: bytes) -> None:
        """Raise `InvalidData` (`chain.would_revert`) if the contract would refuse this call now."""
        transaction = {
            "from": to_hex(operator),
            "to": to_hex(call.contract),
            "data": self._data(call),
            "gas": hex(GAS_LIMIT),
        }
        with self._reading("eth_call"):
            try:
                self._node.request("eth_call", transaction, "latest")
            except json_rpc.RefusedError as error:
                if error.number != _REVERTED and "revert" not in error.message:
                    raise
                raise InvalidData("chain.would_revert", message=self._words(error)) from error

    def sign(self, call: AnchorCall, key: bytes, chain_id: int, nonce: int, fees: Fees) -> tuple[bytes, bytes]:
        """Return (hash, raw) of the transaction that makes this call, signed with the operator's key (32 bytes)."""
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

    def sender(self, raw: bytes) -> bytes:
        """Return the account (20 bytes) that signed a raw transaction. Asks no node."""
        return bytes.fromhex(Account.recover_transaction(HexBytes(raw))[2:])

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to the node. Raises `InvalidData` (`chain.not_taken`) if the node refuses it."""
        with self._reading("eth_sendRawTransaction"):
            try:
                self._node.request("eth_sendRawTransaction", to_hex(raw))
            except json_rpc.RefusedError as error:
                raise InvalidData("chain.not_taken", message=self._words(error)) from error

    def outcome(self, transaction_hash: bytes) -> Outcome | None:
        """Return the outcome of a mined transaction; None if the node has no receipt.

        Only explains a failure. Success is read from the contract's state.
        """
        with self._reading("eth_getTransactionReceipt"):
            receipt = self._node.request("eth_getTransactionReceipt", to_hex(transaction_hash))
            if receipt is None:
                return None
            return "succeeded" if json_rpc.number(json_rpc.member(receipt, "status")) else "reverted"

    def deploy_local(self, identity: RegistryIdentity) -> Deployment:
        """Deploy the contract on a development chain, whose node signs for its own accounts. Return the record of it.

        Deploying again does no harm. Gives the operator 100 ether. Raises `Unavailable` (`chain.…`).
        """
        accounts = self.development_request("eth_accounts")
        transaction = {
            "from": accounts[0],
            "to": to_hex(DETERMINISTIC_DEPLOYER),
            "data": to_hex(creation_data(identity)),
            "gas": hex(3_000_000),
        }
        transaction_hash = bytes.fromhex(self.development_request("eth_sendTransaction", transaction)[2:])
        until = time.monotonic() + json_rpc.TIMEOUT
        while self.outcome(transaction_hash) is None:  # the node answers before it has mined
            if time.monotonic() > until:
                raise self._unreachable("not mined")
            time.sleep(_MINING_POLL)
        self.development_request("anvil_setBalance", to_hex(identity.operator), hex(10**20))
        self.development_request("evm_mine")  # a block whose state has the balance
        if not self.has_code(identity.address):
            raise Unavailable("chain.no_contract", address=to_checksum(identity.address))
        compiler = rights_anchor()["compiler"]
        return Deployment.of(identity, self.chain_id(), self.tip().number, transaction_hash, compiler)

    def development_request(self, method: str, *parameters: Any) -> Any:
        """Make a request that only the node of a development chain answers, and return its result."""
        with self._reading(method):
            return self._node.request(method, *parameters)

    def _data(self, call: AnchorCall) -> str:
        data = self._contract.encode_abi("anchor", args=[call.from_size, call.size, call.root, list(call.proof)])
        return str(data)

    def _view(self, contract: bytes, name: str, arguments: tuple[bytes, ...], at: int, count: int) -> list[bytes]:
        data = str(self._contract.encode_abi(name, args=list(arguments)))
        answer = self._node.request("eth_call", {"to": to_hex(contract), "data": data}, hex(at))
        if answer == "0x":  # what a call to an account without code returns
            raise Unavailable("chain.no_contract", address=to_checksum(contract))
        return json_rpc.words(answer, count)

    @contextmanager
    def _reading(self, method: str) -> Iterator[None]:
        try:
            yield
        except json_rpc.UnreachableError as error:
            raise self._unreachable(str(error)) from error
        except json_rpc.RefusedError as error:
            raise Unavailable(
                "chain.refused", url=shown(self._url), method=method, message=self._words(error)
            ) from error
        except (json_rpc.NodeError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise Unavailable("chain.odd_answer", url=shown(self._url), method=method) from error
        except InvalidData as error:
            if error.code.startswith("chain."):
                raise
            if error.code == "header.unknown_fields":
                raise Unavailable("chain.unknown_fields", url=shown(self._url)) from error
            raise Unavailable("chain.odd_answer", url=shown(self._url), method=method) from error

    def _words(self, error: json_rpc.RefusedError) -> str:
        return without_secrets(self._url, error.message)

    def _unreachable(self, reason: str) -> Unavailable:
        return Unavailable("chain.unreachable", url=shown(self._url), reason=reason)


def _below(value: int) -> int:
    if value >= LARGEST:
        raise json_rpc.UnreadableError("a number")
    return value


def _nodes(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise json_rpc.UnreadableError("a proof")
    return tuple(json_rpc.octets(item) for item in value)
