"""Signed statements in the form of requests: each a `Work` about new content, by one of a few creators."""

from __future__ import annotations

import dataclasses
import json
from hashlib import sha256
from typing import Any

from benchmarks.measures.statement import WORK
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data

CREATORS = 64


def submission(number: int, registry: bytes) -> dict[str, Any]:
    """Return the JSON object that registers statement `number` at the registry with that address."""
    key = sha256(b"creator %d" % (number % CREATORS)).digest()
    work = dataclasses.replace(
        WORK,
        creators=(account_of_private_key(key),),
        contentHash=sha256(b"content %d" % number).digest(),
        salt=sha256(b"salt %d" % number).digest(),
    )
    signed = sign(work.digest(domain_separator(registry)), key)
    return {
        "typed_data": typed_data(work, registry),
        "signatures": [{"account": to_hex(signed.account), "signature": to_hex(signed.signature)}],
    }


def encoded(value: object) -> bytes:
    """Return JSON encoded as clients send it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
