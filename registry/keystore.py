"""Accounts' keys in encrypted files (Web3 Secret Storage, version 3), which every wallet can import."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from deedlog.registry.errors import InvalidData
from deedlog.registry.files import make_folder, read_file, write_private
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, from_hex
from deedlog.registry.statements.signatures import ORDER, account_of_private_key

if TYPE_CHECKING:
    from pathlib import Path

SCRYPT_COST = 2**17
"""n of scrypt: about half a second and 128 MiB for each guess."""

MAXIMUM_FILE = 16 * 1024
MAXIMUM_PASSPHRASE = 4096
IV_SIZE = 16
KEY_SIZE = 32


def new_key() -> bytes:
    """Return a new private key (32 bytes), from the operating system's randomness."""
    return (1 + secrets.randbelow(ORDER - 1)).to_bytes(32, "big")


def write(path: Path, key: bytes, passphrase: str, cost: int = SCRYPT_COST) -> bytes:
    """Encrypt a private key into a new file that only its owner can read; return the account.

    Raises `Unavailable` (`file.exists`, `file.unwritable`): a key file is never written over.
    """
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415 - slow to import, and verifying needs no key

    # Bytes: given text, the library's scrypt takes it as Latin-1, and a Chinese passphrase would fail.
    secret: Any = passphrase.encode("utf-8")
    keyfile = with_whole_iv(create_keyfile_json(key, secret, kdf="scrypt", iterations=cost))
    make_folder(path.parent)
    write_private(path, (json.dumps(keyfile, indent=2) + "\n").encode())
    return account_of_private_key(key)


def with_whole_iv(keyfile: dict[str, Any]) -> dict[str, Any]:
    """Return the key file with an initial counter of 16 bytes.

    The library writes it as a number, without leading zeros, once in 256 files: geth and ethers refuse those.
    """
    crypto = keyfile["crypto"]
    parameters = crypto["cipherparams"]
    whole = {**parameters, "iv": parameters["iv"].zfill(2 * IV_SIZE)}
    return {**keyfile, "crypto": {**crypto, "cipherparams": whole}}


def read(path: Path, passphrase: str) -> bytes:
    """Return the private key of an encrypted file; raise `InvalidData` (`key.…`) or `Unavailable` (`file.…`)."""
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415 - see `write`

    keyfile = _load(path)
    try:
        secret: Any = passphrase.encode("utf-8")  # bytes: see `write`
        key = bytes(decode_keyfile_json(keyfile, secret))
    except ValueError as error:
        raise InvalidData("key.wrong_passphrase", path=str(path)) from error
    except (LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, NotImplementedError) as error:
        # The library looks at nothing before it uses it: a malformed file fails in any of these ways.
        raise InvalidData("key.not_a_keystore", path=str(path)) from error
    if len(key) != KEY_SIZE or not 0 < int.from_bytes(key, "big") < ORDER:
        raise InvalidData("key.not_a_keystore", path=str(path))
    # The file's MAC covers neither counter nor address: a damaged counter would open as another account's key.
    if "address" in keyfile and _address(keyfile) != account_of_private_key(key):
        raise InvalidData("key.not_a_keystore", path=str(path))
    return key


def account(path: Path) -> bytes:
    """Return the account that an encrypted file says it is of, without opening it."""
    return _address(_load(path))


def _address(keyfile: dict[str, Any]) -> bytes:
    address = str(keyfile.get("address", "")).lower().removeprefix("0x")
    return from_hex("0x" + address, ACCOUNT_SIZE, "address")


def read_passphrase(path: Path) -> str:
    """Return the passphrase of a file, without its line end; raise `InvalidData` (`key.passphrase_encoding`)."""
    try:
        return read_file(path, MAXIMUM_PASSPHRASE).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidData("key.passphrase_encoding", path=str(path)) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        # Written by wallets of all kinds: their numbers and members are their own, so the strict reader is not for it.
        value = json.loads(read_file(path, MAXIMUM_FILE))
    except (ValueError, RecursionError) as error:
        raise InvalidData("key.not_a_keystore", path=str(path)) from error
    if not isinstance(value, dict):
        raise InvalidData("key.not_a_keystore", path=str(path))
    return {name.lower(): member for name, member in value.items()}
