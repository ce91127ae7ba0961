"""Which 32 bytes are a public key that a log may have: an Ed25519 point of prime order, in its one encoding.

RFC 8032 lets verifiers choose between two equations. They agree on every signature only if the key has no component of
small order; and for a key of small order one signature fits many texts. So such keys are refused before any signature
is checked. The arithmetic is that of RFC 8032 §5.1; it runs on public values only, so its time may depend on them.
"""

from __future__ import annotations

from functools import lru_cache

P = 2**255 - 19
"""The field's prime."""

L = 2**252 + 27742317777372353535851937790883648493
"""The order of the group that the base point generates."""

_D = -121665 * pow(121666, -1, P) % P
_SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

_Point = tuple[int, int, int, int]
"""(X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z: extended coordinates (RFC 8032 §5.1.4)."""

_IDENTITY: _Point = (0, 1, 1, 0)


@lru_cache(maxsize=64)
def is_public_key(data: bytes) -> bool:
    """Return whether 32 bytes are the canonical encoding of a point A ≠ 0 with [L]A = 0."""
    point = _decode(data)
    return point is not None and not _is_identity(point) and _is_identity(_multiply(L, point))


def _decode(data: bytes) -> _Point | None:
    """Decode a point as RFC 8032 §5.1.3 does. None if no point has exactly this encoding."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    numerator, denominator = (y * y - 1) % P, (_D * y * y + 1) % P
    square = numerator * pow(denominator, -1, P) % P  # never zero: -1/d is no square
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * _SQRT_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _add(first: _Point, second: _Point) -> _Point:
    a = (first[1] - first[0]) * (second[1] - second[0]) % P
    b = (first[1] + first[0]) * (second[1] + second[0]) % P
    c = 2 * first[3] * second[3] * _D % P
    d = 2 * first[2] * second[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(point: _Point) -> _Point:
    x, y, z, _ = point
    a, b = x * x, y * y
    h = a + b
    e = h - (x + y) * (x + y)
    g = a - b
    f = (2 * z * z + g) % P
    e, g, h = e % P, g % P, h % P
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(scalar: int, point: _Point) -> _Point:
    result = _IDENTITY
    for bit in f"{scalar:b}":
        result = _double(result)
        if bit == "1":
            result = _add(result, point)
    return result


def _is_identity(point: _Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0
