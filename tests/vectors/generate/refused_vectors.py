"""Make `tests/vectors/refused.json`: typed data and signatures that are refused, each with the reason's code.

PYTHONPATH=.:tests python tests/vectors/generate/refused_vectors.py

Each text differs from a plain statement in one place. Codes and fields are written down here, not computed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from vectors.generate.refused_agreements import agreements, reports
from vectors.generate.refused_base import CASES
from vectors.generate.refused_members import members
from vectors.generate.refused_shapes import shapes
from vectors.generate.statement_plain import FIRST, KEYS, SECOND
from vectors.generate.statement_vectors import REGISTRY

PATH = Path(__file__).resolve().parent.parent / "refused.json"
N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""SEC 2 §2.4.1: the order of secp256k1."""

ABOUT = (
    "What is refused. `statements`: typed data for `registry`, as the text of a request (`text`; or `bytes`, where no "
    "text can show it), with the code of the reason and the member at fault (null where there is none). `at` reading: "
    "refused for ever; at acceptance: it can be read and verifies, but is not accepted anew. `signatures`: what does "
    "not count as a signature by `account` over `digest`."
)


def signatures() -> list[dict[str, Any]]:
    """Return what is no signature by the first account over the digest of the plain `Work`."""
    good = CASES["Work: plain"]
    digest, made = bytes.fromhex(good["digest"][2:]), bytes.fromhex(good["signatures"][0]["signature"][2:])
    r, s, v = int.from_bytes(made[:32], "big"), int.from_bytes(made[32:64], "big"), made[64]

    def join(r: int, s: int, v: int) -> bytes:
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])

    other_domain = CASES["Work: other_registry"]["signatures"][0]["signature"]
    second_key = Account.unsafe_sign_hash(digest, KEYS[SECOND]).signature
    prefixed = Account.sign_message(encode_defunct(digest), KEYS[FIRST]).signature
    compact = join(r, s | (v - 27) << 255, 0)[:64]
    table: list[tuple[str, bytes, str]] = [
        ("its twin with high s", join(r, N - s, 55 - v), "signature.high_s"),
        ("s one above half the order", join(r, N // 2 + 1, v), "signature.high_s"),
        ("s is the order", join(r, N, v), "signature.high_s"),
        *((f"v is {number}", join(r, s, number), "signature.v") for number in (0, 1, 26, 29, 37, 255)),
        ("v of the other parity", join(r, s, 55 - v), "signature.signer"),
        ("r is 0", join(0, s, v), "signature.range"),
        ("s is 0", join(r, 0, v), "signature.range"),
        ("r and s are 0", join(0, 0, v), "signature.range"),
        ("r is the order", join(N, s, v), "signature.range"),
        ("r is 2^256 - 1", join(2**256 - 1, s, v), "signature.range"),
        ("r is on no point of the curve", join(5, s, v), "signature.range"),
        ("none", b"", "signature.length"),
        ("64 bytes, as in EIP-2098", compact, "signature.length"),
        ("64 bytes, without v", made[:64], "signature.length"),
        ("66 bytes", made + b"\0", "signature.length"),
        ("by another account", bytes(second_key), "signature.signer"),
        ("over the digest as a personal message (EIP-191)", bytes(prefixed), "signature.signer"),
        ("over the same message for another registry", bytes.fromhex(other_domain[2:]), "signature.signer"),
        ("one bit of s differs", join(r, s ^ 1, v), "signature.signer"),
    ]
    return [
        {"name": name, "digest": good["digest"], "account": FIRST, "signature": "0x" + data.hex(), "code": code}
        for name, data, code in table
    ]


def render() -> str:
    """Return the file's text: all of it ASCII, since much of it would not show."""
    statements = [*members(), *shapes(), *agreements(), *reports()]
    names = [case["name"] for case in statements]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    value = {"about": ABOUT, "registry": REGISTRY, "statements": statements, "signatures": signatures()}
    return json.dumps(value, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
