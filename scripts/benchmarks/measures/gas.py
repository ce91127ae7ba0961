"""Gas of anchoring and proving on anvil, against a contract that stores the same without checks (PlainAnchor.sol).

Trees, heads and proofs are those of tests/contracts/test_gas.py, which checks these figures to the unit.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING

from local_registry import ROOT

from benchmarks.figure import Figure
from benchmarks.local_chain import running_chain
from deedlog.anchor.contract import current
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.tlog import tiles
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deedlog.anchor.rpc.evm_chain import EvmChain

PEER = Path(__file__).with_name("PlainAnchor.sol")
TYPICAL, WORST = (1_000_000, 1_000_256), (999_999, 1_999_999)
INCLUSION_SIZE, INCLUSION_INDEX = 2**20, 700_001
LOG_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # RFC 8032 §7.1, test 1
STEP = 50_000
GAS = 10_000_000

# METER forwards its calldata from byte 32 on, by STATICCALL, to the account in the first 32 bytes. It returns the gas
# left before the call less the gas left after it. METER_CREATION is its creation code.
METER = bytes.fromhex("602036038060205f375a905f5f825f5f355afa5a92915050035f5260205ff3")
METER_CREATION = bytes([0x60, len(METER), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + METER

ANCHOR = "anchor(uint64,uint64,bytes32,bytes32[])"
PLAIN_ANCHOR = "anchor(uint64,uint64,bytes32)"
VERIFY_INCLUSION = "verifyInclusion(bytes32,uint64,bytes32,bytes32[])"


def measure() -> Iterator[Figure]:
    """Measure each growth on newly deployed contracts: the gas of whole transactions, from their receipts."""
    rows = _large_log()

    def read(level: int, index: int) -> bytes:
        return rows.get((level, index), b"")

    creation = _compiled_peer()
    with running_chain() as chain:
        accounts = chain.development_request("eth_accounts")
        for salt, (name, (old, new)) in enumerate({"typical": TYPICAL, "worst": WORST}.items()):
            ours, plain = _Sender(chain, accounts[1]), _Sender(chain, accounts[2])
            ours.contract = _deploy(chain, accounts[1], salt)
            plain.contract = plain.create(creation)
            first, second = tiles.root(read, old), tiles.root(read, new)
            ours.send(_calldata(ANCHOR, [0, old, first], []))
            plain.send(_calldata(PLAIN_ANCHOR, [0, old, first]))
            proof = tiles.consistency_proof(read, old, new)
            yield Figure(
                f"gas-anchor-{name}",
                ours.send(_calldata(ANCHOR, [old, new, second], proof)),
                "gas",
                "the same storage, nothing checked",
                plain.send(_calldata(PLAIN_ANCHOR, [old, new, second])),
                f"{old:,} to {new:,}, {len(proof)} nodes of proof",
            )
        ours, plain = _Sender(chain, accounts[1]), _Sender(chain, accounts[2])
        ours.contract = _deploy(chain, accounts[1], 2)
        plain.contract = plain.create(creation)
        root = tiles.root(read, INCLUSION_SIZE)
        ours.send(_calldata(ANCHOR, [0, INCLUSION_SIZE, root], []))
        plain.send(_calldata(PLAIN_ANCHOR, [0, INCLUSION_SIZE, root]))
        proof = tiles.inclusion_proof(read, INCLUSION_INDEX, INCLUSION_SIZE)
        call = _calldata(VERIFY_INCLUSION, [_leaf_hash(INCLUSION_INDEX), INCLUSION_INDEX, root], proof)
        meter = ours.create(METER_CREATION)
        yield Figure(
            "gas-verify-inclusion",
            ours.used(meter, call),
            "gas",
            "the same hashes, plain Solidity",
            plain.used(meter, call),
            f"{len(proof)} nodes of proof; execution only",
        )


@dataclass
class _Sender:
    """One of anvil's own accounts, for which anvil signs, and the contract that it calls."""

    chain: EvmChain
    account: str
    contract: str = ""

    def create(self, creation: bytes) -> str:
        """Create a contract; return its address."""
        address: str = self._receipt({"data": to_hex(creation)})["contractAddress"]
        return address

    def send(self, data: bytes) -> int:
        """Send a transaction that must succeed; return the gas that it used."""
        return int(self._receipt({"to": self.contract, "data": to_hex(data)})["gasUsed"], 16)

    def used(self, meter: str, data: bytes) -> int:
        """Return the gas that the contract's code uses for a call with cold storage whose answer is true."""
        answer = self._call(self.contract, data)
        if int(answer, 16) != 1:
            sys.exit(f"gas: the proof is not accepted: {answer}")
        nobody = sha256(b"an account without code").digest()[:20].hex()
        with_code, without = (
            int(self._call(meter, bytes.fromhex(target.removeprefix("0x")).rjust(32, b"\0") + data), 16)
            for target in (self.contract, nobody)
        )
        return with_code - without

    def _call(self, to: str, data: bytes) -> str:
        call = {"from": self.account, "to": to, "data": to_hex(data), "gas": hex(GAS)}
        answer: str = self.chain.development_request("eth_call", call, "latest")
        return answer

    def _receipt(self, transaction: dict[str, str]) -> dict[str, str]:
        sent = {"from": self.account, "gas": hex(GAS), **transaction}
        transaction_hash = self.chain.development_request("eth_sendTransaction", sent)
        receipt: dict[str, str] | None = None
        while receipt is None:  # anvil answers before the transaction is mined
            receipt = self.chain.development_request("eth_getTransactionReceipt", transaction_hash)
        if int(receipt["status"], 16) != 1:
            sys.exit(f"gas: a transaction failed: {receipt}")
        return receipt


def _deploy(chain: EvmChain, operator: str, salt: int) -> str:
    account = bytes.fromhex(operator[2:])
    identity = RegistryIdentity(
        current(),
        salt.to_bytes(32, "big"),
        "bench.example.com/log",
        LOG_KEY,
        account,
        account,
        (chain.chain_id(),),
    )
    chain.deploy_local(identity)
    return to_hex(identity.address)


def _calldata(signature: str, values: Sequence[int | bytes], nodes: Sequence[bytes] | None = None) -> bytes:
    """Return the calldata for a function whose arguments are whole words, and optionally one last array of words."""
    words = [value.to_bytes(32, "big") if isinstance(value, int) else value for value in values]
    if nodes is not None:
        words += [(32 * (len(words) + 1)).to_bytes(32, "big"), len(nodes).to_bytes(32, "big"), *nodes]
    return keccak256(signature.encode())[:4] + b"".join(words)


def _leaf_hash(index: int) -> bytes:
    return sha256(b"entry %d" % index).digest()


def _large_log() -> dict[tuple[int, int], bytes]:
    rows: dict[tuple[int, int], bytes] = {}
    for start in range(0, max(*TYPICAL, *WORST) + 1, STEP):
        leaves = [_leaf_hash(index) for index in range(start, start + STEP)]
        rows.update(tiles.append(lambda level, index: rows.get((level, index), b""), start, leaves).tiles)
    return rows


def _compiled_peer() -> bytes:
    """Return the peer's creation code, made with the compiler and settings of the real contract."""
    loader = SourceFileLoader("build_contracts", str(ROOT / "scripts" / "build_contracts"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None, "a file beside this package"
    build = module_from_spec(spec)
    loader.exec_module(build)
    build.install_compiler()
    import solcx  # noqa: PLC0415 - it reads SOLCX_BINARY_PATH when imported

    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {PEER.name: {"content": PEER.read_text(encoding="utf-8")}},
            "settings": {**build.SETTINGS, "outputSelection": {"*": {"*": ["evm.bytecode.object"]}}},
        },
        solc_version=build.COMPILER,
    )
    return bytes.fromhex(output["contracts"][PEER.name]["PlainAnchor"]["evm"]["bytecode"]["object"])
