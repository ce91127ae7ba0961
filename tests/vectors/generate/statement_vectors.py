"""Make `tests/vectors/statements.json`: statements of every kind, their digests, and signatures over them.

PYTHONPATH=.:tests python tests/vectors/generate/statement_vectors.py

Every digest is computed by the registry, eth-account, viem and ethers, and every signature by the registry and
eth-account; where two of them differ, nothing is written. The plain statements stand in `statement_plain.py`.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, _hash_eip191_message, encode_typed_data
from vectors.generate.statement_cases import NOT_ACCEPTED, messages
from vectors.generate.statement_plain import KEYS, PLAIN, SIGNERS

from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import sign
from deedlog.registry.statements.typed_data import typed_data

ROOT = Path(__file__).resolve().parents[3]
PATH = ROOT / "tests/vectors/statements.json"
DIGESTS = ROOT / "tests/vectors/generate/statement_digests.mjs"

REGISTRY = "0xfe9b8dfa62ba23b670b32c74468ba8394f0c85d0"
OTHER_REGISTRY = "0x00000000000000000000000000000000000000ff"

ABOUT = (
    "Statements as typed data (EIP-712) for a registry, with type string, domain separator, hashStruct, digest, and a "
    "signature (RFC 6979) of every signer. Registry, eth-account, viem and ethers agree on each. `accepted` false: "
    "such text verifies for ever, but is not accepted anew. No text may be empty, so no case has an empty one. "
    "`hidden`: the `shares` of the agreement `of`, with struct hashes in the place of hidden lines. Put there, digest "
    "and signatures stay those of the agreement. Libraries cannot hash such typed data, but each line, on which they "
    "agree too. The private keys are the numbers 1 to 128."
)

HIDDEN = ("Agreement: plain", "Agreement: amended")
"""Cases of which every subset of lines is hidden."""


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
    signers = statement.signers()
    names = SIGNERS[kind] if signers is None else [to_hex(account) for account in signers]
    assert Account.sign_typed_data(KEYS[names[0]], full_message=data).message_hash == digest, (kind, name)
    signatures = []
    for account in names:
        signature = sign(digest, KEYS[account])
        theirs = Account.unsafe_sign_hash(digest, KEYS[account])
        assert (to_hex(signature.account), signature.signature) == (account, theirs.signature), (kind, name)
        signatures.append({"account": account, "signature": to_hex(signature.signature)})
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


def of_line(data: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
    """Return a line of an agreement as if it were typed data of its own, for libraries to hash."""
    types = {name: data["types"][name] for name in ("EIP712Domain", "Share")}
    return {"types": types, "primaryType": "Share", "domain": data["domain"], "message": line}


def lines_of(agreement: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of a case of an agreement."""
    shares: list[dict[str, Any]] = agreement["typed_data"]["message"]["shares"]
    return shares


def hidden(agreement: dict[str, Any], hashes: list[str]) -> list[dict[str, Any]]:
    """Return the shares of a case of an agreement with every subset of its lines hidden, but the empty one."""
    shares = lines_of(agreement)
    return [
        {
            "of": agreement["name"],
            "shares": [hashes[at] if subset >> at & 1 else line for at, line in enumerate(shares)],
        }
        for subset in range(1, 2 ** len(shares))
    ]


def agreed(list_of_data: list[dict[str, Any]], known: list[dict[str, str]]) -> None:
    """Raise `AssertionError` unless viem and ethers have the same hashes."""
    for data, answer, expected in zip(list_of_data, by_viem_and_ethers(list_of_data), known, strict=True):
        assert answer == {"viem": expected, "ethers": expected}, data


def render() -> str:
    """Return the file's text; raise `AssertionError` where two implementations differ."""
    cases = [case(kind, name, message, REGISTRY) for kind in PLAIN for name, message in messages(kind).items()]
    cases += [case(kind, "other_registry", PLAIN[kind], OTHER_REGISTRY) for kind in PLAIN]
    in_part = [item for item in cases if item["name"] in HIDDEN]
    lines = [of_line(item["typed_data"], line) for item in in_part for line in lines_of(item)]
    of_lines = [by_eth_account(line) for line in lines]
    known = [{name: item[name] for name in ("digest", "domain_separator", "struct_hash")} for item in cases]
    agreed([*(item["typed_data"] for item in cases), *lines], known + of_lines)
    left = iter([line["struct_hash"] for line in of_lines])
    keys = [{"account": account, "private_key": to_hex(key)} for account, key in KEYS.items()]
    value = {
        "about": ABOUT,
        "keys": keys,
        "cases": cases,
        "hidden": [each for item in in_part for each in hidden(item, [next(left) for _ in lines_of(item)])],
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
