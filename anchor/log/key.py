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
from deedlog.registry.files import make_folder, read_file, write_private
from deedlog.registry.passphrases import bytes_to_make, bytes_to_try

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_FILE = 16 * 1024
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def create(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Generate a key, write it encrypted into a new file, and return it. Raises `Unavailable` (`file.…`)."""
    key = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(bytes_to_make(passphrase))
    make_folder(path.parent)
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return key


def read(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Decrypt the file at `path` and return its key.

    Raises `InvalidData` (`key.not_a_log_key`, `key.wrong_passphrase`, `key.not_ed25519`) or `Unavailable` (`file.…`).
    """
    data = read_file(path, MAXIMUM_FILE)
    if _ENCRYPTED not in data:
        raise InvalidData("key.not_a_log_key", path=str(path))
    refused: Exception | None = None
    for secret in bytes_to_try(passphrase):
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
