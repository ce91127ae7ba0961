"""Examples for the OpenAPI document, signed for the registry that shows them, so they work when pasted.

The exception is the example for signing in: it would need a nonce of its own, and shows only the request's form.

The keys are public on purpose: a statement signed with them shows only that somebody tried the API.
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
    from collections.abc import Callable

    from deedlog.registry.statements import Statement

EXAMPLE_KEY = hashlib.sha256(b"Deedlog example key: public, worthless").digest()
SECOND_KEY = hashlib.sha256(b"Deedlog second example key: public, worthless").digest()
EXAMPLE_CONTENT = b"Deedlog example content\n"


def example_work() -> Work:
    """Return the statement that the examples show."""
    return _work((account_of_private_key(EXAMPLE_KEY),))


def example_draft() -> Work:
    """Return a statement with two signers, who sign in separate requests."""
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


def submission(registry: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/statements`."""
    return _signed(example_work(), registry, EXAMPLE_KEY)


def batch(registry: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/statements:batch`."""
    return {"statements": [submission(registry)]}


def fields(_registry: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/typed-data/Work`: the message without its salt."""
    message = example_work().message()
    del message["salt"]
    return message


def proposal(registry: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/drafts`: the first of two signatures."""
    return _signed(example_draft(), registry, EXAMPLE_KEY)


def draft_digest(registry: bytes) -> str:
    """Return the digest of the draft that `proposal` proposes."""
    return to_hex(example_draft().digest(domain_separator(registry)))


def signatures(registry: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/drafts/{digest}/signatures`: the second of two signatures."""
    return {"signatures": _signed(example_draft(), registry, SECOND_KEY)["signatures"]}


def nonce_request(_registry: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/sessions/nonce`."""
    return {"account": to_checksum(account_of_private_key(EXAMPLE_KEY))}


def session_request(_registry: bytes) -> dict[str, Any]:
    """Return the body of `POST /v1/sessions`, for a site and a time that are not this registry's."""
    account = account_of_private_key(EXAMPLE_KEY)
    message = sign_in.offer(account, sign_in.site_at("https://deeds.example.com"), 1, "0" * 32, 1_795_000_000).text()
    return {"message": message, "signature": to_hex(sign(sign_in.digest(message), EXAMPLE_KEY).signature)}


_MAKERS: dict[str, Callable[[bytes], Any]] = {
    maker.__name__: maker
    for maker in (
        *(submission, batch, fields, proposal, draft_digest, signatures),
        *(nonce_request, session_request),
    )
}
_MADE_BY = "x-made-by"


def made_by(maker: Callable[[bytes], Any]) -> dict[str, str]:
    """Return the placeholder for an example, which `filled` replaces; `maker` must be a function of this module.

    Raises `KeyError` for any other function.
    """
    if _MAKERS.get(maker.__name__) is not maker:
        raise KeyError(maker.__name__)
    return {_MADE_BY: maker.__name__}


def filled(part: Any, registry: bytes) -> Any:
    """Return a part of the document with its placeholders replaced by examples for the registry at that address."""
    if isinstance(part, dict):
        if _MADE_BY in part:
            return _MAKERS[part[_MADE_BY]](registry)
        return {name: filled(value, registry) for name, value in part.items()}
    return [filled(value, registry) for value in part] if isinstance(part, list) else part


def _signed(statement: Statement, registry: bytes, key: bytes) -> dict[str, Any]:
    signature = sign(statement.digest(domain_separator(registry)), key)
    return {
        "typed_data": typed_data(statement, registry),
        "signatures": [{"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}],
    }
