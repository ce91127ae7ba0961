"""Deploying the contract: the transaction's data and the record of a deployment.

Pure. The ape script and the local chain both use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from deedlog.registry.hexadecimal import ACCOUNT_SIZE, HASH_SIZE, from_hex, to_hex
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from deedlog.anchor.evm.identity import RegistryIdentity


def creation_data(identity: RegistryIdentity) -> bytes:
    """Return the data of the transaction to the deterministic deployer: salt ‖ creation code ‖ arguments."""
    return identity.salt + identity.initialisation_code()


@dataclass(frozen=True, slots=True)
class Deployment:
    """The record of a registry's contract on one chain. It is for operators; a verifier trusts nothing in it.

    `block` is a number, `transaction` a hash (32 bytes), `arguments` the ABI-encoded constructor arguments.
    """

    chain_id: int
    address: bytes
    salt: bytes
    arguments: bytes
    block: int
    transaction: bytes
    compiler: dict[str, Any]

    @classmethod
    def of(
        cls, identity: RegistryIdentity, chain_id: int, block: int, transaction: bytes, compiler: dict[str, Any]
    ) -> Self:
        """Return the record of a deployment of `identity` in block number `block` by `transaction` (its hash).

        `compiler` is the artifact's `compiler`: how the contract was compiled.
        """
        return cls(
            chain_id=chain_id,
            address=identity.address,
            salt=identity.salt,
            arguments=identity.constructor_arguments(),
            block=block,
            transaction=transaction,
            compiler=compiler,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form of the deployment file."""
        return {
            "chain_id": self.chain_id,
            "address": to_hex(self.address),
            "salt": to_hex(self.salt),
            "arguments": to_hex(self.arguments),
            "block": self.block,
            "transaction": to_hex(self.transaction),
            "compiler": self.compiler,
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the record from its JSON form. Raises `InvalidData` naming the member at fault."""
        names = ("chain_id", "address", "salt", "arguments", "block", "transaction", "compiler")
        data = members(value, names, "deployment")
        return cls(
            chain_id=data["chain_id"],
            address=from_hex(data["address"], ACCOUNT_SIZE, "deployment.address"),
            salt=from_hex(data["salt"], HASH_SIZE, "deployment.salt"),
            arguments=from_hex(data["arguments"], None, "deployment.arguments"),
            block=data["block"],
            transaction=from_hex(data["transaction"], HASH_SIZE, "deployment.transaction"),
            compiler=data["compiler"],
        )
