"""The compiled contract, committed as package data: neither the registry nor a verifier needs a compiler."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def rights_anchor() -> dict[str, Any]:
    """Return the artifact of `RightsAnchor`: abi, creation_code, creation_code_hash, compiler, version."""
    artifact: dict[str, Any] = json.loads((files(__name__) / "RightsAnchor.json").read_text(encoding="utf-8"))
    return artifact
