"""Make `tests/vectors/ed25519.json`: public keys and signatures on which Ed25519 implementations differ.

PYTHONPATH=tests python tests/vectors/generate/ed25519_vectors.py

Nothing of the project runs here. Points are affine, with the addition law as RFC 8032 §5.1 states it: slow and plain.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "ed25519.json"

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
ZERO: Point = (0, 1)
TEXT = b"deeds.example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def add(first: Point, second: Point) -> Point:
    """Return the sum of two points."""
    (x1, y1), (x2, y2) = first, second
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(scalar: int, point: Point) -> Point:
    """Return a multiple of a point."""
    total = ZERO
    for place in range(scalar.bit_length()):
        if scalar >> place & 1:
            total = add(total, point)
        point = add(point, point)
    return total


def with_y(y: int, sign: int = 0) -> Point | None:
    """Return the point with this y whose x has this lowest bit; None if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * pow(2, (P - 1) // 4, P) % P
    if root * root % P != square or (root == 0 and sign):
        return None
    return (root if root & 1 == sign else P - root), y


def encode(point: Point) -> bytes:
    """Return the 32 bytes of a point."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE = with_y(4 * pow(5, -1, P) % P)
assert BASE is not None
assert times(L, BASE) == ZERO


def torsion() -> Point:
    """Return a point of order 8."""
    y = 2
    while True:
        point = with_y(y)
        small = ZERO if point is None else times(L, point)
        if times(4, small) != ZERO:
            return small
        y += 1


EIGHT = torsion()


def secret(seed: bytes) -> tuple[int, bytes]:
    """Return the scalar and the prefix of a private key (RFC 8032 §5.1.5)."""
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & (2**254 - 8) | 2**254, digest[32:]


def sign(seed: bytes, added: Point = ZERO, key: Point | None = None, *, plus: int = 0) -> bytes:
    """Return a signature over TEXT. `added` goes to R, `plus` to S; `key` is named instead of the true public key."""
    scalar, prefix = secret(seed)
    named = encode(key or times(scalar, BASE))
    nonce = int.from_bytes(hashlib.sha512(prefix + TEXT).digest(), "little") % L
    commitment = encode(add(times(nonce, BASE), added))
    challenge = int.from_bytes(hashlib.sha512(commitment + named + TEXT).digest(), "little") % L
    response = (nonce + challenge * scalar) % L
    return commitment + (response + plus).to_bytes(32, "little")


def vectors() -> dict[str, Any]:
    """Return the file's content."""
    seed = bytes(range(32))
    public = times(secret(seed)[0], BASE)
    small = [(f"a point of small order: {number} times one of order 8", times(number, EIGHT)) for number in range(8)]
    mixed = [
        (f"a key plus a point of small order, {number} of 8", add(public, point))
        for number, (_, point) in enumerate(small)
        if number
    ]
    off = next(y for y in range(2, 100) if with_y(y) is None)
    large = [(y, sign) for y in range(19) for sign in (0, 1) if with_y(y, sign) is not None]
    keys = [
        {
            "valid": True,
            "why": "RFC 8032 §7.1, test 1",
            "key": "0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        },
        {"valid": True, "why": "the key of checkpoint.json", "key": hexed(encode(public))},
        {"valid": True, "why": "its negative", "key": hexed(encode((P - public[0], public[1])))},
        {"valid": True, "why": "the base point", "key": hexed(encode(BASE))},
        *({"valid": False, "why": why, "key": hexed(encode(point))} for why, point in (*small, *mixed)),
        {"valid": False, "why": "no point of the curve", "key": hexed(off.to_bytes(32, "little"))},
        {"valid": False, "why": "x is zero, and its sign is set", "key": hexed((1 | 1 << 255).to_bytes(32, "little"))},
        {
            "valid": False,
            "why": "x is zero, and its sign is set",
            "key": hexed((P - 1 | 1 << 255).to_bytes(32, "little")),
        },
        *(
            {
                "valid": False,
                "why": f"y is written as 2^255 - 19 + {y}",
                "key": hexed((y + P | sign << 255).to_bytes(32, "little")),
            }
            for y, sign in large
        ),
        {"valid": False, "why": "every bit is set", "key": hexed(b"\xff" * 32)},
    ]
    # A signature that fits every text under a key of small order, if the key were taken.
    signatures = [
        {"valid": True, "why": "RFC 8032 signs", "signature": sign(seed)},
        {
            "valid": False,
            "why": "R has a component of small order: [8][S]B = [8]R + [8][k]A, but [S]B ≠ R + [k]A",
            "signature": sign(seed, EIGHT),
        },
        {"valid": False, "why": "S is not smaller than L", "signature": sign(seed, plus=L)},
        {"valid": False, "why": "S is zero and R the neutral point", "signature": encode(ZERO) + bytes(32)},
        {"valid": False, "why": "another R", "signature": encode(BASE) + sign(seed)[32:]},
        {"valid": False, "why": "63 bytes", "signature": sign(seed)[:-1]},
        {"valid": False, "why": "65 bytes", "signature": sign(seed) + b"\0"},
    ]
    return {
        "about": "Ed25519 where implementations differ. `keys`: a log key must be a point of prime order in its "
        "canonical encoding. `signatures` are of `key` over `text` (UTF-8). The equation has no cofactor: "
        "[S]B = R + [k]A.",
        "keys": keys,
        "key": hexed(encode(public)),
        "text": TEXT.decode(),
        "signatures": [{**one, "signature": hexed(one["signature"])} for one in signatures],
    }


def hexed(data: bytes) -> str:
    """Return bytes as hexadecimal with 0x."""
    return "0x" + data.hex()


def render() -> str:
    """Return the bytes of the file, as text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
