"""The types of a statement's members: text, words, hashes, accounts, integers, and lists of hashes or accounts.

Each implements `registry.statements.eip712.MemberType`: its EIP-712 encoding, its JSON form and its allowed values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache
from typing import Any

from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, HASH_SIZE, ZERO_ACCOUNT, from_hex, to_hex
from deedlog.registry.keccak import keccak256
from deedlog.registry.text import check_accepted, check_shown

_DECIMALS = {
    "uint64": re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII),
    "int256": re.compile(r"0|-?[1-9][0-9]{0,76}", re.ASCII),
}
"""The canonical decimal form of each integer type. Its length is bounded because converting long digits is costly."""


class Reading(Enum):
    """How people read a member if its type alone does not say so. Written beside the type in an annotation."""

    TIME = auto()
    """A Unix time."""

    CLAIMED_TIME = auto()
    """A Unix time at which, on the signer's word, something happened; 0 means that they do not say."""

    TIME_OR_NEVER = auto()
    """A Unix time; 0 means never."""

    HASH_OR_NONE = auto()
    """A hash; 32 zero bytes mean none."""


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
    """A lower-case ASCII word from a closed list. With words instead of numbers, wallets show something readable."""

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
    """32 bytes. In JSON: lower-case hex with 0x."""

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
    """An account (20 bytes), never zero. In JSON: lower-case hex with 0x."""

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


_HASH = Bytes32()


@dataclass(frozen=True, slots=True)
class Ascending:
    """A set of `minimum` to `maximum` items of one type, strictly ascending, so that each set has one form."""

    item: Bytes32 | Account
    maximum: int
    minimum: int = 1

    @property
    def name(self) -> str:
        return f"{self.item.name}[]"

    def encode(self, value: tuple[bytes, ...]) -> bytes:
        return keccak256(b"".join([item.rjust(32, b"\0") for item in value]))

    def check(self, value: object, field: str) -> tuple[bytes, ...]:
        if not isinstance(value, tuple) or not self.minimum <= len(value) <= self.maximum:
            raise self._length(field)
        for position, item in enumerate(value):
            self.item.check(item, f"{field}[{position}]")
            if position and item <= value[position - 1]:
                raise InvalidData("list.not_ascending", field=f"{field}[{position}]")
        return value

    def parse(self, value: object, field: str) -> tuple[bytes, ...]:
        if not isinstance(value, list) or len(value) > self.maximum:
            raise self._length(field)
        size = ACCOUNT_SIZE if isinstance(self.item, Account) else HASH_SIZE
        items = [from_hex(item, size, f"{field}[{position}]") for position, item in enumerate(value)]
        return self.check(tuple(items), field)

    def show(self, value: tuple[bytes, ...]) -> list[str]:
        return [to_hex(item) for item in value]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(), "minItems": self.minimum, "maxItems": self.maximum}

    def accept(self, value: tuple[bytes, ...], field: str) -> None:
        pass

    def _length(self, field: str) -> InvalidData:
        return InvalidData("list.length", field=field, minimum=self.minimum, maximum=self.maximum)


def accounts(maximum: int, minimum: int = 1) -> Ascending:
    """Return the type of a set of `minimum` to `maximum` accounts."""
    return Ascending(_ACCOUNT, maximum, minimum)


def hashes(maximum: int) -> Ascending:
    """Return the type of a set of 1 to `maximum` 32-byte values."""
    return Ascending(_HASH, maximum)


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer. In JSON: a decimal string, because many readers lose the digits of JSON numbers above 2^53."""

    name: str
    minimum: int
    maximum: int

    def encode(self, value: int) -> bytes:
        return value.to_bytes(32, "big", signed=True)  # two's complement; positive values are always below 2^255

    def check(self, value: object, field: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            raise InvalidData("integer.range", field=field, minimum=self.minimum, maximum=self.maximum)
        return value

    def parse(self, value: object, field: str) -> int:
        if not isinstance(value, str) or _DECIMALS[self.name].fullmatch(value) is None:
            raise InvalidData("integer.not_a_decimal_string", field=field)
        return self.check(int(value), field)

    def show(self, value: int) -> Any:
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^({_DECIMALS[self.name].pattern})$"}

    def accept(self, value: int, field: str) -> None:
        pass


class Number(Integer):
    """An integer that fits in 32 bits. In JSON: a number, because every reader handles one of this size."""

    def parse(self, value: object, field: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidData("integer.not_a_number", field=field)
        return self.check(value, field)

    def show(self, value: int) -> int:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


def uint64(minimum: int = 0) -> Integer:
    """Return the type of an unsigned integer from `minimum` to 2^64 - 1."""
    return Integer("uint64", minimum, 2**64 - 1)


def uint32(minimum: int, maximum: int) -> Number:
    """Return the type of an unsigned 32-bit integer from `minimum` to `maximum`."""
    return Number("uint32", minimum, maximum)


def int256() -> Integer:
    """Return the type of a signed 256-bit integer."""
    return Integer("int256", -(2**255), 2**255 - 1)


@lru_cache(maxsize=256)
def _encoded_word(value: str) -> bytes:
    """Return the encoding of a text. Cached, because a `Pattern` member has the same few values over and over."""
    return keccak256(value.encode())
