"""What a forger can make of a genuine bundle: the same statement in a log and a contract that the forger controls."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedlog.anchor import merkle
from deedlog.anchor.contract import current
from deedlog.anchor.evm.identity import Head, RegistryIdentity, head_slot
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog.checkpoint import Checkpoint
from deedlog.anchor.tlog.proof import TlogProof
from deedlog.anchor.verify.evidence.evm_slot import EvmSlot, slots
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.signatures import account_of_private_key

if TYPE_CHECKING:
    from deedlog.anchor.anchoring.chain_port import SlotProof
    from deedlog.anchor.verify.bundle import Bundle

FORGER_KEY = sha256(b"the forger's key").digest()
FORGER_TIME = 1_600_000_000
"""Years before the genuine time: an earlier time is the purpose of the forgery."""


def forge(genuine: Bundle, forger_chain: str) -> dict[str, Bundle]:
    """Return forged bundles of the genuine bundle's statement, each under the name of its trick.

    `forger_chain` is the RPC URL of a development chain that the forger controls entirely.
    """
    log_key = Ed25519PrivateKey.from_private_bytes(sha256(b"the forger's log").digest())
    account = account_of_private_key(FORGER_KEY)
    chain = EvmChain(forger_chain)
    chain_id = slots(genuine.anchors)[0].chain_id
    own = RegistryIdentity(
        contract=current(),
        salt=bytes(32),
        origin=genuine.registry.origin,
        log_key=log_key.public_key().public_bytes_raw(),
        owner=account,
        operator=account,
        chains=tuple(sorted({chain_id, chain.chain_id()})),
    )
    leaf = merkle.leaf_hash(genuine.entry)
    other = merkle.leaf_hash(b"an entry of the forger's")
    root = merkle.node_hash(leaf, other)
    note = checkpoint.sign(Checkpoint(own.origin, 2, root), log_key)
    proof = TlogProof(0, (other,), note).format()
    chain.deploy_local(own)
    forged_domain = json.loads(json.dumps(genuine.typed_data))
    forged_domain["domain"]["verifyingContract"] = to_hex(own.address)

    def anchored_at(identity: RegistryIdentity) -> EvmSlot:
        slot = _forge_state(chain, identity, root)
        return EvmSlot(chain_id, proof, slot.header, slot.account_proof, slot.storage_proof)

    own_anchor = (anchored_at(own),)
    return {
        "a registry of the forger's own": replace(genuine, registry=own, anchors=own_anchor),
        "the same, and the statement's domain changed": replace(
            genuine, typed_data=forged_domain, registry=own, anchors=own_anchor
        ),
        "the true registry's name over the forger's log": replace(genuine, anchors=own_anchor),
        "a chain where the true address holds what the forger wrote": replace(
            genuine, anchors=(anchored_at(genuine.registry),)
        ),
        "no anchor, a checkpoint by the forger's key": replace(genuine, anchors=(), tlog_proof=proof),
    }


def _forge_state(chain: EvmChain, identity: RegistryIdentity, root: bytes) -> SlotProof:
    """Write a head into a contract's storage, as only the owner of a development chain can; return its proof."""
    head = Head(2, FORGER_TIME, 0, 1)
    word = head.size | head.time << 64 | head.previous_size << 128 | head.block_number << 192
    requests: list[tuple[str, list[Any]]] = [
        ("anvil_setCode", [to_hex(identity.address), "0x00"]),
        ("anvil_setStorageAt", [to_hex(identity.address), to_hex(head_slot(root)), to_hex(word.to_bytes(32, "big"))]),
        ("anvil_mine", ["0x1"]),
    ]
    for method, parameters in requests:
        chain.development_request(method, *parameters)
    return chain.slot_proof(identity.address, root, chain.tip())
