"""The schemas of the kinds of statement, derived from their declarations when the document is made.

Each kind has three: its message (`Work`), its typed data (`WorkTypedData`), and the message before its salts are added
(`WorkFields`). The declarations themselves parse requests and format answers.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

from deedlog.registry.statements import KINDS
from deedlog.registry.statements.eip712 import DOMAIN_NAME, DOMAIN_VERSION

REFERENCE = "#/components/schemas/"
NAMED = "x-named"
"""Placeholder for a reference to a schema that exists only once the document is made."""

TypedData = Annotated[dict[str, Any], WithJsonSchema({NAMED: "TypedData"})]
"""Typed data of a statement, as wallets sign it."""

Kind = Annotated[str, WithJsonSchema({NAMED: "Kind"})]

_FIELDS = "Fields"
_SALT = "salt"


def schemas() -> dict[str, Any]:
    """Return the schemas of all kinds by name, with those that they share."""
    found: dict[str, Any] = {
        "Kind": {"type": "string", "enum": sorted(KINDS), "description": "A kind of statement."},
        "TypedDataMember": _object("A member of an EIP-712 type.", name={"type": "string"}, type={"type": "string"}),
        "TypedDataDomain": _object(
            "The EIP-712 domain of a registry: `verifyingContract` is its address.",
            name={"const": DOMAIN_NAME, "type": "string"},
            version={"const": DOMAIN_VERSION, "type": "string"},
            verifyingContract={"type": "string", "pattern": "^0x[0-9a-f]{40}$"},
        ),
    }
    for kind, declared in KINDS.items():
        _add_message(found, declared.STRUCT.schema(), "")
        _add_message(found, declared.STRUCT.schema(), _FIELDS)
        members = {"type": "array", "items": _ref("TypedDataMember")}
        found[f"{kind}TypedData"] = _object(
            f"Typed data of a statement of the kind {kind}, as wallets sign it.",
            types={"type": "object", "additionalProperties": members},
            primaryType={"const": kind, "type": "string"},
            domain=_ref("TypedDataDomain"),
            message=_ref(kind),
        )
    typed = {kind: _ref(f"{kind}TypedData") for kind in KINDS}
    mapping = {kind: reference["$ref"] for kind, reference in typed.items()}
    found["TypedData"] = {
        "oneOf": list(typed.values()),
        "discriminator": {"propertyName": "primaryType", "mapping": mapping},
    }
    found[_FIELDS] = {"anyOf": [_ref(kind + _FIELDS) for kind in KINDS]}
    return found


def with_references(part: Any) -> Any:
    """Return a part of the document with each `NAMED` placeholder replaced by a reference."""
    if isinstance(part, dict):
        if NAMED in part:
            return _ref(part[NAMED])
        return {name: with_references(value) for name, value in part.items()}
    return [with_references(value) for value in part] if isinstance(part, list) else part


def _add_message(found: dict[str, Any], schema: dict[str, Any], suffix: str) -> None:
    """Add the schema of a struct and of its lines. With the suffix `Fields`, salts are optional."""
    name = schema["title"] + suffix
    if name in found:
        return
    left_out = (_SALT,) if suffix else ()
    properties = {}
    for member, described in schema["properties"].items():
        items = described.get("items", {})
        properties[member] = described
        if "title" in items:
            _add_message(found, items, suffix)
            properties[member] = described | {"items": _ref(items["title"] + suffix)}
    required = [member for member in schema["required"] if member not in left_out]
    found[name] = {**schema, "title": name, "properties": properties, "required": required}


def _object(description: str, **members: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REFERENCE + name}
