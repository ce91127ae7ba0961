"""The registry address: the CREATE2 address that commits to the contract's code and its constructor arguments.

A verifier starts from this address alone. It recomputes the address from salt and arguments, and trusts nothing else
about the contract: code read from a chain does not prove how its state was made. Callers pass the compiled contract in
(`anchor.contract` reads it).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from deedlog.anchor.merkle import HASH_SIZE
from deedlog.anchor.tlog.ed25519 import is_public_key
from deedlog.anchor.tlog.note import VerifierKey, validate_name
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, ZERO_ACCOUNT, from_hex, to_hex
from deedlog.registry.keccak import keccak256
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Mapping

DETERMINISTIC_DEPLOYER = bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")
"""The contract that deploys salt ‖ creation code by CREATE2. Same address on anvil, the testnets and main networks."""

CREATION_CODE_HASHES = {1: "0xa2943c7d53cae8eb1d780282dab27802b2b0586e1129214ef66e7e3165cf9175"}
"""keccak-256 of the creation code (without arguments) of each version of the contract."""

HEADS_SLOT = 0
"""Storage slot of the mapping root → head."""

_U64 = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Contract:
    """A version of the contract with its creation code, without arguments."""

    version: int
    creation_code: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raise `InvalidData` unless the code is the version's: `registry.version`, `registry.artifact_damaged`."""
        if self.version not in CREATION_CODE_HASHES:
            raise InvalidData("registry.version", field="version")
        if to_hex(keccak256(self.creation_code)) != CREATION_CODE_HASHES[self.version]:
            raise InvalidData("registry.artifact_damaged")


@dataclass(frozen=True)
class RegistryIdentity:
    """Everything the registry address commits to.

    `salt` and `log_key` (an Ed25519 public key) have 32 bytes, `owner` and `operator` are accounts (20 bytes).
    """

    contract: Contract
    salt: bytes
    origin: str
    log_key: bytes
    owner: bytes
    operator: bytes

    def __post_init__(self) -> None:
        """Raise `InvalidData` (`registry.…`) unless a contract could be deployed with these members."""
        if len(self.salt) != HASH_SIZE:
            raise InvalidData("registry.salt", field="salt")
        if len(self.log_key) != HASH_SIZE or not is_public_key(self.log_key):
            raise InvalidData("registry.log_key", field="log_key")
        for account in (self.owner, self.operator):
            if len(account) != ACCOUNT_SIZE or account == ZERO_ACCOUNT:
                raise InvalidData("registry.account")
        try:
            validate_name(self.origin)
        except VerificationError as error:
            raise InvalidData("registry.origin", field="origin") from error

    @cached_property
    def address(self) -> bytes:
        """The 20-byte CREATE2 address: keccak256(0xff ‖ deployer ‖ salt ‖ keccak256(creation code ‖ arguments))."""
        code_hash = keccak256(self.initialisation_code())
        return keccak256(b"\xff" + DETERMINISTIC_DEPLOYER + self.salt + code_hash)[12:]

    @property
    def verifier_key(self) -> VerifierKey:
        """The log key under the origin's name: checkpoints must be signed by it."""
        return VerifierKey(self.origin, self.log_key)

    def constructor_arguments(self) -> bytes:
        """Return the ABI encoding of (string origin, bytes32 logKey, address owner, address operator)."""
        origin = self.origin.encode("ascii")
        head = [(4 * 32).to_bytes(32, "big"), self.log_key, self.owner.rjust(32, b"\0"), self.operator.rjust(32, b"\0")]
        padded = origin.ljust((len(origin) + 31) // 32 * 32, b"\0")
        return b"".join([*head, len(origin).to_bytes(32, "big"), padded])

    def initialisation_code(self) -> bytes:
        """Return creation code ‖ constructor arguments."""
        return self.contract.creation_code + self.constructor_arguments()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form used in bundles and in `identity.json`."""
        return {
            "version": self.contract.version,
            "salt": to_hex(self.salt),
            "origin": self.origin,
            "log_key": to_hex(self.log_key),
            "owner": to_hex(self.owner),
            "operator": to_hex(self.operator),
        }

    @classmethod
    def from_json(cls, value: object, contracts: Mapping[int, Contract]) -> Self:
        """Return the identity from its JSON form. Raises `InvalidData` naming the member at fault.

        `contracts` has the contract of each known version; any other version raises `registry.version`.
        """
        data = members(value, ("version", "salt", "origin", "log_key", "owner", "operator"), "registry")
        version = data["version"]
        if not isinstance(version, int) or isinstance(version, bool) or version not in contracts:
            raise InvalidData("registry.version", field="registry.version")
        if not isinstance(data["origin"], str):
            raise InvalidData("registry.origin", field="registry.origin")
        return cls(
            contract=contracts[version],
            salt=from_hex(data["salt"], HASH_SIZE, "registry.salt"),
            origin=data["origin"],
            log_key=from_hex(data["log_key"], HASH_SIZE, "registry.log_key"),
            owner=from_hex(data["owner"], ACCOUNT_SIZE, "registry.owner"),
            operator=from_hex(data["operator"], ACCOUNT_SIZE, "registry.operator"),
        )


@dataclass(frozen=True, slots=True)
class Head:
    """A head as the contract stores it: size, time (Unix seconds), size of the previous head, block number."""

    size: int
    time: int
    previous_size: int
    block_number: int

    @classmethod
    def unpack(cls, value: bytes) -> Self:
        """Return the head in a 32-byte storage word: four uint64, in the order above from the lowest 8 bytes up."""
        word = int.from_bytes(value, "big")
        return cls(word & _U64, word >> 64 & _U64, word >> 128 & _U64, word >> 192)


def head_slot(root: bytes) -> bytes:
    """Return the 32-byte storage key of the head with this root: keccak256(root ‖ uint256 slot)."""
    return keccak256(root + HEADS_SLOT.to_bytes(32, "big"))
