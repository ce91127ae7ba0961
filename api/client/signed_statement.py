"""A statement with its digest and signatures, made on this machine: the outbox stores it, and a request sends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import Signature
from deedlog.registry.statements.typed_data import from_typed_data, typed_data
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from deedlog.registry.statements.base import Statement


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement for the registry at `registry` (its address, 20 bytes), and signatures over its digest.

    `reference` is your own name for it: if you send again under the same reference and API key, the answer is the first
    digest. Before `public_from` (RFC 3339, UTC, whole seconds) only the accounts it concerns, and the API key that sent
    it, may read the body. Neither is signed.
    """

    statement: Statement
    registry: bytes
    signatures: tuple[Signature, ...]
    reference: str | None = None
    public_from: str | None = None

    @property
    def digest(self) -> bytes:
        """The EIP-712 digest (32 bytes), derived from the statement on this machine."""
        return self.statement.digest(domain_separator(self.registry))

    @property
    def complete(self) -> bool:
        """Whether all signers have signed, as far as the statement itself names them."""
        signers = self.statement.signers()
        return signers is None or len(signers) == len(self.signatures)

    def to_json(self) -> dict[str, Any]:
        """Return the request body that sends it."""
        body: dict[str, Any] = {
            "typed_data": typed_data(self.statement, self.registry),
            "signatures": [show(signature) for signature in self.signatures],
        }
        if self.reference is not None:
            body["reference"] = self.reference
        if self.public_from is not None:
            body["public_from"] = self.public_from
        return body

    @classmethod
    def from_json(cls, value: object, registry: bytes) -> SignedStatement:
        """Parse the output of `to_json`, for the registry at that address; raise `InvalidData`."""
        body = members(value, ("typed_data", "signatures"), "", optional=("reference", "public_from"))
        if not isinstance(body["signatures"], list):
            raise InvalidData("json.malformed", field="signatures", position=0)
        return cls(
            from_typed_data(body["typed_data"], registry),
            registry,
            tuple(_signature(value, f"signatures[{at}]") for at, value in enumerate(body["signatures"])),
            body.get("reference"),
            body.get("public_from"),
        )


def _signature(value: object, field: str) -> Signature:
    data = members(value, ("account", "signature"), field)
    account = account_from_any_case(data["account"], f"{field}.account")
    return Signature(account, from_hex(data["signature"], None, f"{field}.signature"))


def show(signature: Signature) -> dict[str, str]:
    """Return a signature in the form that requests use."""
    return {"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}
