"""Passphrases of key files: how a text becomes the bytes that a key is derived from, and how a file holds one.

One text has several Unicode forms: a Mac's keyboard and file system give "é" as two characters, others as one, and
wallets differ in which form they use (ethers NFKC, `cast` and geth the bytes as typed). Files are made with NFKC.
Files are opened with each form in turn; the file's own check tells which is right.
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
    """Return the bytes to encrypt a new file with: NFKC, in UTF-8. Raises `InvalidData` (`key.passphrase_typed`)."""
    return _utf8(unicodedata.normalize("NFKC", passphrase))


def bytes_to_try(passphrase: str) -> list[bytes]:
    """Return the bytes to open a file with, in order: as given, then NFC, NFKC and NFD where they differ.

    Raises `InvalidData` (`key.passphrase_typed`). Each try costs a key derivation; plain ASCII has one.
    """
    forms = [passphrase]
    forms += [unicodedata.normalize("NFC", passphrase), unicodedata.normalize("NFKC", passphrase)]
    forms += [unicodedata.normalize("NFD", passphrase)]
    return list(dict.fromkeys(_utf8(form) for form in forms))


def read_passphrase(path: Path) -> str:
    """Return the passphrase of a UTF-8 file or pipe, without a byte order mark at its start and without its line end.

    Raises `InvalidData` (`key.passphrase_encoding`, `file.too_large`) or `Unavailable` (`file.unreadable`).
    """
    try:
        return read_file(path, MAXIMUM_FILE, streams=True).decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidData("key.passphrase_encoding", path=str(path)) from error


def _utf8(passphrase: str) -> bytes:
    try:
        return passphrase.encode("utf-8")
    except UnicodeEncodeError as error:  # a terminal whose bytes are not text in its own encoding
        raise InvalidData("key.passphrase_typed") from error
