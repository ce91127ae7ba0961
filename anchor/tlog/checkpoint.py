"""C2SP tlog-checkpoint: (origin, size, root) as a signed note.

Extension lines are not written, and a checkpoint with any is refused. The specification advises against them because
monitors cannot audit them, and a line that nobody checks can mislead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.anchor.merkle import EMPTY_ROOT, HASH_SIZE, MAXIMUM_SIZE
from deedlog.anchor.tlog import note

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_TEXT_LINES = 3


class CheckpointError(note.NoteError):
    """A note's text is not a checkpoint of this log."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head with the log's origin: origin, number of entries, root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Raise `CheckpointError` (`checkpoint.malformed`) unless the members are well formed."""
        try:
            note.validate_name(self.origin)
        except note.NoteError as error:
            raise CheckpointError("checkpoint.malformed", field="origin") from error
        if not isinstance(self.size, int) or isinstance(self.size, bool) or not 0 <= self.size <= MAXIMUM_SIZE:
            raise CheckpointError("checkpoint.malformed", field="size")
        # RFC 9162 §2.1.1: the empty tree has a fixed root.
        if len(self.root) != HASH_SIZE or (self.size == 0 and self.root != EMPTY_ROOT):
            raise CheckpointError("checkpoint.malformed", field="root")

    def text(self) -> str:
        """Return the note's text: three lines, each with its newline."""
        return f"{self.origin}\n{self.size}\n{note.to_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class UnverifiedCheckpoint:
    """A checkpoint whose signatures were not verified. Rely on it only once the contract's state has the same head."""

    origin: str
    size: int
    root: bytes


def parse_text(text: str) -> Checkpoint:
    """Parse a note's text as a checkpoint. Raises `CheckpointError` (`checkpoint.malformed`)."""
    lines = text.split("\n")
    if len(lines) != _TEXT_LINES + 1 or lines[-1] or re.fullmatch(r"0|[1-9][0-9]{0,19}", lines[1], re.ASCII) is None:
        raise CheckpointError("checkpoint.malformed")
    try:
        root = note.from_base64(lines[2], "checkpoint.malformed")
    except note.NoteError as error:
        raise CheckpointError("checkpoint.malformed", field="root") from error
    return Checkpoint(lines[0], int(lines[1]), root)


def sign(checkpoint: Checkpoint, private_key: Ed25519PrivateKey) -> bytes:
    """Return the note of a checkpoint, signed under its origin as the key's name."""
    return note.sign(checkpoint.text(), checkpoint.origin, private_key)


def open_signed(data: bytes, key: note.VerifierKey) -> Checkpoint:
    """Verify `key`'s signature of a note and return its checkpoint, whose origin must be the key's name.

    Raises `NoteError` (`note.…`) or `CheckpointError` (`checkpoint.malformed`, `checkpoint.origin`).
    """
    checkpoint = parse_text(note.open_note(data, key))
    if checkpoint.origin != key.name:
        raise CheckpointError("checkpoint.origin", expected=key.name)
    return checkpoint


def read_unsigned(data: bytes) -> UnverifiedCheckpoint:
    """Parse a note's checkpoint without verifying signatures. Raises `NoteError` if the note is malformed."""
    checkpoint = parse_text(note.parse(data).text)
    return UnverifiedCheckpoint(checkpoint.origin, checkpoint.size, checkpoint.root)
