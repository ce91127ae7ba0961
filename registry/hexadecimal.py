"""Hexadecimal in JSON and text: lower case, with 0x, of exact length. People see accounts in EIP-55 letter case."""

from __future__ import annotations

import re

from deedlog.registry.errors import InvalidData
from deedlog.registry.keccak import keccak256

HASH_SIZE = 32
ACCOUNT_SIZE = 20
ZERO_ACCOUNT = bytes(ACCOUNT_SIZE)

_ANY_CASE = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


def to_hex(data: bytes) -> str:
    """Return `data` as lower-case hex with 0x."""
    return "0x" + data.hex()


def from_hex(text: object, size: int | None, field: str | None) -> bytes:
    """Return the bytes of a lower-case hex string with 0x; with `size` None, any number of bytes.

    Raises `InvalidData` (`hex.malformed`, `hex.length`), with `field` as the member at fault.
    """
    if not isinstance(text, str) or not text.startswith("0x"):
        raise InvalidData("hex.malformed", field=field)
    digits = text[2:]
    try:
        data = bytes.fromhex(digits)
    except ValueError as error:
        raise InvalidData("hex.malformed", field=field) from error
    if data.hex() != digits:  # upper case, or white space, which `fromhex` ignores
        raise InvalidData("hex.malformed", field=field)
    if size is not None and len(data) != size:
        raise InvalidData("hex.length", field=field, expected=size, actual=len(data))
    return data


def account_from_any_case(text: object, field: str | None) -> bytes:
    """Return the account (20 bytes) of a hex string with 0x in any letter case, as people paste it.

    A string in mixed case must be in EIP-55 form. Raises `InvalidData` (`hex.malformed`, `hex.length`,
    `account.checksum`).
    """
    if not isinstance(text, str) or _ANY_CASE.fullmatch(text) is None:
        raise InvalidData("hex.malformed", field=field)
    account = from_hex(text.lower(), ACCOUNT_SIZE, field)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != to_checksum(account):
        raise InvalidData("account.checksum", field=field)
    return account


def to_checksum(account: bytes) -> str:
    """Return the EIP-55 form of an account (20 bytes)."""
    digits = account.hex()
    mask = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit  # noqa: PLR2004 - EIP-55: the high bit of the nibble
        for digit, nibble in zip(digits, mask, strict=False)
    )
