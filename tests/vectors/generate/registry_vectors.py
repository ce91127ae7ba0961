"""Make `tests/vectors/registry.json`: the contract's creation code, registries with their addresses, and refusals.

PYTHONPATH=.:tests:scripts python tests/vectors/generate/registry_vectors.py

eth-abi encodes the arguments and eth-utils hashes. Of the project only the creation code is read, from the artifact.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import eth_abi
from eth_utils import keccak
from vectors.generate.bundle_evidence import REGISTRY

ROOT = Path(__file__).resolve().parents[3]
PATH = ROOT / "tests/vectors/registry.json"
ARTIFACT = json.loads((ROOT / "anchor/contract/RightsAnchor.json").read_text("utf-8"))
CODE = bytes.fromhex(ARTIFACT["creation_code"][2:])
DEPLOYER = bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")
TYPES = ["string", "bytes32", "address", "address", "uint64[]"]

CHANGES: dict[str, dict[str, Any]] = {
    "the worked example": {},
    "one chain": {"chains": [1]},
    "eight chains, up to the largest id": {"chains": [*range(1, 8), 2**53 - 1]},
    "an origin of one character": {"origin": "a"},
    "an origin of 32 characters": {"origin": "a" * 32},
    "an origin of 33 characters": {"origin": "a" * 33},
    "an origin of 255 characters": {"origin": "~" * 255},
    "another salt": {"salt": "0x" + "ff" * 32},
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no chain": ({"chains": []}, "registry.chains"),
    "nine chains": ({"chains": [*range(1, 10)]}, "registry.chains"),
    "chains that descend": ({"chains": [2, 1]}, "registry.chains"),
    "a chain twice": ({"chains": [1, 1]}, "registry.chains"),
    "the chain 0": ({"chains": [0]}, "registry.chains"),
    "a chain below zero": ({"chains": [-1]}, "registry.chains"),
    "a chain beyond 2^53 - 1": ({"chains": [2**53]}, "registry.chains"),
    "a chain in text": ({"chains": ["1"]}, "registry.chains"),
    "a chain that is true": ({"chains": [True]}, "registry.chains"),
    "chains that are no list": ({"chains": 1}, "registry.chains"),
    "no owner": ({"owner": "0x" + "00" * 20}, "registry.account"),
    "no operator": ({"operator": "0x" + "00" * 20}, "registry.account"),
    "no log key": ({"log_key": "0x" + "00" * 32}, "registry.log_key"),
    "an empty origin": ({"origin": ""}, "registry.origin"),
    "an origin with a space": ({"origin": "a b"}, "registry.origin"),
    "an origin of 256 characters": ({"origin": "a" * 256}, "registry.origin"),
    "an unknown version": ({"version": 99}, "registry.version"),
    "a member too many": ({"chain": 1}, "json.member_unknown"),
}


def case(name: str, registry: dict[str, Any]) -> dict[str, Any]:
    """Return a registry with its constructor arguments and its address."""
    members = ("origin", "log_key", "owner", "operator", "chains")
    values = [bytes.fromhex(registry[name][2:]) if name == "log_key" else registry[name] for name in members]
    arguments = eth_abi.encode(TYPES, values)
    salt = bytes.fromhex(registry["salt"][2:])
    address = keccak(b"\xff" + DEPLOYER + salt + keccak(CODE + arguments))[12:]
    return {"name": name, "registry": registry, "arguments": "0x" + arguments.hex(), "address": "0x" + address.hex()}


def main() -> None:
    """Write the file."""
    value = {
        "about": "`creation_codes`: the contract's creation code of each version, without arguments. `cases`: the ABI "
        "encoding of a registry's constructor arguments, and its CREATE2 address. `refused` are no registries, and "
        "why.",
        "deployer": "0x" + DEPLOYER.hex(),
        "creation_codes": {str(ARTIFACT["version"]): "0x" + CODE.hex()},
        "cases": [case(name, REGISTRY | changes) for name, changes in CHANGES.items()],
        "refused": [
            {"name": name, "registry": REGISTRY | changes, "code": code} for name, (changes, code) in REFUSED.items()
        ],
    }
    PATH.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
