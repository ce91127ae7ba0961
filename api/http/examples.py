"""Examples for the OpenAPI page, signed for the very registry that shows them: they work when pasted.

All but a sign-in, which needs a nonce of its own: that one shows what it looks like.

The keys are public on purpose; the accounts that they make say nothing but that somebody tried the API.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from deedlog.registry import sign_in
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements import Work
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data

if TYPE_CHECKING:
    from deedlog.registry.statements import Statement

EXAMPLE_KEY = hashlib.sha256(b"Deedlog example key: public, worthless").digest()
SECOND_KEY = hashlib.sha256(b"Deedlog second example key: public, worthless").digest()
EXAMPLE_CONTENT = b"Deedlog example content\n"


def example_work() -> Work:
    """Return the statement that the examples show."""
    return _work((account_of_private_key(EXAMPLE_KEY),))


def example_draft() -> Work:
    """Return a statement that two sign, each with a request of their own."""
    return _work(tuple(sorted(map(account_of_private_key, (EXAMPLE_KEY, SECOND_KEY)))))


def _work(creators: tuple[bytes, ...]) -> Work:
    return Work(
        title="An example, by nobody",
        creditedAs="Nobody",
        creators=creators,
        basis="own",
        aiUse="none",
        contentHash=hashlib.sha256(EXAMPLE_CONTENT).digest(),
        contentLength=len(EXAMPLE_CONTENT),
        mediaType="text/plain",
        madeAt=1_795_000_000,
        salt=hashlib.sha256(b"Deedlog example salt").digest(),
    )


def submission(statement: Statement, registry: bytes, key: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/statements` for a statement that one key signs."""
    signature = sign(statement.digest(domain_separator(registry)), key)
    return {
        "typed_data": typed_data(statement, registry),
        "signatures": [{"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}],
    }


def signed_in() -> dict[str, Any]:
    """Return the body of `POST /v1/sessions`, for a site and at a time that are not ours."""
    account = account_of_private_key(EXAMPLE_KEY)
    message = sign_in.offer(account, sign_in.site_at("https://deeds.example.com"), 1, "0" * 32, 1_795_000_000).text()
    return {"message": message, "signature": to_hex(sign(sign_in.digest(message), EXAMPLE_KEY).signature)}


def fields(statement: Statement) -> dict[str, Any]:
    """Return the body of `POST /v1/typed-data/{kind}`: the message without its salt."""
    message = statement.message()
    del message["salt"]
    return message
