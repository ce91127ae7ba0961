"""The interface of every sort of evidence, and the checks that the sorts share."""

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
    """An anchor as a bundle contains it, before any verification."""

    @property
    def type(self) -> str:
        """The name of the sort, from the member `type`."""

    @property
    def tlog_proof(self) -> bytes | None:
        """The anchor's tlog-proof of the entry; None if this version cannot read one in it."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, with `type` first."""

    def check(self, entry: LoggedEntry, pins: Pins) -> AnchorFindings:
        """Return this anchor's own answers to included, anchored, final and time."""


def by_log_key(proof_text: bytes, entry: LoggedEntry) -> Finding:
    """Return yes if the registry's log key signed the tlog-proof's checkpoint and the proof holds for the entry."""
    try:
        proof = tlog_proof.parse(proof_text)
        signed = checkpoint.open_signed(proof.note, entry.registry.verifier_key)
        merkle.verify_inclusion(entry.leaf, proof.index, signed.size, proof.hashes, signed.root)
    except DeedlogError as error:
        return refuted(error)
    return yes("included.log_key", Trust.LOG_KEY, index=proof.index, size=signed.size)


def not_anchored(included: Finding, anchored: Finding, entry_time: int) -> dict[str, Finding]:
    """Return the four answers if `anchored` is not yes. Then final and time are not checked: they need an anchor.

    `entry_time` is in Unix seconds.
    """
    return {
        "included": included,
        "anchored": anchored,
        "final": not_checked("final.not_anchored"),
        "time": not_checked("time.registry_word", time=entry_time),
    }


def read_tlog_proof(value: object, field: str) -> bytes:
    """Return the bytes of a tlog-proof from its JSON string. Raises `InvalidData` (`json.…`) naming `field`."""
    if not isinstance(value, str):
        raise InvalidData("json.not_a_string", field=field)
    data = value.encode("utf-8")
    if len(data) > MAXIMUM_PROOF:
        raise InvalidData("json.too_large", field=field, maximum=MAXIMUM_PROOF, length=len(data))
    return data
