"""Steps 5 to 8 of a verification: that the entry is in the log, by which head, and who vouches for the head's block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.anchor import merkle
from deedlog.anchor.evm.finality import DEVELOPMENT_CHAINS
from deedlog.anchor.evm.identity import Head, RegistryIdentity, head_slot
from deedlog.anchor.evm.state_proof import Header, parse_header, storage_value
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog import proof as tlog_proof
from deedlog.anchor.verify.verdict import Finding, Trust, no, not_checked, refuted, yes
from deedlog.registry.errors import DeedlogError, VerificationError
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import entry as entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.anchor.verify.bundle import Bundle, ChainProof
    from deedlog.anchor.verify.pins import NodeAnswer, Pins
    from deedlog.registry.statements.base import Statement


@dataclass(frozen=True, slots=True)
class _Anchor:
    """An anchor after steps 6 and 7: the head that its own header proves, and that the entry is in its tree."""

    chain_id: int
    header: Header
    head: Head


def position_of(bundle: Bundle) -> int:
    """Return the index in the log at which a bundle's proofs have its entry; whether that holds is `included`.

    Raises `VerificationError` (`bundle.indices`) where they disagree: `included` may rest on another than is read here.
    """
    proofs = [anchor.tlog_proof for anchor in bundle.anchors]
    indices = {tlog_proof.parse(text).index for text in (*proofs, bundle.tlog_proof) if text is not None}
    if len(indices) != 1:
        raise VerificationError("bundle.indices", indices=", ".join(map(str, sorted(indices))))
    return indices.pop()


def blocks_to_ask(bundle: Bundle) -> list[tuple[int, int]]:
    """Return (chain id, block number) of each anchor whose header can be read: what nodes are asked about."""
    questions = []
    for anchor in bundle.anchors:
        try:
            questions.append((anchor.chain_id, parse_header(anchor.header).number))
        except VerificationError:
            continue  # step 6 says what is wrong with it
    return questions


def find_inclusion(
    bundle: Bundle, statement: Statement, digest: bytes, entry: entries.Entry, pins: Pins
) -> tuple[dict[str, Finding], int | None]:
    """Return the findings included, anchored, final and time, and the chain that they speak of."""
    # Step 5.
    rebuilt = entries.build(entries.Entry(digest, statement.kind, entry.signatures, statement.subjects(), entry.time))
    if rebuilt != bundle.entry:
        broken = no("entry.not_of_statement")
        return _unanchored(broken, broken, entry.time), None
    leaf = merkle.leaf_hash(bundle.entry)
    if not bundle.anchors:
        return _unanchored(_by_log_key(bundle, leaf), not_checked("anchored.not_yet"), entry.time), None
    # Steps 6 and 7, anchor by anchor.
    try:
        opened = [_open(anchor, bundle.registry, leaf) for anchor in bundle.anchors]
    except DeedlogError as error:
        return _unanchored(_by_log_key(bundle, leaf), refuted(error), entry.time), bundle.anchors[0].chain_id
    # Step 8.
    vouched = _vouched(opened, pins)
    if isinstance(vouched, Finding):
        return _unanchored(_by_log_key(bundle, leaf), vouched, entry.time), opened[0].chain_id
    return _anchored(*vouched), vouched[0].chain_id


def _vouched(opened: list[_Anchor], pins: Pins) -> tuple[_Anchor, Finding, Trust] | Finding:
    """Return the anchor whose block somebody vouches for, whether it is final, and who; or why there is none."""
    for anchored in opened:
        if pins.block_hash == anchored.header.hash:
            return anchored, _final_on_your_word(anchored), Trust.YOU
    if pins.block_hash is not None:
        return not_checked("anchored.other_block", blocks=", ".join(to_hex(item.header.hash) for item in opened))
    if not pins.nodes:
        first = opened[0]
        return not_checked("anchored.no_block", chain_id=first.chain_id, block_hash=to_hex(first.header.hash))
    doubts = []
    for anchored in opened:
        doubt = _asked(anchored, pins.nodes)
        if doubt is None:
            return anchored, _final_by_nodes(anchored, pins.nodes), Trust.NODES
        doubts.append(doubt)
    return doubts[0]


def _open(anchor: ChainProof, identity: RegistryIdentity, leaf: bytes) -> _Anchor:
    """Return the head that the anchor's header proves, once the entry is shown to be in its tree; else raise."""
    proof = tlog_proof.parse(anchor.tlog_proof)
    claimed = checkpoint.read_unsigned(proof.note)
    if claimed.origin != identity.origin:
        raise VerificationError("checkpoint.origin", expected=identity.origin)
    header = parse_header(anchor.header)
    word = storage_value(header, identity.address, head_slot(claimed.root), anchor.account_proof, anchor.storage_proof)
    head = Head.unpack(word)
    # Size and root from one place: the slot is keyed by the root and holds the size.
    if head.size != claimed.size:
        raise VerificationError("anchored.size", checkpoint=claimed.size, contract=head.size)
    merkle.verify_inclusion(leaf, proof.index, head.size, proof.hashes, claimed.root)
    return _Anchor(anchor.chain_id, header, head)


def _by_log_key(bundle: Bundle, leaf: bytes) -> Finding:
    """Return whether a checkpoint that the address's log key signed includes the entry."""
    text = bundle.anchors[0].tlog_proof if bundle.tlog_proof is None else bundle.tlog_proof
    try:
        proof = tlog_proof.parse(text)
        signed = checkpoint.open_signed(proof.note, bundle.registry.verifier_key)
        merkle.verify_inclusion(leaf, proof.index, signed.size, proof.hashes, signed.root)
    except DeedlogError as error:
        return refuted(error)
    return yes("included.log_key", Trust.LOG_KEY, index=proof.index, size=signed.size)


def _anchored(anchored: _Anchor, final: Finding, trust: Trust) -> dict[str, Finding]:
    head, header = anchored.head, anchored.header
    return {
        "included": yes("included.contract", trust, size=head.size),
        "anchored": yes(
            "anchored.your_block" if trust is Trust.YOU else "anchored.nodes_block",
            trust,
            chain_id=anchored.chain_id,
            size=head.size,
            block_number=head.block_number,
            block_hash=to_hex(header.hash),
        ),
        "final": final,
        "time": yes("time.no_later_than", trust, time=head.time),
    }


def _unanchored(included: Finding, anchored: Finding, entry_time: int) -> dict[str, Finding]:
    return {
        "included": included,
        "anchored": anchored,
        "final": not_checked("final.not_anchored"),
        "time": not_checked("time.registry_word", time=entry_time),
    }


def _final_on_your_word(anchored: _Anchor) -> Finding:
    return yes("final.your_word", Trust.YOU, block_hash=to_hex(anchored.header.hash))


def _final_by_nodes(anchored: _Anchor, nodes: Sequence[NodeAnswer]) -> Finding:
    if anchored.chain_id in DEVELOPMENT_CHAINS:
        return not_checked("final.development_chain", chain_id=anchored.chain_id)
    finalized = [node.finalized for node in nodes if node.problem is None and node.chain_id == anchored.chain_id]
    known = [number for number in finalized if number is not None]
    if not known or len(known) < len(finalized):
        return not_checked("final.unknown")
    if min(known) < anchored.header.number:
        return not_checked("final.not_yet", block_number=anchored.header.number, finalized=min(known))
    return yes("final.nodes", Trust.NODES, finalized=min(known))


def _asked(anchored: _Anchor, nodes: Sequence[NodeAnswer]) -> Finding | None:
    """Return None if all nodes that answer, at least one, have the anchor's block; else what to say instead."""
    voices = []
    problem = None
    for node in nodes:
        if node.problem is not None:
            problem = not_checked(node.problem, url=node.url)
        elif node.chain_id != anchored.chain_id:
            problem = not_checked("node.other_chain", url=node.url, expected=anchored.chain_id, actual=node.chain_id)
        elif (block_hash := (node.blocks or {}).get(anchored.header.number)) is None:
            # It lags, or has forgotten: it contradicts nothing.
            problem = not_checked("node.no_block", url=node.url, block_number=anchored.header.number)
        else:
            voices.append(block_hash == anchored.header.hash)
    ours = to_hex(anchored.header.hash)
    if not voices:
        return problem or not_checked("anchored.no_block", block_hash=ours, chain_id=anchored.chain_id)
    if all(voices):
        return None
    if any(voices):
        return not_checked("node.disagree", block_hash=ours)
    return no("anchored.not_canonical", block_hash=ours)
