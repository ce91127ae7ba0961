"""EIP-712 structs: type string, digest, JSON and schema, all derived from a struct's list of members.

The types of members are in `registry.statements.member_types`. Each provides its name in the type string, its 32 bytes
(EIP-712 "Definition of encodeData"), its JSON form in typed data, and its JSON schema. The type of a list of structs,
`Lines`, is in this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, from_hex, to_hex
from deedlog.registry.keccak import keccak256
from deedlog.registry.statements.member_types import Reading
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN_NAME = "Deedlog"
DOMAIN_VERSION = "1"
_DOMAIN_TYPE = "EIP712Domain(string name,string version,address verifyingContract)"
_DOMAIN_PREFIX = keccak256(_DOMAIN_TYPE.encode()) + keccak256(DOMAIN_NAME.encode()) + keccak256(DOMAIN_VERSION.encode())


class MemberType(Protocol):
    """The type of a member of a struct."""

    @property
    def name(self) -> str:
        """The type's name in the type string."""

    def encode(self, value: Any) -> bytes:
        """Return the 32 bytes that encode `value` in encodeData."""

    def check(self, value: Any, field: str) -> Any:
        """Return `value` if a struct may hold it. Raises `InvalidData` otherwise."""

    def parse(self, value: object, field: str) -> Any:
        """Return the checked value for its JSON form. Raises `InvalidData` for another form or if `check` fails."""

    def show(self, value: Any) -> Any:
        """Return the JSON form of a value."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the JSON form."""

    def accept(self, value: Any, field: str) -> None:
        """Raise `InvalidData` for a value that verifies in existing statements but is not accepted in new ones."""


class Struct:
    """A struct type. Type string, digest, JSON and schema follow from its name and its members, in order.

    Each member is an attribute of the same name; if that is a Python keyword, the attribute has a trailing underscore
    (`from_`). A struct in a list of lines has no lines itself.
    """

    def __init__(self, name: str, members: tuple[tuple[str, MemberType], ...]) -> None:
        """Declare the struct `name` with (attribute, member type) pairs."""
        self.name = name
        self.members = tuple((attribute, attribute.rstrip("_"), kind) for attribute, kind in members)
        self.member_names = tuple(member for _, member, _ in self.members)
        self.lines = next((attribute for attribute, _, kind in self.members if isinstance(kind, Lines)), None)
        """The attribute that holds the lines, or None if the struct has no lines."""
        nested = {kind.item.STRUCT.name: kind.item.STRUCT for _, kind in members if isinstance(kind, Lines)}
        own = f"{name}({','.join(f'{kind.name} {member}' for _, member, kind in self.members)})"
        self.type_string: str = own + "".join(nested[inner].type_string for inner in sorted(nested))
        self.type_hash = keccak256(self.type_string.encode())
        self.types: dict[str, list[dict[str, str]]] = {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "verifyingContract", "type": "address"},
            ],
            name: [{"name": member, "type": kind.name} for _, member, kind in self.members],
            **{inner: struct.types[inner] for inner, struct in nested.items()},
        }

    def hash(self, value: object) -> bytes:
        """Return hashStruct (32 bytes) of an object that has the members as attributes."""
        return keccak256(
            self.type_hash + b"".join([kind.encode(getattr(value, attribute)) for attribute, _, kind in self.members])
        )

    def check(self, value: object) -> None:
        """Raise `InvalidData` if a member has a value that its type does not allow."""
        for attribute, member, kind in self.members:
            kind.check(getattr(value, attribute), member)

    def accept(self, value: object, field: str = "") -> None:
        """Raise `InvalidData` for a value that verifies in existing statements but is not accepted in new ones."""
        for attribute, member, kind in self.members:
            kind.accept(getattr(value, attribute), f"{field}.{member}" if field else member)

    def parse(self, message: object, field: str = "") -> dict[str, Any]:
        """Return the checked values of a JSON message, by attribute.

        Raises `InvalidData` if the message is not an object with exactly the members, or a value is not allowed.
        """
        given = members(message, self.member_names, field)
        before = f"{field}." if field else ""
        return {
            attribute: kind.parse(given[member], before + member if before else member)
            for attribute, member, kind in self.members
        }

    def show(self, value: object) -> dict[str, Any]:
        """Return the JSON form of an object that has the members as attributes."""
        return {member: kind.show(getattr(value, attribute)) for attribute, member, kind in self.members}

    def salted(self, message: object, salt: Callable[[], str]) -> object:
        """Return the message with a salt added where one is missing: at the top and in each line.

        `salt` returns a new salt as hex at each call.
        """
        if not isinstance(message, dict):
            return message
        given = {"salt": salt(), **message}
        for _, member, kind in self.members:
            if isinstance(kind, Lines) and isinstance(given.get(member), list):
                given[member] = [kind.item.STRUCT.salted(line, salt) for line in given[member]]
        return given

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the message."""
        return {
            "title": self.name,
            "type": "object",
            "properties": {member: kind.schema() for _, member, kind in self.members},
            "required": list(self.member_names),
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class StructValue:
    """A value of a struct type. Its members are attributes, named as they are signed; the last is always `salt`."""

    STRUCT: ClassVar[Struct]
    READINGS: ClassVar[dict[str, Reading]]
    """How people read a member, by member name, if its type does not say so."""

    def __post_init__(self) -> None:
        """Raise `InvalidData` if a member's value is not allowed or the members contradict each other."""
        self.STRUCT.check(self)
        self.check_whole()

    def check_whole(self) -> None:
        """Raise `InvalidData` if the members, each valid on its own, contradict each other."""

    def message(self) -> dict[str, Any]:
        """Return the members in their JSON form."""
        return self.STRUCT.show(self)

    def summary(self) -> str:
        """Return all members except the salt as one line of text for people."""
        return " ".join(str(value) for name, value in self.message().items() if name != "salt")

    @classmethod
    def from_message(cls, message: object, field: str = "") -> Self:
        """Return the value for its JSON form. Raises `InvalidData`, which names the member at fault."""
        # Equivalent to `cls(**…)`, which would check each member again and set each by a separate call. That would cost
        # a tenth of checking a statement.
        value = object.__new__(cls)
        value.__dict__.update(cls.STRUCT.parse(message, field))
        value.check_whole()
        return value


@dataclass(frozen=True)
class Lines:
    """A list of `minimum` to `maximum` structs of one type. A line can be hidden: its struct hash then replaces it.

    Hiding lines does not change the digest, so the signatures still hold if only one line is shown. The salt in each
    struct keeps anybody from guessing a hidden one.
    """

    item: type[StructValue]
    maximum: int
    minimum: int = 1

    @property
    def name(self) -> str:
        """The type's name in the type string."""
        return f"{self.item.STRUCT.name}[]"

    def encode(self, value: tuple[StructValue | bytes, ...]) -> bytes:
        """Return the hash of the lines' struct hashes."""
        return keccak256(b"".join([line_hash(line) for line in value]))

    def check(self, value: object, field: str) -> tuple[StructValue | bytes, ...]:
        """Return the lines if each is a struct of the type or the 32-byte hash of a hidden one.

        Raises `InvalidData` (`list.length`, `line.malformed`).
        """
        if not isinstance(value, tuple) or not self.minimum <= len(value) <= self.maximum:
            raise self._length(field)
        for position, line in enumerate(value):
            if not isinstance(line, self.item) and not (isinstance(line, bytes) and len(line) == HASH_SIZE):
                raise InvalidData("line.malformed", field=f"{field}[{position}]", kind=self.item.STRUCT.name)
        return value

    def parse(self, value: object, field: str) -> tuple[StructValue | bytes, ...]:
        """Return the lines for a JSON list of objects, with a hex string for each hidden line. Raises `InvalidData`."""
        if not isinstance(value, list) or not self.minimum <= len(value) <= self.maximum:
            raise self._length(field)
        lines: list[StructValue | bytes] = []
        for position, line in enumerate(value):
            at = f"{field}[{position}]"
            if isinstance(line, str):
                lines.append(from_hex(line, HASH_SIZE, at))
            else:
                lines.append(self.item.from_message(line, at))
        return tuple(lines)

    def show(self, value: tuple[StructValue | bytes, ...]) -> list[Any]:
        """Return the lines as JSON objects, hidden ones as hex."""
        return [to_hex(line) if isinstance(line, bytes) else line.message() for line in value]

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a list without hidden lines, as a statement must be sent to be accepted."""
        lines = {"minItems": self.minimum, "maxItems": self.maximum}
        return {"type": "array", "items": self.item.STRUCT.schema(), **lines}

    def accept(self, value: tuple[StructValue | bytes, ...], field: str) -> None:
        """Raise `InvalidData` (`line.hidden`) if a line is hidden: signers and registry must see all of a statement."""
        for position, line in enumerate(value):
            at = f"{field}[{position}]"
            if isinstance(line, bytes):
                raise InvalidData("line.hidden", field=at)
            line.STRUCT.accept(line, at)

    def _length(self, field: str) -> InvalidData:
        return InvalidData("list.length", field=field, minimum=self.minimum, maximum=self.maximum)


def line_hash(line: StructValue | bytes) -> bytes:
    """Return the struct hash of a line, hidden or not."""
    return line if isinstance(line, bytes) else line.STRUCT.hash(line)


def domain(registry: bytes) -> dict[str, str]:
    """Return the JSON form of the EIP-712 domain of the registry at this address (20 bytes)."""
    return {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "verifyingContract": to_hex(registry)}


@lru_cache(maxsize=16)
def domain_separator(registry: bytes) -> bytes:
    """Return the domain separator (32 bytes) of the registry at this address (20 bytes)."""
    return keccak256(_DOMAIN_PREFIX + registry.rjust(32, b"\0"))


def signing_hash(separator: bytes, struct_hash: bytes) -> bytes:
    """Return the 32 bytes that are signed: keccak256(0x19 0x01 ‖ domain separator ‖ hashStruct)."""
    return keccak256(b"\x19\x01" + separator + struct_hash)
