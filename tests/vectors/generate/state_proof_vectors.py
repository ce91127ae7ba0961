"""Make `tests/vectors/state_proof.json`: headers and storage proofs of a real chain (anvil), and what is refused.

PYTHONPATH=.:tests:scripts python tests/vectors/generate/state_proof_vectors.py

The values are the chain's own (what was put into its storage); nothing of `anchor.evm.rlp`, `anchor.evm.trie_proof` or
`anchor.evm.state_proof` runs here. The chain's clock is set, so the same anvil gives the same bytes again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

import httpx
import rlp
from eth_utils import keccak
from support.worlds.chains.anvil import running_anvil

PATH = Path(__file__).resolve().parent.parent / "state_proof.json"
FORKS = ("berlin", "london", "shanghai", "cancun", "prague", "osaka")
"""The forks whose headers differ; osaka's is prague's."""

START, TIME = 1_795_450_000, 1_795_460_000
CODE = "0x00"
HEADS = 200
"""Slots of the contract: enough for a trie of several levels."""

NEIGHBOURS = 300
"""Accounts beside it, for the same reason."""

ABOUT = (
    "Block headers (RLP) with what they say, and storage slots proven under them as eth_getProof does; then what must "
    "be refused, with the reason's code. A proof's nodes stand from the root down. Each storage case names its header "
    "among `headers`; its value is a 32-byte word."
)

# The main network's first block: not ours, not anvil's. Its hash is the best known of all.
GENESIS = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "number": "0x0",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
}

# The order of EIP-1559, 4895, 4844 (two), 4788, 7685.
ORDER = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)
NUMBERS = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas")


def address(name):
    return "0x" + hashlib.sha256(f"account {name}".encode()).hexdigest()[:40]


CONTRACT, OTHER, HOLLOW, NOBODY = (address(name) for name in ("contract", "other", "hollow", "nobody"))


def word(number):
    return f"0x{number:064x}"


def head_slot(index):
    root = hashlib.sha256(f"root {index}".encode()).digest()
    return "0x" + keccak(root + bytes(32)).hex()


def head(index):
    """Return `size | time<<64 | previousSize<<128 | blockNumber<<192` of an imagined head."""
    return (index + 1) * 7 | (TIME + index) << 64 | index * 7 << 128 | (1000 + index) << 192


# Heads, and the values at the edges of RLP: one byte below and at 0x80, zeros in the middle, the largest.
SLOTS = {head_slot(index): head(index) for index in range(HEADS)} | {
    word(number): value for number, value in enumerate((1, 0x7F, 0x80, 0xFF, 0x100, 1 << 248, 1 << 255, 2**256 - 1))
}
ABSENT = head_slot(HEADS)


class Chain:
    """Requests in batches: one answer for each, in order."""

    def __init__(self, url):
        self._client = httpx.Client(base_url=url, timeout=60)

    def request(self, *calls):
        batch = [{"jsonrpc": "2.0", "id": n, "method": m, "params": list(p)} for n, (m, *p) in enumerate(calls)]
        answers = {answer["id"]: answer for answer in self._client.post("/", json=batch).json()}
        assert not [answer for answer in answers.values() if "error" in answer], answers
        return [answers[n]["result"] for n in range(len(calls))]

    def mine(self, time):
        """Return the new block, asked for by its hash."""
        self.request(("evm_setNextBlockTimestamp", time), ("evm_mine",))
        (newest,) = self.request(("eth_getBlockByNumber", "latest", False))
        (block,) = self.request(("eth_getBlockByHash", newest["hash"], False))
        return block

    def proof(self, account, slot, block):
        """Return (account proof, storage proof) as the node gives them."""
        (answer,) = self.request(("eth_getProof", account, [slot], block["number"]))
        return answer["accountProof"], answer["storageProof"][0]["proof"]


@contextlib.contextmanager
def chain_of(fork):
    """Run a chain of that fork, whose clock starts where it always does."""
    with running_anvil("--timestamp", str(START), "--hardfork", fork) as anvil:
        yield Chain(anvil.url)


def fill(chain):
    """Put accounts and slots into the chain's state; return the block that has them."""
    chain.request(
        *[("anvil_setBalance", address(n), hex(10**18 + n)) for n in range(NEIGHBOURS)],
        *[("anvil_setCode", account, CODE) for account in (CONTRACT, OTHER, HOLLOW)],
        *[("anvil_setStorageAt", CONTRACT, slot, word(value)) for slot, value in SLOTS.items()],
        ("anvil_setStorageAt", OTHER, word(0), word(5)),
    )
    return chain.mine(TIME)


def fields_of(block):
    """Return the header's fields as bytes, in the order of the specifications."""
    return [
        rlp.sedes.big_endian_int.serialize(int(block[name], 16)) if name in NUMBERS else bytes.fromhex(block[name][2:])
        for name in ORDER
        if name in block
    ]


def header_case(name, fields, hash_=None):
    data = rlp.encode(fields)
    return {
        "name": name,
        "rlp": "0x" + data.hex(),
        "hash": hash_ or "0x" + keccak(data).hex(),
        "state_root": "0x" + fields[3].hex(),
        "number": int.from_bytes(fields[8], "big"),
        "timestamp": int.from_bytes(fields[11], "big"),
    }


def headers(blocks):
    """Return the header of each fork with the hash that the chain gave it, and one of a fork to come."""
    cases = [header_case("mainnet genesis", fields_of(GENESIS), GENESIS["hash"])]
    cases += [header_case(fork, fields_of(block), block["hash"]) for fork, block in blocks.items()]
    later = [*fields_of(blocks["osaka"]), b"\xaa" * 32, b"\x01\x02", [b"a list", []], b""]
    return [*cases, header_case("later than today", later)]


def headers_refused(block):
    fields = fields_of(block)
    data = rlp.encode(fields)
    assert data.startswith(b"\xf9" + (len(data) - 3).to_bytes(2, "big"))

    def with_field(index, value):
        return rlp.encode([*fields[:index], value, *fields[index + 1 :]])

    cases = {
        "fourteen fields": (rlp.encode(fields[:14]), "header.malformed"),
        "sixty-five fields": (rlp.encode([*fields, *[b""] * (65 - len(fields))]), "header.malformed"),
        "a string": (rlp.encode(data), "header.malformed"),
        "state root of 31 bytes": (with_field(3, fields[3][:-1]), "header.malformed"),
        "state root of 33 bytes": (with_field(3, fields[3] + b"\0"), "header.malformed"),
        "state root a list of 32": (with_field(3, [b"\1"] * 32), "header.malformed"),
        "number with a leading zero": (with_field(8, b"\0\1"), "header.malformed"),
        "number a list": (with_field(8, []), "header.malformed"),
        "time beyond 64 bits": (with_field(11, b"\1" + bytes(8)), "header.malformed"),
        "a byte behind": (data + b"\0", "rlp.trailing"),
        "a byte short": (data[:-1], "rlp.truncated"),
        "length with a leading zero": (b"\xfa\0" + data[1:], "rlp.not_canonical"),
        "parent hash in the long form": (
            b"\xf9" + (len(data) - 2).to_bytes(2, "big") + b"\xb8\x20" + data[4:],
            "rlp.not_canonical",
        ),
        "nothing": (b"", "rlp.truncated"),
    }
    return [{"name": name, "rlp": "0x" + data.hex(), "code": code} for name, (data, code) in cases.items()]


def storage_case(name, header, account, slot, proofs, **outcome):
    return {
        "name": name,
        "header": header,
        "account": account,
        "slot": slot,
        "account_proof": proofs[0],
        "storage_proof": proofs[1],
    } | outcome


SHOWN = (head_slot(0), head_slot(1), *(word(number) for number in range(8)))


def storage(chain, block):
    def case(name, account, slot, value):
        return storage_case(name, "osaka", account, slot, chain.proof(account, slot, block), value=word(value))

    return [
        *(case(f"slot {slot}", CONTRACT, slot, SLOTS[slot]) for slot in SHOWN),
        case("the only slot", OTHER, word(0), 5),
    ]


def changed(node):
    return node[:-1] + f"{int(node[-1], 16) ^ 1:x}"


def storage_refused(chain, block):
    slot = head_slot(0)
    account, nodes = chain.proof(CONTRACT, slot, block)
    assert min(len(account), len(nodes)) > 2, "too shallow for the cases below to be what they say"
    hollow, empty = chain.proof(HOLLOW, slot, block)
    assert empty == ["0x80"], "an empty trie has another proof than anvil's"
    missing, unused, mismatch = (f"patricia.node_{what}" for what in ("missing", "unused", "mismatch"))
    cases = [
        ("no such account", NOBODY, slot, chain.proof(NOBODY, slot, block)[0], nodes, "state.account_missing"),
        ("an account's proof for another", NOBODY, slot, account, nodes, mismatch),
        ("no such slot", CONTRACT, ABSENT, *chain.proof(CONTRACT, ABSENT, block), "state.slot_empty"),
        ("no storage, shown by the empty node", HOLLOW, slot, hollow, empty, "state.slot_empty"),
        ("no storage, shown by no node", HOLLOW, slot, hollow, [], "state.slot_empty"),
        ("no storage, yet a proof of some", HOLLOW, slot, hollow, nodes, mismatch),
        ("storage, yet a proof of none", CONTRACT, slot, account, empty, mismatch),
        ("no account proof", CONTRACT, slot, [], nodes, missing),
        ("no storage proof", CONTRACT, slot, account, [], missing),
        ("last account node dropped", CONTRACT, slot, account[:-1], nodes, missing),
        ("last storage node dropped", CONTRACT, slot, account, nodes[:-1], missing),
        ("first storage node dropped", CONTRACT, slot, account, nodes[1:], mismatch),
        ("account node added", CONTRACT, slot, [*account, account[0]], nodes, unused),
        ("storage node added", CONTRACT, slot, account, [*nodes, nodes[0]], unused),
        ("last node twice", CONTRACT, slot, account, [*nodes, nodes[-1]], unused),
        ("first node twice", CONTRACT, slot, account, [nodes[0], *nodes], mismatch),
        ("nodes swapped", CONTRACT, slot, account, [nodes[1], nodes[0], *nodes[2:]], mismatch),
        ("the last storage node changed", CONTRACT, slot, account, [*nodes[:-1], changed(nodes[-1])], mismatch),
        ("the account changed", CONTRACT, slot, [*account[:-1], changed(account[-1])], nodes, mismatch),
        ("another slot's proof", CONTRACT, slot, account, chain.proof(CONTRACT, head_slot(1), block)[1], mismatch),
        ("another contract's storage", CONTRACT, slot, account, chain.proof(OTHER, word(0), block)[1], mismatch),
        ("the two proofs exchanged", CONTRACT, slot, nodes, account, mismatch),
    ]
    refused = [
        storage_case(name, "osaka", address_, key, proofs, code=code) for name, address_, key, *proofs, code in cases
    ]
    return [
        *refused,
        storage_case("another block's header", "prague", CONTRACT, slot, (account, nodes), code=mismatch),
    ]


def make(blocks, chain):
    """Return the vectors: `blocks` by fork, the last on `chain`, whose state is filled."""
    block = blocks["osaka"]
    return {
        "about": ABOUT,
        "headers": headers(blocks),
        "headers_refused": headers_refused(block),
        "storage": storage(chain, block),
        "storage_refused": storage_refused(chain, block),
    }


def first_block(fork):
    with chain_of(fork) as chain:
        return chain.mine(TIME)


def main():
    blocks = {fork: first_block(fork) for fork in FORKS[:-1]}
    with chain_of(FORKS[-1]) as chain:
        blocks[FORKS[-1]] = fill(chain)
        PATH.write_text(json.dumps(make(blocks, chain), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
