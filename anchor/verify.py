"""From a bundle to its verdict: pure, without a network. The numbers are the procedure of `docs/formats.md`.

1. Recompute the registry address from the bundle's salt and arguments; compare it with the pinned one.
2. Rebuild the statement and its digest from the typed data, whose domain must be this registry's.
3. file: compare the file's hash and length with the statement's.
4. signatures, complete, author: check each signature of the entry over the digest, and that none is missing.
5. Rebuild the entry from body, signatures and time; it must be the bytes that were logged.
6. For each anchor: header → state root → account → slot of the root → head; the head's size must be the checkpoint's.
7. included: the entry's inclusion proof holds in a tree whose size and root come from one trusted place: a head that
step 6 found in a block that somebody vouches for, or a checkpoint that the address's log key signed.
8. anchored, final, time: of the anchor whose block is vouched for, by the user's block hash or by nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from anchor import checkpoint, merkle, tlog_proof
from anchor.identity import Head, RegistryIdentity, head_slot
from anchor.state_proof import Header, parse_header, storage_value
from anchor.verdict import DEVELOPMENT_CHAINS, Answer, Finding, Trust, Verdict, no, not_checked, refuted, yes
from registry import entry as entries
from registry import rules
from registry.eip712 import domain_separator
from registry.errors import DeedlogError, VerificationError
from registry.hexadecimal import to_checksum, to_hex
from registry.rights import Fact
from registry.signatures import check, check_complete
from registry.statements import Agreement, Rendition, Share, Statement, Upload
from registry.typed_data import from_typed_data, signed_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchor.bundle import Bundle, ChainProof
    from registry.digest import FileDigest


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What one RPC node said: its chain, the hashes of the blocks asked for (by number), the finalized block's number.

    `problem` is the code of why it said nothing of use.
    """

    url: str
    chain_id: int = 0
    blocks: dict[int, bytes] | None = None
    finalized: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Pins:
    """What the user brings: the registry address, a final block's hash, what nodes answered, makers of renditions."""

    registry: bytes | None = None
    block_hash: bytes | None = None
    nodes: tuple[NodeAnswer, ...] = ()
    makers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Anchor:
    """An anchor after steps 6 and 7: the head that its own header proves, and that the entry is in its tree."""

    chain_id: int
    header: Header
    head: Head


def verify(
    bundle: Bundle,
    pins: Pins,
    file: FileDigest | None = None,
    rendition: Bundle | None = None,
    beside: Sequence[Bundle] = (),
) -> Verdict:
    """Return the verdict on a bundle; `rendition` is the bundle of a rendition that `file` may be instead.

    `beside` are bundles of other statements of the same log that bear on this one (the claim of an upload, its
    countersignature, the agreement that is terminated): each counts if it is signed and included.
    Raises `InvalidData` only where the bundle holds no statement at all to speak of.
    """
    # Step 1.
    identity = bundle.registry
    address = identity.address
    # Step 2.
    meant = signed_for(bundle.typed_data)
    statement = from_typed_data(bundle.typed_data, meant)
    digest = statement.digest(domain_separator(meant))
    entry = entries.parse(bundle.entry)
    # Steps 3 and 4.
    findings = {"file": _file(statement, digest, pins, file, rendition)}
    findings |= _signed(statement, digest, entry)
    # Steps 5 to 8.
    below, chain_id = _below(bundle, statement, digest, entry, pins)
    findings |= below
    if meant != address:
        findings |= _refused(no("typed_data.domain", expected=to_checksum(address), actual=to_checksum(meant)))
    elif pins.registry != address:
        # Without the right pin all below the signatures is the bundle's own word: at best not checked.
        if pins.registry is None:
            findings |= {
                name: not_checked("registry.from_bundle", registry=to_checksum(address))
                for name in ("complete", "included", "anchored", "final", "time")
                if findings[name].answer is not Answer.NO
            }
        else:
            other = no("registry.other", expected=to_checksum(pins.registry), actual=to_checksum(address))
            findings |= _refused(other)
    findings["standing"] = not_checked("standing.needs_registry")
    if beside and findings["included"].answer is Answer.YES and findings["signatures"].answer is Answer.YES:
        findings |= _beside(bundle, statement, digest, entry, pins, findings, beside)
    return Verdict(statement, digest, address, pins.registry == address, chain_id, findings)


def _beside(
    bundle: Bundle,
    statement: Statement,
    digest: bytes,
    entry: entries.Entry,
    pins: Pins,
    findings: dict[str, Finding],
    beside: Sequence[Bundle],
) -> dict[str, Finding]:
    """Return what the statement comes to beside others of its log: as far as these are given, and no further."""
    facts = {}
    for other in (bundle, *beside):
        verdict = verify(other, pins)
        proven = all(verdict.findings[name].answer is Answer.YES for name in ("signatures", "included"))
        try:
            position = position_of(other)
        except VerificationError:
            proven = False
        if not proven:
            return {"standing": not_checked("standing.beside", digest=to_hex(verdict.digest))}
        facts[position] = fact_of(verdict.statement, verdict.digest, entries.parse(other.entry))
    rights = rules.state([fact for _, fact in sorted(facts.items())])
    standing = rules.standing(rights, digest, entry.time)
    found = {"standing": Finding(Answer.NOT_CHECKED, standing.code, dict(standing.params))}
    if not standing.counts:
        return found
    trust = findings["included"].trust
    if statement.signers() is None:
        names = ", ".join(to_checksum(signature.account) for signature in entry.signatures)
        found["complete"] = yes("complete.all", *trust, accounts=names)
    work = rights.works.get(digest)
    if isinstance(statement, Upload) and work is not None and work.claim is not None:
        accounts = ", ".join(map(to_checksum, work.creators))
        found["author"] = yes("author.claimed", *trust, platform=to_checksum(statement.platform), accounts=accounts)
    return found


def fact_of(statement: Statement, digest: bytes, entry: entries.Entry) -> Fact:
    """Return a statement as the rules take it."""
    accounts = tuple(signature.account for signature in entry.signatures)
    return Fact(digest, statement.kind, accounts, entry.subjects, entry.time, statement)


def position_of(bundle: Bundle) -> int:
    """Return the index in the log at which a bundle's proofs have its entry; whether that holds is `included`.

    Raises `VerificationError` (`bundle.indices`) where they disagree: `included` may rest on another than is read here.
    """
    proofs = [anchor.tlog_proof for anchor in bundle.anchors]
    indices = {tlog_proof.parse(text).index for text in (*proofs, bundle.tlog_proof) if text is not None}
    if len(indices) != 1:
        raise VerificationError("bundle.indices", indices=", ".join(map(str, sorted(indices))))
    return indices.pop()


def _refused(reason: Finding) -> dict[str, Finding]:
    """Return the findings below the signatures of a bundle whose log is another registry's."""
    return {
        **dict.fromkeys(("complete", "included", "anchored"), reason),
        "final": not_checked("final.not_anchored"),
        "time": not_checked("time.not_anchored"),
    }


def blocks_to_ask(bundle: Bundle) -> list[tuple[int, int]]:
    """Return (chain id, block number) of each anchor whose header can be read: what nodes are asked about."""
    questions = []
    for anchor in bundle.anchors:
        try:
            questions.append((anchor.chain_id, parse_header(anchor.header).number))
        except VerificationError:
            continue  # step 6 says what is wrong with it
    return questions


def _file(
    statement: Statement, digest: bytes, pins: Pins, file: FileDigest | None, rendition: Bundle | None
) -> Finding:
    if file is None:
        return not_checked("file.not_given")
    content = statement.content()
    if content is None:
        return not_checked("file.no_content", kind=statement.kind)
    if (file.content_hash, file.content_length) == content:
        if isinstance(statement, Rendition):
            maker = to_checksum(statement.maker)
            return yes("file.rendition", Trust.SIGNER, source=to_hex(statement.source), maker=maker)
        return yes("file.same", content_hash=to_hex(file.content_hash))
    if rendition is not None:
        return _file_of_rendition(statement, digest, pins, file, rendition)
    return no("file.differs", expected=to_hex(content[0]), actual=to_hex(file.content_hash))


def _file_of_rendition(statement: Statement, digest: bytes, pins: Pins, file: FileDigest, rendition: Bundle) -> Finding:
    verdict = verify(rendition, pins, file)
    made = verdict.statement
    if not isinstance(made, Rendition) or made.source != digest:
        return no("file.not_its_rendition", source=to_hex(digest))
    for name in ("file", "signatures", "complete", "included"):
        finding = verdict.findings[name]
        if finding.answer is not Answer.YES:
            return finding
    # Anybody can sign a rendition of anything: it counts by the word of who signed the source, or whom the user trusts.
    if made.maker not in (statement.signers() or ()) and made.maker not in pins.makers:
        return not_checked("file.rendition_of_another", source=to_hex(digest), maker=to_checksum(made.maker))
    # That it was registered rests on whose word its own log does.
    return replace(verdict.findings["file"], trust=(Trust.SIGNER, *verdict.findings["included"].trust))


def _signed(statement: Statement, digest: bytes, entry: entries.Entry) -> dict[str, Finding]:
    try:
        for signature in entry.signatures:
            check(signature, digest)
    except VerificationError as error:
        # An entry whose signatures are of something else says nothing about this statement.
        return dict.fromkeys(("author", "signatures", "complete"), refuted(error))
    if not entry.signatures:
        return dict.fromkeys(("author", "signatures", "complete"), no("signature.none"))
    names = ", ".join(to_checksum(signature.account) for signature in entry.signatures)
    findings = {"author": _author(statement, names), "signatures": yes("signatures.all", accounts=names)}
    signers = statement.signers()
    if signers is None:
        return findings | {"complete": not_checked("complete.needs_agreement")}
    try:
        check_complete(entry.signatures, signers)
    except DeedlogError as error:
        return findings | dict.fromkeys(("author", "complete"), refuted(error))
    if isinstance(statement, Agreement) and statement.hidden:
        return findings | {"complete": _vouched_for(statement, names)}
    return findings | {"complete": yes("complete.all", accounts=names)}


def _vouched_for(agreement: Agreement, names: str) -> Finding:
    """Return a yes that says what the open lines hold: that all of them come to the whole is the signers' word."""
    shown = [share for share in agreement.shares if isinstance(share, Share)]
    lines = ", ".join(f"{to_checksum(share.party)} {share.ppm:,} ppm" for share in shown) or "-"
    return yes("complete.some_lines", Trust.SIGNER, lines=lines, parties=len(agreement.parties), accounts=names)


def _author(statement: Statement, names: str) -> Finding:
    if statement.WORD == "platform_word":
        return not_checked("author.platform_only", platform=names)
    if statement.WORD == "maker_word":
        return not_checked("author.rendition", maker=names)
    return yes("author.signed", accounts=names)


def _below(
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
