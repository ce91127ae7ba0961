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

MINIMUM = 12
"""Bytes in UTF-8 of a new passphrase: twelve Latin letters or four Chinese characters.

Whoever gets a copy of a key file can try passphrases for as long as they want. At 128 MiB and half a second for each,
shorter ones are found within days on rented machines.
"""

MINIMUM_DISTINCT = 4
"""Distinct characters of a new passphrase."""


def check_new(passphrase: str) -> None:
    """Raise `InvalidData` for a passphrase that no new key should have: `key.empty_passphrase`, `key.weak_passphrase`.

    Raises `InvalidData` (`key.passphrase_typed`) too.
    """
    if not passphrase:
        raise InvalidData("key.empty_passphrase")
    if len(bytes_to_make(passphrase)) < MINIMUM or len(set(passphrase)) < MINIMUM_DISTINCT:
        raise InvalidData("key.weak_passphrase", minimum=MINIMUM, distinct=MINIMUM_DISTINCT)


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
    """Return the passphrase in a UTF-8 file or pipe, without a byte order mark at its start and line ends at its end.

    Raises `InvalidData` (`key.passphrase_encoding`, `file.too_large`) or `Unavailable` (`file.unreadable`).
    """
    try:
        return read_file(path, MAXIMUM_FILE, streams=True).decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidData("key.passphrase_encoding", path=str(path)) from error


def _utf8(passphrase: str) -> bytes:
    try:
        return passphrase.encode("utf-8")
    except UnicodeEncodeError as error:  # the terminal sent bytes that are not text in its encoding
        raise InvalidData("key.passphrase_typed") from error
