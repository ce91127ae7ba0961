"""Steps 5 to 9 of a verification: whether the log includes the entry, and what the bundle's anchors show together.

Each anchor is checked by itself (`evidence`). The bundle's answers depend only on the set of anchors: neither their
order nor a repeated anchor changes the answers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deedlog.anchor import merkle
from deedlog.anchor.evm.block_time import is_dated_after
from deedlog.anchor.tlog import proof as tlog_proof
from deedlog.anchor.verify.evidence.anchor import LoggedEntry, by_log_key, not_anchored
from deedlog.anchor.verify.verdict import Answer, no, not_checked, yes
from deedlog.registry.errors import VerificationError
from deedlog.registry.statements import entry as entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.anchor.verify.evidence.anchor import Anchor
    from deedlog.anchor.verify.pins import Pins
    from deedlog.anchor.verify.verdict import AnchorFindings, Finding
    from deedlog.registry.statements.base import Statement

_PRECEDENCE = (Answer.YES, Answer.NO, Answer.NOT_CHECKED)


def position_of(bundle: Bundle) -> int:
    """Return the log index that a bundle's proofs give for its entry. Whether they hold is the answer `included`.

    Raises `VerificationError`: `bundle.indices` if the proofs name different indices, since `included` might rest on
    another proof than the one read here; `bundle.no_proof` if all anchors are of unknown types, so that no proof can be
    read. Raises `InvalidData` (`tlog_proof.…`) if a proof is malformed.
    """
    proofs = [*(anchor.tlog_proof for anchor in bundle.anchors), bundle.tlog_proof]
    indices = {tlog_proof.parse(text).index for text in proofs if text is not None}
    if not indices:
        raise VerificationError("bundle.no_proof")
    if len(indices) > 1:
        raise VerificationError("bundle.indices", indices=", ".join(map(str, sorted(indices))))
    return indices.pop()


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The bundle's answers included, anchored, final and time; each anchor's own answers; the chain they rest on."""

    findings: dict[str, Finding]
    anchors: tuple[AnchorFindings, ...] = ()
    chain_id: int | None = None


def find_inclusion(bundle: Bundle, statement: Statement, digest: bytes, entry: entries.Entry, pins: Pins) -> Inclusion:
    """Do steps 5 to 9 and return the answers. The anchors' own answers are in the bundle's order.

    `digest` is the statement's (32 bytes), `entry` the bundle's parsed entry. A proof that does not hold gives a no.
    """
    logged = LoggedEntry(bundle.registry, merkle.leaf_hash(bundle.entry), entry.time)
    anchors = tuple(_dated(anchor.check(logged, pins), entry.time) for anchor in bundle.anchors)
    ranked = _ranked(bundle.anchors, anchors)
    chain_id = ranked[0].chain_id if ranked else None
    # Step 5.
    rebuilt = entries.build(entries.Entry(digest, statement.kind, entry.signatures, statement.subjects(), entry.time))
    if rebuilt != bundle.entry:
        # The proofs are about the entry's bytes, and these are not the entry of this statement.
        refused = no("entry.not_of_statement")
        findings = not_anchored(refused, refused, entry.time)
        anchors = tuple(replace(item, findings=findings) if item.known else item for item in anchors)
        return Inclusion(findings, anchors, chain_id)
    # Steps 6 to 8 were done above for each anchor. Step 9 combines them.
    by_itself = [] if bundle.tlog_proof is None else [by_log_key(bundle.tlog_proof, logged)]
    included = _first([*(item.findings["included"] for item in ranked), *by_itself])
    anchored = ranked[0].findings["anchored"] if ranked else not_checked("anchored.not_yet")
    if anchored.answer is Answer.YES:
        return Inclusion(ranked[0].findings, anchors, chain_id)
    return Inclusion(not_anchored(included, anchored, entry.time), anchors, chain_id)


def _dated(found: AnchorFindings, entry_time: int) -> AnchorFindings:
    """Return an anchor's answers, with the reason for its yes to time if the entry is dated after that time.

    The answer stays yes: it rests on the block alone, whatever the registry's clock said.
    """
    time = found.findings["time"]
    proven = time.params.get("time")
    if time.answer is not Answer.YES or not isinstance(proven, int) or not is_dated_after(entry_time, proven):
        return found
    ahead = yes("time.entry_ahead", *time.trust, time=proven, entry_time=entry_time)
    return replace(found, findings={**found.findings, "time": ahead})


def _first(findings: Iterable[Finding]) -> Finding:
    """Return the first yes; without a yes, the first no; without either, the first finding."""
    return min(findings, key=lambda finding: _PRECEDENCE.index(finding.answer))


def _ranked(anchors: Sequence[Anchor], checked: Sequence[AnchorFindings]) -> list[AnchorFindings]:
    """Return the anchors' findings, ranked as in step 9. The first answers for the bundle, whatever their order."""

    def rank(pair: tuple[Anchor, AnchorFindings]) -> tuple[bool, int, bool, bool, bool, int, int, str]:
        anchor, found = pair
        time = found.findings["time"].params.get("time")
        return (
            not found.broken,
            _PRECEDENCE.index(found.findings["anchored"].answer),
            not found.known,
            found.findings["final"].answer is not Answer.YES,
            found.on_development_chain,
            time if isinstance(time, int) else 0,
            found.chain_id or 0,
            json.dumps(anchor.to_json(), ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        )

    return [found for _, found in sorted(zip(anchors, checked, strict=True), key=rank)]
