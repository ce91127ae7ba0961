"""C2SP tlog-proof v1: the proof that a checkpoint includes an entry, as text.

`extra` lines are not written, and a proof with any is refused: they are not authenticated, and a bundle needs none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from deedlog.anchor.merkle import HASH_SIZE, MAXIMUM_SIZE
from deedlog.anchor.tlog import note
from deedlog.registry.errors import InvalidData, VerificationError

HEADER = "c2sp.org/tlog-proof@v1"
MAXIMUM_HASHES = 64
"""The height of a tree of 2^64 leaves."""

MAXIMUM_PROOF = note.MAXIMUM_NOTE + 8192
"""In bytes. The note, and before it two short lines and 64 hashes of 45 bytes each."""


class TlogProofError(InvalidData):
    """The bytes are not a tlog-proof."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's index, its inclusion proof, and the checkpoint's note, verbatim.

    `hashes` has 32 bytes each, from the leaf's sibling up.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: bytes

    def __post_init__(self) -> None:
        """Raise `TlogProofError` unless the members are well formed."""
        if isinstance(self.index, bool) or not 0 <= self.index <= MAXIMUM_SIZE or len(self.hashes) > MAXIMUM_HASHES:
            raise TlogProofError("tlog_proof.malformed")
        if any(len(item) != HASH_SIZE for item in self.hashes):
            raise TlogProofError("tlog_proof.malformed")

    def format(self) -> bytes:
        """Return the proof's text."""
        lines = [HEADER, f"index {self.index}", *map(note.to_base64, self.hashes)]
        return ("\n".join(lines) + "\n\n").encode("ascii") + self.note


def parse(data: bytes) -> TlogProof:
    """Parse a proof's text, but not the note in it.

    Raises `TlogProofError`: `tlog_proof.malformed`, `tlog_proof.too_large`.
    """
    if len(data) > MAXIMUM_PROOF:
        raise TlogProofError("tlog_proof.too_large", maximum=MAXIMUM_PROOF)
    head, separator, checkpoint_note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise TlogProofError("tlog_proof.malformed") from error
    if not separator or len(lines) < 2 or len(lines) > 2 + MAXIMUM_HASHES or lines[0] != HEADER:  # noqa: PLR2004 - two lines before the hashes
        raise TlogProofError("tlog_proof.malformed")
    match = re.fullmatch(r"index (0|[1-9][0-9]{0,19})", lines[1], re.ASCII)
    if match is None:
        raise TlogProofError("tlog_proof.malformed")
    try:
        hashes = tuple(note.from_base64(line, "tlog_proof.malformed") for line in lines[2:])
    except VerificationError as error:
        raise TlogProofError("tlog_proof.malformed") from error
    return TlogProof(int(match[1]), hashes, checkpoint_note)
