"""What a verifier brings, as the vectors write it."""

from __future__ import annotations

from deedlog.anchor.verify.pins import NodeAnswer, Pins


def pins_of(value) -> Pins:
    """Return the pins of their JSON form in `tests/vectors/bundles.json`."""
    return Pins(
        registry=None if value["registry"] is None else bytes.fromhex(value["registry"][2:]),
        block_hashes=tuple(bytes.fromhex(item[2:]) for item in value["block_hashes"]),
        nodes=tuple(node_of(node) for node in value["nodes"]),
    )


def node_of(value) -> NodeAnswer:
    """Return a node's answer of its JSON form."""
    blocks = {int(number): bytes.fromhex(block_hash[2:]) for number, block_hash in value["blocks"].items()}
    return NodeAnswer(value["url"], value["chain_id"], blocks, value["finalized"], value["problem"])
