"""Make `tests/vectors/statements.json`: statements of every kind, their digests, and signatures over them.

PYTHONPATH=.:tests python tests/vectors/generate/statement_vectors.py

Every digest is computed by the registry, eth-account, viem and ethers, and every signature by the registry and
eth-account; where two of them differ, nothing is written.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, _hash_eip191_message, encode_typed_data

from registry.eip712 import domain_separator
from registry.hexadecimal import to_hex
from registry.signatures import sign
from registry.statements import KINDS
from registry.typed_data import typed_data

ROOT = Path(__file__).resolve().parents[3]
PATH = ROOT / "tests/vectors/statements.json"
DIGESTS = ROOT / "tests/vectors/generate/statement_digests.mjs"

REGISTRY = "0xc0068560aae79b8a14930c93e73abea70afab3d4"
OTHER_REGISTRY = "0x00000000000000000000000000000000000000ff"

KEYS = {Account.from_key(key).address.lower(): key for key in (number.to_bytes(32, "big") for number in range(1, 65))}
"""Private key by account: the numbers 1 to 64. Everybody knows them."""

FIRST, SECOND = list(KEYS)[:2]

ABOUT = (
    "Statements as typed data (EIP-712) for a registry, with type string, domain separator, hashStruct, digest, and a "
    "signature (RFC 6979) of every signer. Registry, eth-account, viem and ethers agree on each. `accepted` false: "
    "such text verifies for ever, but is not accepted anew. No member of any kind may be empty, so no case has one. "
    "The private keys are the numbers 1 to 64."
)

GREATEST = str(2**64 - 1)
LONGEST_MEDIA_TYPE = "a" * 64 + "/" + "z" * 62
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
"""Four people joined by U+200D (ZWJ), shown as one."""

OHM = "4.7 k\u2126"
"""NFC replaces U+2126 by another omega."""

PLAIN: dict[str, dict[str, Any]] = {
    "Work": {
        "title": "How to read a paper",
        "creditedAs": "Alice",
        "creators": [FIRST],
        "basis": "own",
        "aiUse": "none",
        "contentHash": "0x15ec2a17adcf02d5a1df4195cdf77b6c6dab957457a8957a373e6993ad1fe333",
        "contentLength": "24",
        "mediaType": "video/mp4",
        "madeAt": "1795459900",
        "salt": "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    },
    "Upload": {
        "title": "How to read a paper",
        "creditedAs": "user 17",
        "aiUse": "assisted",
        "contentHash": "0x15ec2a17adcf02d5a1df4195cdf77b6c6dab957457a8957a373e6993ad1fe333",
        "contentLength": "24",
        "mediaType": "video/mp4",
        "platform": SECOND,
        "uploader": "0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        "uploadedAt": "1795459950",
        "salt": "0x404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
    },
    "Rendition": {
        "source": "0xa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf",
        "contentHash": "0xc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
        "contentLength": "7",
        "mediaType": "video/webm",
        "tool": "ffmpeg 7 -vf scale=640:-2",
        "maker": SECOND,
        "madeAt": "1795459960",
        "salt": "0x606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f",
    },
}
"""The members of a plain statement of each kind, in their JSON form."""

TEXTS = {"Work": ("title", "creditedAs"), "Upload": ("title", "creditedAs"), "Rendition": ("tool",)}
TIMES = {"Work": "madeAt", "Upload": "uploadedAt", "Rendition": "madeAt"}
HASHES = {
    "Work": ("contentHash", "salt"),
    "Upload": ("contentHash", "uploader", "salt"),
    "Rendition": ("source", "contentHash", "salt"),
}


def messages(kind: str) -> dict[str, dict[str, Any]]:
    """Return messages of one kind by the name of the case."""

    def texts(*values: str) -> dict[str, str]:
        return dict(zip(TEXTS[kind], values, strict=False))

    def hashes(value: str) -> dict[str, str]:
        return dict.fromkeys(HASHES[kind], value)

    changes: dict[str, dict[str, Any]] = {
        "plain": {},
        "chinese": texts("怎样读论文：先读摘要，再读结论", "爱丽丝·王（\U00020bb7野家）"),
        "emoji_joined": texts(f"{FAMILY} at home \U0001f3f3\ufe0f\u200d\U0001f308", f"\U0001f44b\U0001f3fd {FAMILY}"),
        "like_other_types": texts("0x00", "1e3"),
        "escaped": texts('"\\" </b> & {"a":1} \u00e9', "O'Neill \u00fcber \u0414\u0436"),
        "least": {**texts("x", "y"), **hashes("0x" + "00" * 32), "contentLength": "1", TIMES[kind]: "0"},
        "greatest": {
            **texts("\U0010fffd" * 200, "\U0001f600" * 200),
            **hashes("0x" + "ff" * 32),
            "contentLength": GREATEST,
            "mediaType": LONGEST_MEDIA_TYPE,
            TIMES[kind]: GREATEST,
        },
        "beyond_doubles": {"contentLength": str(2**53 + 1), TIMES[kind]: str(2**63)},
        "not_nfc": texts("cafe\u0301", OHM),
        "unassigned": texts("a\u0378", "\ufdd0"),
    }
    if kind == "Work":
        changes["two_creators"] = {"creators": sorted([FIRST, SECOND]), "basis": "commission", "aiUse": "generated"}
        changes["greatest"]["creators"] = sorted(KEYS)
    return {name: PLAIN[kind] | change for name, change in changes.items()}


NOT_ACCEPTED = ("not_nfc", "unassigned")


def by_eth_account(data: dict[str, Any]) -> dict[str, str]:
    """Return digest, domain separator and hashStruct of typed data."""
    message: SignableMessage = encode_typed_data(full_message=data)
    return {
        "digest": to_hex(_hash_eip191_message(message)),
        "domain_separator": to_hex(message.header),
        "struct_hash": to_hex(message.body),
    }


def by_viem_and_ethers(list_of_data: list[dict[str, Any]]) -> list[dict[str, dict[str, str]]]:
    """Return of each typed data what `viem` and `ethers` make of it; one process for all."""
    node = ROOT / ".venv/bin/node"
    done = subprocess.run(
        [node, DIGESTS], input=json.dumps(list_of_data), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, dict[str, str]]] = json.loads(done.stdout)
    return answers


def case(kind: str, name: str, message: dict[str, Any], registry: str) -> dict[str, Any]:
    """Return one case, by the registry and eth-account."""
    statement = KINDS[kind].from_message(message)
    address = bytes.fromhex(registry[2:])
    separator = domain_separator(address)
    digest = statement.digest(separator)
    data = typed_data(statement, address)
    hashes = {
        "digest": to_hex(digest),
        "domain_separator": to_hex(separator),
        "struct_hash": to_hex(statement.STRUCT.hash(statement)),
    }
    assert hashes == by_eth_account(data), (kind, name)
    signatures = []
    for account in statement.signers():
        key = KEYS[to_hex(account)]
        signature = sign(digest, key)
        theirs = Account.sign_typed_data(key, full_message=data)
        assert (signature.account, signature.signature) == (account, theirs.signature), (kind, name)
        signatures.append({"account": to_hex(account), "signature": to_hex(signature.signature)})
    return {
        "name": f"{kind}: {name}",
        "kind": kind,
        "accepted": name not in NOT_ACCEPTED,
        "typed_data": data,
        "type_string": statement.STRUCT.type_string,
        "type_hash": to_hex(statement.STRUCT.type_hash),
        **hashes,
        "signatures": signatures,
    }


def render() -> str:
    """Return the file's text; raise `AssertionError` where two implementations differ."""
    cases = [case(kind, name, message, REGISTRY) for kind in PLAIN for name, message in messages(kind).items()]
    cases += [case(kind, "other_registry", PLAIN[kind], OTHER_REGISTRY) for kind in PLAIN]
    answers = by_viem_and_ethers([item["typed_data"] for item in cases])
    for item, answer in zip(cases, answers, strict=True):
        for library, hashes in answer.items():
            assert hashes == {name: item[name] for name in hashes}, (library, item["name"])
    keys = [{"account": account, "private_key": to_hex(key)} for account, key in KEYS.items()]
    return json.dumps({"about": ABOUT, "keys": keys, "cases": cases}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
