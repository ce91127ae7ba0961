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
from deedlog.registry.strict_json import MAXIMUM_INTEGER, members

if TYPE_CHECKING:
    from collections.abc import Mapping

DETERMINISTIC_DEPLOYER = bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")
"""The contract that deploys salt ‖ creation code by CREATE2. Same address on anvil, the testnets and main networks."""

CREATION_CODE_HASHES = {1: "0xa6ad7f42a3d850648ff6f7568c542ca748fe74d1da1b6d66744c429cbf7e57d6"}
"""keccak-256 of the creation code (without arguments) of each version of the contract."""

MAXIMUM_CHAINS = 8
"""The most chains that an identity may list. The contract's constructor has the same bound."""

HEADS_SLOT = 0
"""Storage slot of the mapping root → head."""

_U64 = 2**64 - 1
_MEMBERS = ("version", "salt", "origin", "log_key", "owner", "operator", "chains")


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

    `salt` and `log_key` (an Ed25519 public key) have 32 bytes, `owner` and `operator` are accounts (20 bytes). `chains`
    are the ids of the chains on which the contract may be: 1 to 8, ascending. On any other chain the constructor
    reverts, and the verifier accepts no anchor of it.
    """

    contract: Contract
    salt: bytes
    origin: str
    log_key: bytes
    owner: bytes
    operator: bytes
    chains: tuple[int, ...]

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
        if not 1 <= len(self.chains) <= MAXIMUM_CHAINS or list(self.chains) != sorted(set(self.chains)):
            raise InvalidData("registry.chains", field="registry.chains", maximum=MAXIMUM_CHAINS)
        if self.chains[0] < 1 or self.chains[-1] > MAXIMUM_INTEGER:
            raise InvalidData("registry.chains", field="registry.chains", maximum=MAXIMUM_CHAINS)

    @cached_property
    def address(self) -> bytes:
        """The 20-byte CREATE2 address: keccak256(0xff ‖ deployer ‖ salt ‖ keccak256(creation code ‖ arguments))."""
        code_hash = keccak256(self.initialisation_code())
        return keccak256(b"\xff" + DETERMINISTIC_DEPLOYER + self.salt + code_hash)[12:]

    def check_listed(self, chain_id: int) -> None:
        """Raise `VerificationError` (`registry.chain_not_listed`) unless the contract may be on this chain."""
        if chain_id not in self.chains:
            listed = ", ".join(map(str, self.chains))
            raise VerificationError("registry.chain_not_listed", chain_id=chain_id, chains=listed)

    @property
    def verifier_key(self) -> VerifierKey:
        """The log key under the origin's name: checkpoints must be signed by it."""
        return VerifierKey(self.origin, self.log_key)

    def constructor_arguments(self) -> bytes:
        """Return the ABI encoding of the constructor's arguments.

        They are (string origin, bytes32 logKey, address owner, address operator, uint64[] chains).
        """
        characters = self.origin.encode("ascii")
        origin = [_word(len(characters)), characters.ljust((len(characters) + 31) // 32 * 32, b"\0")]
        chains = [_word(len(self.chains)), *map(_word, self.chains)]
        start = 5 * 32
        accounts = [self.owner.rjust(32, b"\0"), self.operator.rjust(32, b"\0")]
        head = [_word(start), self.log_key, *accounts, _word(start + len(b"".join(origin)))]
        return b"".join([*head, *origin, *chains])

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
            "chains": list(self.chains),
        }

    @classmethod
    def from_json(cls, value: object, contracts: Mapping[int, Contract]) -> Self:
        """Return the identity from its JSON form. Raises `InvalidData` naming the member at fault.

        `contracts` has the contract of each known version; any other version raises `registry.version`.
        """
        data = members(value, _MEMBERS, "registry")
        version = data["version"]
        if not isinstance(version, int) or isinstance(version, bool) or version not in contracts:
            raise InvalidData("registry.version", field="registry.version")
        if not isinstance(data["origin"], str):
            raise InvalidData("registry.origin", field="registry.origin")
        chains = data["chains"]
        if not isinstance(chains, list) or any(type(chain) is not int for chain in chains):
            raise InvalidData("registry.chains", field="registry.chains", maximum=MAXIMUM_CHAINS)
        return cls(
            contract=contracts[version],
            salt=from_hex(data["salt"], HASH_SIZE, "registry.salt"),
            origin=data["origin"],
            log_key=from_hex(data["log_key"], HASH_SIZE, "registry.log_key"),
            owner=from_hex(data["owner"], ACCOUNT_SIZE, "registry.owner"),
            operator=from_hex(data["operator"], ACCOUNT_SIZE, "registry.operator"),
            chains=tuple(chains),
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

    def check_in_block(self, number: int, timestamp: int) -> None:
        """Check that the contract can hold this head in the state of the block with this number and Unix time.

        Raises `VerificationError`: `head.previous_size`, `head.block_number`, `head.time`.
        """
        if self.previous_size >= self.size:
            raise VerificationError("head.previous_size", size=self.size, previous_size=self.previous_size)
        if self.block_number > number:
            raise VerificationError("head.block_number", head=self.block_number, block=number)
        if self.time > timestamp:
            raise VerificationError("head.time", head=self.time, block=timestamp)


def head_slot(root: bytes) -> bytes:
    """Return the 32-byte storage key of the head with this root: keccak256(root ‖ uint256 slot)."""
    return keccak256(root + HEADS_SLOT.to_bytes(32, "big"))


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")
