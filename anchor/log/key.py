"""The log's Ed25519 key in an encrypted file (PKCS #8, PEM), which `openssl pkey` can also read.

Only `deedlog init` and the worker open it. The keystore for accounts cannot hold it: Web3 Secret Storage is for
secp256k1. File permissions and passphrases are handled as in that keystore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from deedlog.registry.errors import InvalidData
from deedlog.registry.files import read_file, write_private
from deedlog.registry.passphrases import bytes_to_make, bytes_to_try

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_FILE = 16 * 1024

MAXIMUM_PASSPHRASE = 1023
"""Bytes of a passphrase that OpenSSL takes for a PEM file."""

_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def create(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Generate a key, write it encrypted into a new file, and return it.

    Raises `InvalidData` (`key.empty_passphrase`, `key.passphrase_too_long`, `key.passphrase_typed`) or `Unavailable`
    (`file.…`).
    """
    secret = bytes_to_make(passphrase)
    if not secret:
        raise InvalidData("key.empty_passphrase")
    _check_length([secret], path)
    key = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(secret)
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return key


def read(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Decrypt the file at `path` and return its key.

    Raises `InvalidData` (`key.not_a_log_key`, `key.wrong_passphrase`, `key.passphrase_too_long`, `key.not_ed25519`)
    or `Unavailable` (`file.…`).
    """
    data = read_file(path, MAXIMUM_FILE)
    if _ENCRYPTED not in data:
        raise InvalidData("key.not_a_log_key", path=str(path))
    secrets = bytes_to_try(passphrase)
    _check_length(secrets, path)
    refused: Exception | None = None
    for secret in secrets:
        try:
            key = load_pem_private_key(data, secret)
        except (ValueError, TypeError) as error:
            refused = error
        else:
            break
    else:
        raise InvalidData("key.wrong_passphrase", path=str(path)) from refused
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidData("key.not_ed25519", path=str(path))
    return key


def _check_length(secrets: list[bytes], path: Path) -> None:
    """Raise `InvalidData` (`key.passphrase_too_long`) if OpenSSL can take none of these forms of a passphrase."""
    shortest = min(len(secret) for secret in secrets)
    if shortest > MAXIMUM_PASSPHRASE:
        raise InvalidData("key.passphrase_too_long", path=str(path), length=shortest, maximum=MAXIMUM_PASSPHRASE)
