"""Accounts' keys in encrypted files (Web3 Secret Storage, version 3), which every wallet can import."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any

from deedlog.registry.errors import InvalidData, Unavailable
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


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, whole or not at all, durably.

    Raises `Unavailable` (`file.exists`, `file.unwritable`): a file that exists is never written over.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _name(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise Unavailable("file.exists", path=str(path)) from error
    except OSError as error:
        raise Unavailable("file.unwritable", path=str(path), reason=error.strerror or str(error)) from error


def _name(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike a rename, refuses a name that is taken
    except FileExistsError:
        raise
    except OSError:  # a file system without links, as on many memory sticks
        if path.exists():
            raise FileExistsError from None
        temporary.rename(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file that is synced can still lose its name in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_passphrase(path: Path) -> str:
    """Return the passphrase of a file, without its line end; raise `InvalidData` (`key.passphrase_encoding`)."""
    try:
        return read_file(path, MAXIMUM_PASSPHRASE).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidData("key.passphrase_encoding", path=str(path)) from error


def read_file(path: Path, maximum: int) -> bytes:
    """Return the bytes of a small file; raise `Unavailable` (`file.unreadable`) or `InvalidData` (`file.too_large`)."""
    try:
        with path.open("rb") as file:
            data = file.read(maximum + 1)
    except OSError as error:
        raise Unavailable("file.unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > maximum:
        raise InvalidData("file.too_large", path=str(path), maximum=maximum)
    return data


def _load(path: Path) -> dict[str, Any]:
    try:
        # Written by wallets of all kinds: their numbers and members are their own, so the strict reader is not for it.
        value = json.loads(read_file(path, MAXIMUM_FILE))
    except (ValueError, RecursionError) as error:
        raise InvalidData("key.not_a_keystore", path=str(path)) from error
    if not isinstance(value, dict):
        raise InvalidData("key.not_a_keystore", path=str(path))
    return {name.lower(): member for name, member in value.items()}
