"""The log's Ed25519 key in an encrypted file (PKCS #8, PEM). Only the worker opens it."""

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
from deedlog.registry.keystore import MAXIMUM_FILE

if TYPE_CHECKING:
    from pathlib import Path


def create(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Make a new key and write it, encrypted, into a new file; raise `Unavailable` (`file.exists`)."""
    key = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase.encode("utf-8"))
    make_folder(path.parent)
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return key


def read(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Return the key of an encrypted file; raise `InvalidData` (`key.…`) or `Unavailable` (`file.…`)."""
    data = read_file(path, MAXIMUM_FILE)
    try:
        key = load_pem_private_key(data, passphrase.encode("utf-8"))
    except (ValueError, TypeError) as error:
        raise InvalidData("key.wrong_passphrase", path=str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidData("key.not_ed25519", path=str(path))
    return key
