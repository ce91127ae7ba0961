"""Signatures over a digest: secp256k1, 65 bytes, each in one canonical form."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from coincurve import PrivateKey, PublicKey

from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECP256K1 = "secp256k1"
SIGNATURE_SIZE = 65
ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""SEC 2 §2.4.1: the order n of the group."""

HALF_ORDER = ORDER // 2
"""The largest s that is accepted (EIP-2). A larger s has an equivalent one below this, so signatures stay unique."""

V_EVEN, V_ODD = 27, 28


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that is said to be from `account`. Not checked yet: see `check`."""

    account: bytes
    signature: bytes
    scheme: str = SECP256K1


def account_of(public_key: bytes) -> bytes:
    """Return the account of an uncompressed public key (65 bytes, 0x04 first)."""
    return keccak256(public_key[1:])[12:]


def account_of_private_key(private_key: bytes) -> bytes:
    """Return the account of a private key (32 bytes)."""
    return account_of(PrivateKey(private_key).public_key.format(compressed=False))


def sign(digest: bytes, private_key: bytes) -> Signature:
    """Sign a digest (32 bytes) with a private key (32 bytes). The signature is deterministic (RFC 6979) and low-s."""
    key = PrivateKey(private_key)
    raw = key.sign_recoverable(digest, hasher=None)
    return Signature(account_of(key.public_key.format(compressed=False)), raw[:64] + bytes([V_EVEN + raw[64]]))


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the account (20 bytes) that made `signature` (65 bytes r ‖ s ‖ v) over `digest` (32 bytes).

    Raises `VerificationError` unless the signature has the canonical form: `signature.length`, `signature.v`,
    `signature.high_s` or `signature.range`.
    """
    if len(signature) != SIGNATURE_SIZE:
        raise VerificationError("signature.length", expected=SIGNATURE_SIZE, actual=len(signature))
    v = signature[64]
    if v not in (V_EVEN, V_ODD):
        raise VerificationError("signature.v", actual=v)
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise VerificationError("signature.high_s")
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([v - V_EVEN]), digest, hasher=None)
    except ValueError as error:
        raise VerificationError("signature.range") from error
    return account_of(key.format(compressed=False))


def check(signature: Signature, digest: bytes) -> None:
    """Check that the named account made this signature over `digest` (32 bytes).

    Raises `VerificationError`: `signature.scheme`, `signature.signer`, or as `recover` does.
    """
    if signature.scheme != SECP256K1:
        raise VerificationError("signature.scheme", scheme=signature.scheme[:32], expected=SECP256K1)
    actual = recover(digest, signature.signature)
    if actual != signature.account:
        raise VerificationError("signature.signer", named=to_hex(signature.account), actual=to_hex(actual))


def ascending(signatures: Sequence[Signature]) -> tuple[Signature, ...]:
    """Return the signatures ascending by account. Raises `InvalidData` (`signature.account_twice`)."""
    ordered = tuple(sorted(signatures, key=lambda signature: signature.account))
    for first, second in pairwise(ordered):
        if first.account == second.account:
            raise InvalidData("signature.account_twice", account=to_hex(first.account))
    return ordered


def check_complete(signatures: Sequence[Signature], signers: Sequence[bytes]) -> None:
    """Check that there is a signature of each account in `signers` and of no other. Raises as `check_signers` does."""
    check_signers([signature.account for signature in signatures], signers)


def check_signers(accounts: Iterable[bytes], signers: Iterable[bytes]) -> None:
    """Check that `accounts` and `signers` are the same set.

    Raises `InvalidData` (`signature.missing`, `signature.not_a_signer`).
    """
    given, needed = set(accounts), set(signers)
    for account in sorted(needed - given):
        raise InvalidData("signature.missing", account=to_hex(account))
    for account in sorted(given - needed):
        raise InvalidData("signature.not_a_signer", account=to_hex(account))
