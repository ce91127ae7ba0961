"""EIP-712: the member types that statements are made of, and the digest of a struct.

A member type knows its name in the type string, its 32 encoded bytes (EIP-712 "Definition of encodeData"), its JSON
form in typed data, and its JSON schema. Everything about a struct follows from its list of members.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

from registry.digest import keccak256
from registry.errors import InvalidData
from registry.hexadecimal import ACCOUNT_SIZE, HASH_SIZE, from_hex, to_hex
from registry.strict_json import members
from registry.text import check_accepted, check_shown

ZERO_ACCOUNT = bytes(ACCOUNT_SIZE)
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)

DOMAIN_NAME = "Deedlog"
DOMAIN_VERSION = "1"
_DOMAIN_TYPE = "EIP712Domain(string name,string version,address verifyingContract)"
_DOMAIN_PREFIX = keccak256(_DOMAIN_TYPE.encode()) + keccak256(DOMAIN_NAME.encode()) + keccak256(DOMAIN_VERSION.encode())


class MemberType(Protocol):
    """What a member of a struct can be."""

    @property
    def name(self) -> str:
        """The type's name in the type string."""

    def encode(self, value: Any) -> bytes:
        """Return the 32 bytes that stand for `value` in encodeData."""

    def check(self, value: Any, field: str) -> Any:
        """Return `value` if a struct may hold it; else raise `InvalidData`."""

    def parse(self, value: object, field: str) -> Any:
        """Return the value of its JSON form, checked; raise `InvalidData` for another form or what `check` refuses."""

    def show(self, value: Any) -> Any:
        """Return the JSON form of a value."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the JSON form."""

    def accept(self, value: Any, field: str) -> None:
        """Raise `InvalidData` for what is readable for ever but not accepted anew."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text for people, 1 to `maximum` code points."""

    maximum: int
    name: str = "string"

    def encode(self, value: str) -> bytes:
        return keccak256(value.encode())

    def check(self, value: object, field: str) -> str:
        if not isinstance(value, str):
            raise InvalidData("json.not_a_string", field=field)
        return check_shown(value, self.maximum, field)

    def parse(self, value: object, field: str) -> str:
        return self.check(value, field)

    def show(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.maximum}

    def accept(self, value: str, field: str) -> None:
        check_accepted(value, field)


@dataclass(frozen=True, slots=True)
class Pattern:
    """ASCII text of a fixed shape, such as a media type."""

    expression: str
    maximum: int
    name: str = "string"

    def encode(self, value: str) -> bytes:
        return _encoded_word(value)

    def check(self, value: object, field: str) -> str:
        if not isinstance(value, str):
            raise InvalidData("json.not_a_string", field=field)
        if len(value) > self.maximum or re.fullmatch(self.expression, value, re.ASCII) is None:
            raise InvalidData("text.pattern", field=field, pattern=self.expression, maximum=self.maximum)
        return value

    def parse(self, value: object, field: str) -> str:
        return self.check(value, field)

    def show(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.expression}$", "maxLength": self.maximum}

    def accept(self, value: str, field: str) -> None:
        pass


@dataclass(frozen=True)
class Word:
    """One lower-case ASCII word of a closed list, so that a wallet shows a word and not a number."""

    words: tuple[str, ...]
    name: str = "string"

    @cached_property
    def _encoded(self) -> dict[str, bytes]:
        return {word: keccak256(word.encode()) for word in self.words}

    def encode(self, value: str) -> bytes:
        return self._encoded[value]

    def check(self, value: object, field: str) -> str:
        if not isinstance(value, str):
            raise InvalidData("json.not_a_string", field=field)
        if value not in self.words:
            raise InvalidData("word.unknown", field=field, words=", ".join(self.words))
        return value

    def parse(self, value: object, field: str) -> str:
        return self.check(value, field)

    def show(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}

    def accept(self, value: str, field: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Bytes32:
    """32 bytes; in JSON lower-case hex."""

    name: str = "bytes32"

    def encode(self, value: bytes) -> bytes:
        return value

    def check(self, value: object, field: str) -> bytes:
        if not isinstance(value, bytes) or len(value) != HASH_SIZE:
            raise InvalidData("hex.length", field=field, expected=HASH_SIZE)
        return value

    def parse(self, value: object, field: str) -> bytes:
        return from_hex(value, HASH_SIZE, field)

    def show(self, value: bytes) -> str:
        return to_hex(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}

    def accept(self, value: bytes, field: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Account:
    """An account, never zero; in JSON lower-case hex."""

    name: str = "address"

    def encode(self, value: bytes) -> bytes:
        return value.rjust(32, b"\0")

    def check(self, value: object, field: str) -> bytes:
        if not isinstance(value, bytes) or len(value) != ACCOUNT_SIZE:
            raise InvalidData("hex.length", field=field, expected=ACCOUNT_SIZE)
        if value == ZERO_ACCOUNT:
            raise InvalidData("account.zero", field=field)
        return value

    def parse(self, value: object, field: str) -> bytes:
        return self.check(from_hex(value, ACCOUNT_SIZE, field), field)

    def show(self, value: bytes) -> str:
        return to_hex(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^0x[0-9a-f]{40}$"}

    def accept(self, value: bytes, field: str) -> None:
        pass


_ACCOUNT = Account()


@dataclass(frozen=True, slots=True)
class Accounts:
    """1 to `maximum` accounts, strictly ascending, so that one set has one form."""

    maximum: int
    name: str = "address[]"

    def encode(self, value: tuple[bytes, ...]) -> bytes:
        return keccak256(b"".join([account.rjust(32, b"\0") for account in value]))

    def check(self, value: object, field: str) -> tuple[bytes, ...]:
        if not isinstance(value, tuple) or not 1 <= len(value) <= self.maximum:
            raise InvalidData("list.length", field=field, minimum=1, maximum=self.maximum)
        for position, account in enumerate(value):
            _ACCOUNT.check(account, f"{field}[{position}]")
            if position and account <= value[position - 1]:
                raise InvalidData("list.not_ascending", field=f"{field}[{position}]")
        return value

    def parse(self, value: object, field: str) -> tuple[bytes, ...]:
        if not isinstance(value, list) or len(value) > self.maximum:
            raise InvalidData("list.length", field=field, minimum=1, maximum=self.maximum)
        accounts = [from_hex(item, ACCOUNT_SIZE, f"{field}[{position}]") for position, item in enumerate(value)]
        return self.check(tuple(accounts), field)

    def show(self, value: tuple[bytes, ...]) -> list[str]:
        return [to_hex(account) for account in value]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": _ACCOUNT.schema(), "minItems": 1, "maxItems": self.maximum}

    def accept(self, value: tuple[bytes, ...], field: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Uint64:
    """An unsigned integer below 2^64; in JSON a decimal string, since JSON numbers lose digits beyond 2^53."""

    minimum: int = 0
    name: str = "uint64"

    def encode(self, value: int) -> bytes:
        return value.to_bytes(32, "big")

    def check(self, value: object, field: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.minimum <= value < 2**64:
            raise InvalidData("integer.range", field=field, minimum=self.minimum, maximum=2**64 - 1)
        return value

    def parse(self, value: object, field: str) -> int:
        if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
            raise InvalidData("integer.not_a_decimal_string", field=field)
        return self.check(int(value), field)

    def show(self, value: int) -> str:
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^(0|[1-9][0-9]{0,19})$"}

    def accept(self, value: int, field: str) -> None:
        pass


class Struct:
    """A struct type: its name and members, in their order; from these follow type string, digest, JSON and schema."""

    def __init__(self, name: str, members: tuple[tuple[str, MemberType], ...]) -> None:
        """Declare the struct `name` with (member name, member type) pairs."""
        self.name = name
        self.members = members
        self.member_names = tuple(member for member, _ in members)
        self.type_string = f"{name}({','.join(f'{kind.name} {member}' for member, kind in members)})"
        self.type_hash = keccak256(self.type_string.encode())
        self.types = {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "verifyingContract", "type": "address"},
            ],
            name: [{"name": member, "type": kind.name} for member, kind in members],
        }

    def hash(self, value: object) -> bytes:
        """Return hashStruct of an object that has the members as attributes."""
        return keccak256(
            self.type_hash + b"".join([kind.encode(getattr(value, member)) for member, kind in self.members])
        )

    def check(self, value: object) -> None:
        """Raise `InvalidData` if a member holds what it may not."""
        for member, kind in self.members:
            kind.check(getattr(value, member), member)

    def accept(self, value: object) -> None:
        """Raise `InvalidData` for text that verifies but is not accepted anew."""
        for member, kind in self.members:
            kind.accept(getattr(value, member), member)

    def parse(self, message: object) -> dict[str, Any]:
        """Return the members' values, checked, of a JSON object that has all of them and nothing else."""
        given = members(message, self.member_names, "")
        return {member: kind.parse(given[member], member) for member, kind in self.members}

    def show(self, value: object) -> dict[str, Any]:
        """Return the JSON form of an object that has the members as attributes."""
        return {member: kind.show(getattr(value, member)) for member, kind in self.members}

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the message."""
        return {
            "title": self.name,
            "type": "object",
            "properties": {member: kind.schema() for member, kind in self.members},
            "required": list(self.member_names),
            "additionalProperties": False,
        }


def domain(registry: bytes) -> dict[str, str]:
    """Return the JSON form of the domain of the registry at that address (20 bytes)."""
    return {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "verifyingContract": to_hex(registry)}


@lru_cache(maxsize=256)
def _encoded_word(value: str) -> bytes:
    """Return the encoding of text that the same few values are given for again and again."""
    return keccak256(value.encode())


@lru_cache(maxsize=16)
def domain_separator(registry: bytes) -> bytes:
    """Return the 32-byte hash of the domain of the registry at that address (20 bytes)."""
    return keccak256(_DOMAIN_PREFIX + registry.rjust(32, b"\0"))


def signing_hash(separator: bytes, struct_hash: bytes) -> bytes:
    """Return the 32 bytes that are signed: keccak256(0x19 0x01 ‖ domain separator ‖ hashStruct)."""
    return keccak256(b"\x19\x01" + separator + struct_hash)
