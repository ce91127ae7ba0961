"""What every sort of evidence has: an anchor is parsed, checked against the logged entry, and shows what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from deedlog.anchor import merkle
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog import proof as tlog_proof
from deedlog.anchor.tlog.proof import MAXIMUM_PROOF
from deedlog.anchor.verify.verdict import Finding, Trust, not_checked, refuted, yes
from deedlog.registry.errors import DeedlogError, InvalidData

if TYPE_CHECKING:
    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.anchor.verify.pins import Pins
    from deedlog.anchor.verify.verdict import AnchorFindings


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """The entry that an anchor is about: its registry, its leaf hash (32 bytes), and its time (Unix seconds)."""

    registry: RegistryIdentity
    leaf: bytes
    time: int


class Anchor(Protocol):
    """An anchor as a bundle carries it. Nothing in it is verified."""

    @property
    def type(self) -> str:
        """The sort's name: the member `type`."""

    @property
    def tlog_proof(self) -> bytes | None:
        """The tlog-proof of the entry that the anchor brings; None if this version can read none in it."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, `type` first."""

    def check(self, entry: LoggedEntry, pins: Pins) -> AnchorFindings:
        """Return the answers to included, anchored, final and time that this anchor gives by itself."""


def by_log_key(proof_text: bytes, entry: LoggedEntry) -> Finding:
    """Return whether the tlog-proof holds for the entry in a checkpoint that the registry's log key signed."""
    try:
        proof = tlog_proof.parse(proof_text)
        signed = checkpoint.open_signed(proof.note, entry.registry.verifier_key)
        merkle.verify_inclusion(entry.leaf, proof.index, signed.size, proof.hashes, signed.root)
    except DeedlogError as error:
        return refuted(error)
    return yes("included.log_key", Trust.LOG_KEY, index=proof.index, size=signed.size)


def not_anchored(included: Finding, anchored: Finding, entry_time: int) -> dict[str, Finding]:
    """Return the four answers where `anchored` is not yes: finality and time then have nothing to rest on."""
    return {
        "included": included,
        "anchored": anchored,
        "final": not_checked("final.not_anchored"),
        "time": not_checked("time.registry_word", time=entry_time),
    }


def read_tlog_proof(value: object, field: str) -> bytes:
    """Return the bytes of a tlog-proof's JSON string; raise `InvalidData` (`json.…`)."""
    if not isinstance(value, str):
        raise InvalidData("json.not_a_string", field=field)
    data = value.encode("utf-8")
    if len(data) > MAXIMUM_PROOF:
        raise InvalidData("json.too_large", field=field, maximum=MAXIMUM_PROOF, length=len(data))
    return data
