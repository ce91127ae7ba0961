"""Checking a received `Work`, against eth-account's own method and against bare recovery of the public key."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from typing import TYPE_CHECKING

from coincurve import PublicKey
from eth_account import Account
from eth_account.messages import encode_typed_data

from benchmarks.figure import Figure
from benchmarks.timing import in_turns
from deedlog.registry import strict_json
from deedlog.registry.statements import Work
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import V_EVEN, account_of_private_key, check, sign
from deedlog.registry.statements.typed_data import from_typed_data, typed_data

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS, TIMES = 21, 100
LIMIT = 64 * 1024
REGISTRY = sha256(b"a registry").digest()[:20]
KEY = sha256(b"a creator's key").digest()
WORK = Work(
    title="怎样读论文 How to read a paper",
    creditedAs="爱丽丝 Alice",
    creators=(account_of_private_key(KEY),),
    basis="own",
    aiUse="none",
    contentHash=sha256(b"a video").digest(),
    contentLength=123_456_789,
    mediaType="video/mp4",
    madeAt=1_795_460_000,
    salt=sha256(b"salt").digest(),
)


def measure() -> Iterator[Figure]:
    """Both full methods start with the typed data as bytes; bare recovery starts with the digest."""
    digest = WORK.digest(domain_separator(REGISTRY))
    signature = sign(digest, KEY)
    received = json.dumps(typed_data(WORK, REGISTRY), ensure_ascii=False).encode()
    recoverable = signature.signature[:64] + bytes([signature.signature[64] - V_EVEN])

    def ours() -> None:
        statement = from_typed_data(strict_json.loads(received, LIMIT), REGISTRY)
        check(signature, statement.digest(domain_separator(REGISTRY)))

    def eth_account() -> None:
        signable = encode_typed_data(full_message=json.loads(received))
        if bytes.fromhex(Account.recover_message(signable, signature=signature.signature)[2:]) != signature.account:
            sys.exit("statement: eth-account finds another signer")

    def coincurve() -> None:
        PublicKey.from_signature_and_message(recoverable, digest, hasher=None)

    mine, library, bare = in_turns(ROUNDS, ours, eth_account, coincurve, times=TIMES)
    whole = "from bytes: strict JSON, every member checked, digest, signature, signer"
    yield Figure(
        "statement", 1 / mine, "per second", "eth-account", 1 / library, f"{whole}; json, encode, recover, compare"
    )
    yield Figure("statement", 1 / mine, "per second", "coincurve", 1 / bare, f"{whole}; only the public key recovered")
