"""The compiled contract, committed as package data, so that neither the registry nor a verifier needs a compiler.

Reads one file of the package. The pure folders (`anchor.evm`, `anchor.verify`) may not import this folder; their
callers read the contract here and pass it in. Imports `anchor.evm` and `registry`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedlog.anchor.evm.identity import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = Path(__file__).with_name("RightsAnchor.json")
"""Opened by path, because importing `importlib.resources` takes an eighth of the start-up time of `verify`."""


@cache
def rights_anchor() -> dict[str, Any]:
    """Return the artifact of `RightsAnchor`: abi, creation_code, creation_code_hash, compiler, version."""
    artifact: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return artifact


@cache
def contracts() -> Mapping[int, Contract]:
    """Return the contract of each version; raise `InvalidData` (`registry.artifact_damaged`) if the file is damaged."""
    artifact = rights_anchor()
    return {artifact["version"]: Contract(artifact["version"], bytes.fromhex(artifact["creation_code"][2:]))}


def current() -> Contract:
    """Return the contract of the newest version, which new registries use. Raises as `contracts` does."""
    return contracts()[max(contracts())]
