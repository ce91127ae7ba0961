"""Strict reading of JSON: UTF-8, no duplicate member, no fraction, no lone surrogate, bounded in size and depth.

RFC 8259 (§4, §6, §8) leaves these cases open. Two readers that handle them differently would see two different
statements under one digest.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from deedlog.registry.errors import InvalidData

MAXIMUM_INTEGER = 2**53 - 1
"""The largest absolute value of an integer. Beyond it, readers disagree on the value (RFC 8259 §6)."""


MAXIMUM_DEPTH = 64
"""The most levels of nested objects and arrays. Otherwise the interpreter's stack would be the limit."""


_CONTAINERS = (dict, list)


class JsonError(InvalidData):
    """The bytes are not JSON that all readers understand the same way."""


def loads(data: bytes, maximum: int) -> Any:
    """Parse at most `maximum` bytes of UTF-8 JSON.

    Raises `JsonError`: `json.too_large`, `json.not_utf8`, `json.malformed`, `json.member_twice`, `json.integer`,
    `json.fraction`, `json.surrogate` or `json.too_deep`.
    """
    if len(data) > maximum:
        raise JsonError("json.too_large", maximum=maximum, length=len(data))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError("json.not_utf8", position=error.start) from error
    try:
        value = _DECODER.decode(text)
        if text.count("{") + text.count("[") > MAXIMUM_DEPTH:  # with fewer brackets it cannot be too deep
            _check_depth(value)
        if "\\u" in text:
            _refuse_surrogates(value)
    except RecursionError as error:
        raise JsonError("json.too_deep") from error
    except json.JSONDecodeError as error:
        raise JsonError("json.malformed", position=error.pos) from error
    return value


def members(value: object, names: tuple[str, ...], field: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return `value` if it is an object with all members `names`, perhaps some of `optional`, and none of them null.

    Raises `InvalidData`: `json.not_an_object`, `json.member_missing`, `json.member_unknown` or `json.null`.
    """
    if not isinstance(value, dict):
        raise InvalidData("json.not_an_object", field=field)
    for name in names:
        if name not in value:
            raise InvalidData("json.member_missing", field=_join(field, name))
    if len(value) == len(names) and None not in value.values():
        return value
    for name, member in value.items():
        if name not in names and name not in optional:
            raise InvalidData("json.member_unknown", field=_join(field, name[:64]))
        if member is None:
            raise InvalidData("json.null", field=_join(field, name))
    return value


def _join(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                # The check for surrogates comes later, but the answer that shows this name must be valid UTF-8.
                raise JsonError("json.member_twice", field=name[:64].encode("utf-8", "replace").decode())
            seen.add(name)
    return result


def _integer(digits: str) -> int:
    # Every allowed value fits in 16 digits and a sign. Longer ones are refused before the costly conversion.
    if len(digits) > 17 or abs(int(digits)) > MAXIMUM_INTEGER:  # noqa: PLR2004 - see above
        raise JsonError("json.integer")
    return int(digits)


def _fraction(_text: str) -> NoReturn:
    raise JsonError("json.fraction")


def _check_depth(value: Any) -> None:
    # The decoder creates only dicts and lists, never subclasses, so `type` is enough and costs a third of `isinstance`.
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAXIMUM_DEPTH):
        level = [
            member
            for item in level
            for member in (item.values() if type(item) is dict else item)
            if type(member) in _CONTAINERS
        ]
        if not level:
            return
    raise JsonError("json.too_deep")


def _refuse_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise JsonError("json.surrogate") from error


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_fraction
)
