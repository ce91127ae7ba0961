"""`evm-slot`: the contract has the log's head in a storage slot, which is proven from a block header.

Does steps 6 to 8 of a verification (`docs/formats.md`) for one anchor by itself. A header does not name its chain, so
`chain_id` is the bundle's own word until a node, or the user who brings the block's hash, confirms it. It must be one
of the chains that the registry's identity lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from deedlog.anchor import merkle
from deedlog.anchor.evm.finality import DEVELOPMENT_CHAINS
from deedlog.anchor.evm.identity import Head, head_slot
from deedlog.anchor.evm.rlp import MAXIMUM_SIZE as MAXIMUM_HEADER
from deedlog.anchor.evm.state_proof import Header, parse_header, storage_value
from deedlog.anchor.evm.trie_proof import MAXIMUM_NODES
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog import proof as tlog_proof
from deedlog.anchor.verify.evidence.anchor import by_log_key, not_anchored, read_tlog_proof
from deedlog.anchor.verify.verdict import AnchorFindings, Trust, no, not_checked, refuted, yes
from deedlog.registry.errors import DeedlogError, InvalidData, VerificationError
from deedlog.registry.hexadecimal import from_hex, to_hex
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deedlog.anchor.verify.evidence.anchor import Anchor, LoggedEntry
    from deedlog.anchor.verify.pins import NodeAnswer, Pins
    from deedlog.anchor.verify.verdict import Finding

TYPE = "evm-slot"
MAXIMUM_NODE = 16 * 1024
"""In bytes. Trie nodes are below 1 kB."""

_MEMBERS = ("type", "chain_id", "tlog_proof", "header", "account_proof", "storage_proof")


@dataclass(frozen=True, slots=True)
class EvmSlot:
    """A tlog-proof in the anchored checkpoint, a block header (RLP), and the proof of the contract's slot under it."""

    type: ClassVar[str] = TYPE
    chain_id: int
    tlog_proof: bytes
    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]

    @classmethod
    def from_json(cls, value: object, field: str) -> Self:
        """Return the anchor from its JSON form. Raises `InvalidData` naming the member at fault."""
        data = members(value, _MEMBERS, field)
        chain_id = data["chain_id"]
        if not isinstance(chain_id, int) or isinstance(chain_id, bool) or chain_id < 1:
            raise InvalidData("bundle.chain_id", field=f"{field}.chain_id")
        return cls(
            chain_id=chain_id,
            tlog_proof=read_tlog_proof(data["tlog_proof"], f"{field}.tlog_proof"),
            header=_bytes(data["header"], MAXIMUM_HEADER, f"{field}.header"),
            account_proof=_nodes(data["account_proof"], f"{field}.account_proof"),
            storage_proof=_nodes(data["storage_proof"], f"{field}.storage_proof"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "type": TYPE,
            "chain_id": self.chain_id,
            "tlog_proof": self.tlog_proof.decode("utf-8"),
            "header": to_hex(self.header),
            "account_proof": [to_hex(node) for node in self.account_proof],
            "storage_proof": [to_hex(node) for node in self.storage_proof],
        }

    def check(self, entry: LoggedEntry, pins: Pins) -> AnchorFindings:
        """Return this anchor's own answers; they are marked `broken` if its own proofs do not hold."""
        try:
            proven = _prove(self, entry)
        except DeedlogError as error:
            return self._without(entry, refuted(error), broken=True)
        vouched = _vouched(proven, pins)
        if not isinstance(vouched, Trust):
            return self._without(entry, vouched)
        final = (
            yes("final.your_word", Trust.YOU, block_hash=to_hex(proven.header.hash))
            if vouched is Trust.YOU
            else _final_by_nodes(proven, pins.nodes)
        )
        return AnchorFindings(TYPE, _answers(proven, final, vouched), self.chain_id)

    def _without(self, entry: LoggedEntry, anchored: Finding, *, broken: bool = False) -> AnchorFindings:
        included = by_log_key(self.tlog_proof, entry)
        return AnchorFindings(TYPE, not_anchored(included, anchored, entry.time), self.chain_id, broken=broken)


def slots(anchors: Iterable[Anchor]) -> list[EvmSlot]:
    """Return the anchors of this sort."""
    return [anchor for anchor in anchors if isinstance(anchor, EvmSlot)]


def blocks_to_ask(anchors: Iterable[Anchor]) -> list[tuple[int, int]]:
    """Return the blocks to ask nodes about: (chain id, block number) of each anchor whose header can be parsed."""
    questions = []
    for anchor in slots(anchors):
        try:
            questions.append((anchor.chain_id, parse_header(anchor.header).number))
        except VerificationError:
            continue  # step 6 reports the error
    return questions


@dataclass(frozen=True, slots=True)
class _Proven:
    """An anchor after steps 6 and 7: its header proves the head, and the entry is in the head's tree."""

    chain_id: int
    header: Header
    head: Head


def _prove(anchor: EvmSlot, entry: LoggedEntry) -> _Proven:
    """Do steps 6 and 7: check that the header proves a head and that the entry is in its tree.

    Raises `DeedlogError`.
    """
    entry.registry.check_listed(anchor.chain_id)
    proof = tlog_proof.parse(anchor.tlog_proof)
    claimed = checkpoint.read_unsigned(proof.note)
    if claimed.origin != entry.registry.origin:
        raise VerificationError("checkpoint.origin", expected=entry.registry.origin)
    header = parse_header(anchor.header)
    slot = head_slot(claimed.root)
    word = storage_value(header, entry.registry.address, slot, anchor.account_proof, anchor.storage_proof)
    head = Head.unpack(word)
    head.check_in_block(header.number, header.timestamp)
    # Size and root come from one source: the root is the slot's key, and the slot contains the size.
    if head.size != claimed.size:
        raise VerificationError("anchored.size", checkpoint=claimed.size, contract=head.size)
    merkle.verify_inclusion(entry.leaf, proof.index, head.size, proof.hashes, claimed.root)
    return _Proven(anchor.chain_id, header, head)


def _vouched(proven: _Proven, pins: Pins) -> Trust | Finding:
    """Do step 8: return who vouches that the block is canonical, or the finding that says why nobody does."""
    if proven.header.hash in pins.block_hashes:
        return Trust.YOU
    ours = to_hex(proven.header.hash)
    if pins.block_hashes:
        # The user vouches for other blocks only. The nodes' answers do not replace that.
        return not_checked("anchored.other_block", block=ours)
    if not pins.nodes:
        return not_checked("anchored.no_block", chain_id=proven.chain_id, block_hash=ours)
    return _asked(proven, pins.nodes)


def _asked(proven: _Proven, nodes: Sequence[NodeAnswer]) -> Trust | Finding:
    """Return `Trust.NODES` if at least one node has a block of this number, and all that do have this block."""
    voices = []
    problems = []
    ours = to_hex(proven.header.hash)
    for node in nodes:
        if node.problem is not None:
            problems.append(not_checked(node.problem, url=node.url))
        elif node.chain_id != proven.chain_id:
            problems.append(
                not_checked("node.other_chain", url=node.url, expected=proven.chain_id, actual=node.chain_id)
            )
        elif (block_hash := (node.blocks or {}).get(proven.header.number)) is None:
            # The node lags or has pruned the block, so it contradicts nothing.
            problems.append(not_checked("node.no_block", url=node.url, block_number=proven.header.number))
        else:
            voices.append(block_hash == proven.header.hash)
    if not voices:
        return problems[-1]
    if all(voices):
        return Trust.NODES
    if any(voices):
        return not_checked("node.disagree", block_hash=ours)
    return no("anchored.not_canonical", block_hash=ours)


def _final_by_nodes(proven: _Proven, nodes: Sequence[NodeAnswer]) -> Finding:
    if proven.chain_id in DEVELOPMENT_CHAINS:
        return not_checked("final.development_chain", chain_id=proven.chain_id)
    finalized = [node.finalized for node in nodes if node.problem is None and node.chain_id == proven.chain_id]
    known = [number for number in finalized if number is not None]
    if not known or len(known) < len(finalized):
        return not_checked("final.unknown")
    if min(known) < proven.header.number:
        return not_checked("final.not_yet", block_number=proven.header.number, finalized=min(known))
    return yes("final.nodes", Trust.NODES, finalized=min(known))


def _answers(proven: _Proven, final: Finding, trust: Trust) -> dict[str, Finding]:
    """Return the four answers of an anchor whose block `trust` vouches for."""
    head = proven.head
    return {
        "included": yes("included.contract", trust, size=head.size),
        "anchored": yes(
            "anchored.your_block" if trust is Trust.YOU else "anchored.nodes_block",
            trust,
            chain_id=proven.chain_id,
            size=head.size,
            block_number=head.block_number,
            block_hash=to_hex(proven.header.hash),
        ),
        "final": final,
        "time": yes("time.no_later_than", trust, time=head.time),
    }


def _nodes(value: object, field: str) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAXIMUM_NODES:
        raise InvalidData("list.length", field=field, minimum=0, maximum=MAXIMUM_NODES)
    return tuple(_bytes(item, MAXIMUM_NODE, field) for item in value)


def _bytes(value: object, maximum: int, field: str) -> bytes:
    data = from_hex(value, None, field)
    if len(data) > maximum:
        raise InvalidData("bundle.node_too_large", field=field, maximum=maximum)
    return data
