"""C2SP signed-note v1: text signed by named Ed25519 keys.

Anybody can append signature lines to a note. So a line of another key must never take from a note what its own key's
signature gives it: such a line has to have the form of a signature line, and is otherwise ignored.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from deedlog.anchor.tlog.ed25519 import is_public_key
from deedlog.registry.errors import VerificationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = 0x01
"""Ed25519's type byte in signed-note, section "Signature types"."""

KEY_ID_SIZE = 4
KEY_SIZE = 32
MAXIMUM_NOTE = 512 * 1024
"""In bytes. Enough for a text and 64 post-quantum signatures of nearly 5 kB each. Lines are not counted."""

_NAME = re.compile(r"[!-*,-~]{1,255}", re.ASCII)  # printable ASCII without space and plus
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "\u2014 "


class NoteError(VerificationError):
    """The bytes are not a signed note, or the given key did not sign it."""


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name, its id (4 bytes), the signature. Not verified; `open_note` verifies.

    `canonical` says whether the line's base 64 is the canonical form of its bytes.
    """

    name: str
    key_id: bytes
    signature: bytes
    canonical: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A note's text, including its final newline, and its signature lines."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 public key (32 bytes) and the name under which it signs."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        """Raise `NoteError` (`note.name`, `note.key`, `note.weak_key`) unless name and key are valid."""
        validate_name(self.name)
        if len(self.public_key) != KEY_SIZE:
            raise NoteError("note.key", expected=KEY_SIZE)
        if not is_public_key(self.public_key):
            raise NoteError("note.weak_key")

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that identify the key in signature lines: the first of SHA-256(name ‖ LF ‖ type ‖ key)."""
        return sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public_key).digest()[:KEY_ID_SIZE]

    def __str__(self) -> str:
        """Return the vkey, signed-note's text form of a verifier key: `name+id+key`."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([ED25519]) + self.public_key)}"


def parse_key(vkey: str) -> VerifierKey:
    """Parse a vkey. Raises `NoteError` (`note.key`, `note.weak_key`, `note.name`)."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = from_base64(encoded, "note.key")
    if not data or data[0] != ED25519:
        raise NoteError("note.key")
    key = VerifierKey(name, data[1:])
    if key.key_id.hex() != key_id:
        raise NoteError("note.key")
    return key


def validate_name(name: str) -> str:
    """Return the name of a key, which is also a log's origin, if it is valid; else raise `NoteError` (`note.name`).

    Valid are 1 to 255 printable ASCII characters except space and plus.
    """
    if _NAME.fullmatch(name) is None:
        raise NoteError("note.name")
    return name


def parse(data: bytes) -> Note:
    """Parse a note into text and signature lines, without verifying signatures. Raises `NoteError` (`note.…`)."""
    if len(data) > MAXIMUM_NOTE:
        raise NoteError("note.too_large", maximum=MAXIMUM_NOTE)
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("note.not_utf8") from error
    if _CONTROL.search(whole):
        raise NoteError("note.control")
    # "The text is separated from the signatures by the last empty line in the note."
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteError("note.malformed")
    return Note(text + "\n", tuple(map(_signature, lines[:-1].split("\n"))))


def sign(text: str, name: str, private_key: Ed25519PrivateKey) -> bytes:
    """Return the note of `text`, signed under `name`. The text must end in a newline.

    Raises `NoteError`: `note.malformed`, `note.not_utf8`, `note.name`, `note.too_large`.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("note.malformed")
    try:
        signed = text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("note.not_utf8") from error
    key = VerifierKey(name, private_key.public_key().public_bytes_raw())
    data = signed + f"\n{_DASH}{name} {to_base64(key.key_id + private_key.sign(signed))}\n".encode()
    if len(data) > MAXIMUM_NOTE:
        raise NoteError("note.too_large", maximum=MAXIMUM_NOTE)
    return data


def open_note(data: bytes, key: VerifierKey) -> str:
    """Verify that `key` signed a note, and return the note's text. Raises `NoteError` (`note.…`).

    Signatures of other keys are ignored. Any line that names this key and fails rejects the note: `note.signature`, or
    `note.signature_line` if its base 64 is not canonical. The equation is the one without cofactor, [S]B = R + [k]A,
    checked by encoding [S]B - [k]A and comparing it with the 32 bytes of R; S must be smaller than L.
    """
    note = parse(data)
    known = {line for line in note.signatures if line.name == key.name and line.key_id == key.key_id}
    if not known:
        raise NoteError("note.unsigned", name=key.name)
    if not all(line.canonical for line in known):
        raise NoteError("note.signature_line")
    # Import only here: it is slow, and a bundle whose slot is proven opens no note.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - see above

    public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
    for line in known:
        try:
            public_key.verify(line.signature, note.text.encode())
        except InvalidSignature as error:
            raise NoteError("note.signature", name=key.name) from error
    return note.text


def to_base64(data: bytes) -> str:
    """Encode in standard base 64 (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, code: str) -> bytes:
    """Decode standard base 64 in its canonical form. Raises `NoteError` with `code`."""
    data = _from_any_base64(text, code)
    if to_base64(data) != text:  # refuse other encodings of the same bytes, whose padding bits differ
        raise NoteError(code)
    return data


def _from_any_base64(text: str, code: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise NoteError(code) from error


def _signature(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise NoteError("note.signature_line")
    name, separator, encoded = line[len(_DASH) :].partition(" ")
    # Other signers' names may be any Unicode except spaces and plus. Ours are restricted further (`validate_name`).
    if not separator or not name or "+" in name or any(character.isspace() for character in name):
        raise NoteError("note.signature_line")
    data = _from_any_base64(encoded, "note.signature_line")
    if len(data) <= KEY_ID_SIZE:
        raise NoteError("note.signature_line")
    return NoteSignature(name, data[:KEY_ID_SIZE], data[KEY_ID_SIZE:], to_base64(data) == encoded)
