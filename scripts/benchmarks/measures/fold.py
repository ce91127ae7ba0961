"""Fold the rights state of 100,000 statements from entries and bodies in memory: seconds and memory.

Each round runs in a new process, so that its memory is the fold's. There is no peer: no other registry has rules that
anybody can run over its log.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from hashlib import sha256
from statistics import median
from typing import TYPE_CHECKING

from local_registry import ROOT

from benchmarks.figure import Figure
from benchmarks.measures.statement import WORK
from deedlog.registry.rules.fold import state
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements import Agreement, Contribution, Countersignature, RevenueReport, Share, Work
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedlog.registry.statements.base import Statement

STATEMENTS = 100_000
GROUP = 10
"""Statements about one work: itself, three contributions, their countersignatures, an agreement, two reports."""

ROUNDS = 3
DAY = 24 * 3600
NOW = 1_795_460_000
KIB = 1024


def measure() -> Iterator[Figure]:
    """Fold the same statements in new processes."""
    seconds, memory = [], []
    for _ in range(ROUNDS):
        command = [sys.executable, "-m", "benchmarks.measures.fold"]
        said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
        seconds.append(said["seconds"])
        memory.append(said["bytes"])
    note = f"{STATEMENTS:,} statements, a tenth of them agreements; medians of {ROUNDS} processes"
    yield Figure("fold", median(seconds), "s", note=note)
    yield Figure("fold-memory", median(memory) / KIB / KIB, "MiB", note="what the fold adds to bodies held in memory")


def main() -> None:
    """Fold once; print the seconds, and by how much the process's memory grew."""
    facts = [fact for number in range(STATEMENTS // GROUP) for fact in _about_one_work(number)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    folded = state(facts)
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    refused = [standing.code for standing in folded.standings.values() if not standing.counts]
    if refused or len(folded.standings) != STATEMENTS:
        sys.exit(f"fold: {len(refused)} statements did not count: {refused[:3]}")
    print(json.dumps({"seconds": seconds, "bytes": grown * KIB}))


def _about_one_work(number: int) -> list[Fact]:
    def digest(name: str) -> bytes:
        return sha256(b"%s %d" % (name.encode(), number)).digest()

    def account(name: str) -> bytes:
        return digest(name)[:20]

    creator, payer = account("creator"), account("payer")
    helpers = [account(f"helper {place}") for place in range(3)]
    parties = tuple(sorted((creator, *helpers)))
    work, salt = digest("work"), digest("salt")
    made = WORK.__dict__ | {"creators": (creator,), "contentHash": digest("content"), "salt": salt}
    statements: list[tuple[bytes, Statement]] = [(work, Work(**made))]
    for place, helper in enumerate(helpers):
        part = Contribution(work, helper, "editing", "equal", "helper", "human", NOW, salt)
        statements.append((digest(f"part {place}"), part))
        statements.append((digest(f"yes {place}"), Countersignature(digest(f"part {place}"), creator, NOW, salt)))
    shares = tuple(Share(party, "producer", WHOLE // len(parties), salt) for party in parties)
    agreement = Agreement((work,), parties, (), shares, NONE, payer, NOW + DAY, NOW - 90 * DAY, 0, NONE, salt)
    statements.append((digest("agreement"), agreement))
    for period in (3, 2):
        start, end = NOW - period * 30 * DAY, NOW - (period - 1) * 30 * DAY
        report = RevenueReport(work, start, end, "CNY", 1_000_003, "gross", NONE, payer, salt)
        statements.append((digest(f"report {period}"), report))
    return [
        Fact(name, statement.kind, statement.signers() or (), statement.subjects(), NOW + number, statement)
        for name, statement in statements
    ]


if __name__ == "__main__":
    main()
