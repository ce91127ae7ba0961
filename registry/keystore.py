"""Encrypted key files of accounts, which every wallet can import: Web3 Secret Storage, version 3.

A key is derived from the passphrase (scrypt or PBKDF2). Its first 16 bytes encrypt the private key with AES-128-CTR.
The MAC is keccak-256 of its second 16 bytes and the ciphertext; it detects a wrong passphrase. The MAC covers neither
the counter nor the address, so the address of the decrypted key is compared with the one in the file.
Source: https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/
"""

from __future__ import annotations

import hmac
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.files import read_file, write_private
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, to_checksum
from deedlog.registry.keccak import keccak256
from deedlog.registry.passphrases import bytes_to_make, bytes_to_try
from deedlog.registry.statements.signatures import ORDER, account_of_private_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VERSION = 3
CIPHER = "aes-128-ctr"
PRF = "hmac-sha256"

SCRYPT_COST = 2**17
"""scrypt's n in the files written here (r is 8, p is 1): about half a second and 128 MiB for each guess."""

MAXIMUM_SCRYPT = 2**31
"""Bytes that scrypt may process; below this it takes some seconds. Wallets use at most 2^28 (n=262144, r=8, p=1)."""

MAXIMUM_ITERATIONS = 2**25
"""The most iterations of PBKDF2 (c for each 32 bytes): some ten seconds. Wallets use at most one million."""

MAXIMUM_FILE = 16 * 1024
IV_SIZE = 16
KEY_SIZE = 32
DERIVED_SIZES = range(32, 129)
"""Allowed dklen in bytes. The first 32 are used: a shorter key has no MAC part, and no wallet writes more than 64."""


def new_key() -> bytes:
    """Return a new private key (32 bytes) from the operating system's random source."""
    return (1 + secrets.randbelow(ORDER - 1)).to_bytes(KEY_SIZE, "big")


def write(path: Path, key: bytes, passphrase: str, cost: int = SCRYPT_COST) -> bytes:
    """Encrypt a private key (32 bytes) into a new file that only its owner can read; return the account (20 bytes).

    `cost` is scrypt's n. A key file is never overwritten. Raises `Unavailable` (`file.exists`, `file.no_folder`,
    `file.unwritable`, `key.no_memory`) or `InvalidData` (`key.passphrase_typed`).
    """
    write_private(path, seal(path, key, passphrase, cost))
    return account_of_private_key(key)


def seal(path: Path, key: bytes, passphrase: str, cost: int = SCRYPT_COST) -> bytes:
    """Return the bytes of a key file: a private key (32 bytes), encrypted. `path` is named in errors only.

    Raises `Unavailable` (`key.no_memory`) or `InvalidData` (`key.passphrase_typed`).
    """
    account = account_of_private_key(key)
    kdf = _Scrypt(secrets.token_bytes(32), 32, n=cost, r=8, p=1)
    derived = _derive(kdf, bytes_to_make(passphrase), path)
    iv = secrets.token_bytes(IV_SIZE)
    ciphertext = _aes_128_ctr(derived[:16], iv, key)
    keyfile = {
        "address": account.hex(),
        "crypto": {
            "cipher": CIPHER,
            "cipherparams": {"iv": iv.hex()},  # with leading zeros: geth and ethers refuse it without them
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": kdf.length, "n": kdf.n, "p": kdf.p, "r": kdf.r, "salt": kdf.salt.hex()},
            "mac": _mac(derived, ciphertext).hex(),
        },
        "id": str(uuid.uuid4()),
        "version": VERSION,
    }
    return (json.dumps(keyfile, indent=2) + "\n").encode()


def read(path: Path, passphrase: str) -> bytes:
    """Return the private key (32 bytes) of an encrypted file.

    Raises `InvalidData`: `key.wrong_passphrase`; `key.not_a_keystore`; `key.unsupported` (an unsupported version,
    cipher or derivation); `key.bad_cost`, `key.too_costly` (both before any derivation); `key.other_account` (the file
    is damaged: it decrypts to the key of another account); `key.passphrase_typed`; `file.too_large`.
    Raises `Unavailable` (`file.unreadable`, `key.no_memory`).
    """
    return opened(path, read_file(path, MAXIMUM_FILE), passphrase)


def opened(path: Path, data: bytes, passphrase: str) -> bytes:
    """Return the private key (32 bytes) in a key file's bytes; `path` is named in errors. Raises as `read` does."""
    keyfile = _parsed(path, data)
    try:
        named, sealed = _named_account(keyfile), _sealed(keyfile, path)
    except _MalformedError as error:
        raise InvalidData("key.not_a_keystore", path=str(path)) from error
    for secret in bytes_to_try(passphrase):
        derived = _derive(sealed.kdf, secret, path)
        if hmac.compare_digest(_mac(derived, sealed.ciphertext), sealed.mac):
            break
    else:
        raise InvalidData("key.wrong_passphrase", path=str(path))
    # Some files contain a key without its leading zero bytes (geth's 31-byte test vector).
    key = _aes_128_ctr(derived[:16], sealed.iv, sealed.ciphertext).rjust(KEY_SIZE, b"\0")
    if not 0 < int.from_bytes(key, "big") < ORDER:
        raise InvalidData("key.not_a_keystore", path=str(path))
    found = account_of_private_key(key)
    if named is not None and named != found:
        raise InvalidData("key.other_account", path=str(path), named=to_checksum(named), found=to_checksum(found))
    return key


def account(path: Path) -> bytes | None:
    """Return the account (20 bytes) that an encrypted file names, without decrypting it; None if it names none.

    Files of `cast wallet import` name none; their account follows from the key that `read` returns.
    """
    keyfile = _parsed(path, read_file(path, MAXIMUM_FILE))
    try:
        named = _named_account(keyfile)
        if named is None:
            _sealed(keyfile, path)  # raises if this is no key file, so that nobody is asked for its passphrase
    except _MalformedError as error:
        raise InvalidData("key.not_a_keystore", path=str(path)) from error
    return named


def account_or_open(path: Path, passphrase: Callable[[], str]) -> bytes:
    """Return the account (20 bytes) of an encrypted file. `passphrase` is called only if the file does not name it."""
    return account(path) or account_of_private_key(read(path, passphrase()))


class _MalformedError(ValueError):
    """A member of a key file is missing or malformed."""


class _Kdf(Protocol):
    """A key derivation function with its parameters."""

    def check(self, path: Path) -> None:
        """Check that the parameters are computable and cost no more than any wallet's.

        Raises `InvalidData` (`key.bad_cost`, `key.too_costly`, `key.unsupported`).
        """
        ...

    def derive(self, secret: bytes) -> bytes:
        """Return the derived key."""
        ...


@dataclass(frozen=True, slots=True)
class _Scrypt:
    """Scrypt (RFC 7914): n rounds over blocks of 128 r bytes, p times."""

    salt: bytes
    length: int
    n: int
    r: int
    p: int

    def check(self, path: Path) -> None:
        if self.n < 2 or self.n & (self.n - 1):  # noqa: PLR2004 - 1 is a power of two, but costs nothing
            raise InvalidData("key.bad_cost", path=str(path), name="n", value=_shown(self.n))
        for name, value in (("r", self.r), ("p", self.p)):
            if value < 1:
                raise InvalidData("key.bad_cost", path=str(path), name=name, value=_shown(value))
        if 128 * self.r * max(self.n * self.p, self.n + self.p + 2) >= MAXIMUM_SCRYPT:
            raise InvalidData("key.too_costly", path=str(path))
        if self.n.bit_length() > 16 * self.r:  # RFC 7914 section 2; files from 2015 may have n=262144, r=1
            raise InvalidData("key.unsupported", path=str(path), name="scrypt", value=f"n={self.n}, r={self.r}")

    def derive(self, secret: bytes) -> bytes:
        return Scrypt(salt=self.salt, length=self.length, n=self.n, r=self.r, p=self.p).derive(secret)


@dataclass(frozen=True, slots=True)
class _Pbkdf2:
    """PBKDF2 (RFC 8018) with HMAC-SHA256 and c iterations."""

    salt: bytes
    length: int
    c: int

    def check(self, path: Path) -> None:
        if self.c < 1:
            raise InvalidData("key.bad_cost", path=str(path), name="c", value=_shown(self.c))
        if self.c * -(-self.length // 32) > MAXIMUM_ITERATIONS:
            raise InvalidData("key.too_costly", path=str(path))

    def derive(self, secret: bytes) -> bytes:
        return PBKDF2HMAC(SHA256(), self.length, self.salt, self.c).derive(secret)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The `crypto` member of a key file, checked."""

    kdf: _Kdf
    iv: bytes
    ciphertext: bytes
    mac: bytes


def _sealed(keyfile: dict[str, Any], path: Path) -> _Sealed:
    crypto = _object(keyfile, "crypto")
    for name, value, known in (
        ("version", keyfile.get("version"), (VERSION,)),
        ("cipher", crypto.get("cipher"), (CIPHER,)),
        ("kdf", crypto.get("kdf"), ("scrypt", "pbkdf2")),
    ):
        if value is None:
            raise _MalformedError
        if value not in known:
            raise InvalidData("key.unsupported", path=str(path), name=name, value=_shown(value))
    parameters = _object(crypto, "kdfparams")
    salt, length = _bytes(parameters, "salt"), _integer(parameters, "dklen")
    if length not in DERIVED_SIZES:
        raise _MalformedError
    kdf: _Kdf
    if crypto["kdf"] == "scrypt":
        kdf = _Scrypt(salt, length, *(_integer(parameters, name) for name in ("n", "r", "p")))
    elif (prf := parameters.get("prf")) == PRF:
        kdf = _Pbkdf2(salt, length, _integer(parameters, "c"))
    else:
        raise InvalidData("key.unsupported", path=str(path), name="prf", value=_shown(prf))
    iv = _bytes(_object(crypto, "cipherparams"), "iv").rjust(IV_SIZE, b"\0")  # some wallets drop leading zeros
    sealed = _Sealed(kdf, iv, _bytes(crypto, "ciphertext"), _bytes(crypto, "mac"))
    if len(iv) != IV_SIZE or not 0 < len(sealed.ciphertext) <= KEY_SIZE:
        raise _MalformedError
    kdf.check(path)
    return sealed


def _derive(kdf: _Kdf, secret: bytes, path: Path) -> bytes:
    try:
        return kdf.derive(secret)
    except MemoryError as error:
        raise Unavailable("key.no_memory", path=str(path)) from error


def _aes_128_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(AES(key), CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _mac(derived: bytes, ciphertext: bytes) -> bytes:
    return keccak256(derived[16:32] + ciphertext)


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    """Return a key file's JSON object with member names in lower case: some wallets write `Crypto` and `Version`."""
    try:
        # Key files of other wallets may have members and numbers that the strict JSON reader would refuse.
        value = _lowered(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise InvalidData("key.not_a_keystore", path=str(path)) from error
    if not isinstance(value, dict):
        raise InvalidData("key.not_a_keystore", path=str(path))
    return value


def _lowered(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name.lower(): _lowered(member) for name, member in value.items()}


def _named_account(keyfile: dict[str, Any]) -> bytes | None:
    if keyfile.get("address") in (None, ""):
        return None
    address = _bytes(keyfile, "address")
    if len(address) != ACCOUNT_SIZE:
        raise _MalformedError
    return address


def _object(members: dict[str, Any], name: str) -> dict[str, Any]:
    value = members.get(name)
    if not isinstance(value, dict):
        raise _MalformedError
    return value


def _integer(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if type(value) is not int:  # refuses `true`, which is an `int` for `isinstance`
        raise _MalformedError
    return value


def _bytes(members: dict[str, Any], name: str) -> bytes:
    """Return the bytes of a hexadecimal member, in any letter case, with or without `0x`."""
    value = members.get(name)
    if not isinstance(value, str):
        raise _MalformedError
    try:
        return bytes.fromhex(value.lower().removeprefix("0x"))
    except ValueError as error:
        raise _MalformedError from error


def _shown(value: Any) -> str:
    """Return a member's value for an error text: at most 40 characters, on one line, in ASCII."""
    return json.dumps(value)[:40]
