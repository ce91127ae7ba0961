"""Gas of anchoring and proving, from the snapshot that the contract tests hold to the unit on py-evm and on anvil."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local_registry import ROOT

from benchmarks.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

SNAPSHOT = ROOT / "tests" / "contracts" / "gas_snapshot.json"
LINES = {
    "gas-anchor-typical": "anchor 1,000,000 to 1,000,256",
    "gas-anchor-worst": "anchor 999,999 to 1,999,999",
    "gas-verify-inclusion": "verifyInclusion at 2^20, execution only",
}


def measure() -> Iterator[Figure]:
    """Read the snapshot; a peer is to be measured in the same run."""
    snapshot = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    for name, line in LINES.items():
        yield Figure(name, snapshot[line], "gas", note=line)
