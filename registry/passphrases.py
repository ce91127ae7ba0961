"""Passphrases of key files: turn the text into the bytes for key derivation, and read a passphrase from a file.

The same text can have several Unicode forms: a Mac's keyboard and file system give "é" as two characters, others as
one. Wallets use different forms (ethers: NFKC; `cast` and geth: the bytes as typed). New key files use NFKC. To open a
key file, each form is tried in turn; the file's MAC shows which is right.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from deedlog.registry.errors import InvalidData
from deedlog.registry.files import read_file

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_FILE = 4096


def bytes_to_make(passphrase: str) -> bytes:
    """Return the bytes for encrypting a new file: NFKC in UTF-8. Raises `InvalidData` (`key.passphrase_typed`)."""
    return _utf8(unicodedata.normalize("NFKC", passphrase))


def bytes_to_try(passphrase: str) -> list[bytes]:
    """Return the bytes to try for opening a file, in order: as given, then NFC, NFKC and NFD if they differ.

    Each try costs a key derivation; plain ASCII needs only one. Raises `InvalidData` (`key.passphrase_typed`).
    """
    forms = [passphrase]
    forms += [unicodedata.normalize("NFC", passphrase), unicodedata.normalize("NFKC", passphrase)]
    forms += [unicodedata.normalize("NFD", passphrase)]
    return list(dict.fromkeys(_utf8(form) for form in forms))


def read_passphrase(path: Path) -> str:
    """Return the passphrase in a UTF-8 file, without a byte order mark at its start and without line ends at its end.

    Raises `InvalidData` (`key.passphrase_encoding`, `file.too_large`) or `Unavailable` (`file.unreadable`).
    """
    try:
        return read_file(path, MAXIMUM_FILE).decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidData("key.passphrase_encoding", path=str(path)) from error


def _utf8(passphrase: str) -> bytes:
    try:
        return passphrase.encode("utf-8")
    except UnicodeEncodeError as error:  # the terminal sent bytes that are not text in its encoding
        raise InvalidData("key.passphrase_typed") from error
