"""The schemas of the kinds of statement, made from their declarations: a kind is described nowhere else.

Each kind has three: its message (`Work`), its typed data (`WorkTypedData`), and the message before its salts are added
(`WorkFields`). They describe, and never validate: requests are read by the declarations themselves, and answers are
written by them.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema, WrapValidator, create_model
from typing_extensions import TypeAliasType

from deedlog.registry.statements import KINDS

_SALT = "salt"
_STRICT = ConfigDict(extra="forbid")


def optional() -> Any:
    """Return the field of a member that may be left out. A default would say what the registry takes for it."""
    return Field(default_factory=str)


class TypedDataMember(BaseModel):
    """A member of an EIP-712 type."""

    model_config = _STRICT

    name: str
    type: str


class TypedDataDomain(BaseModel):
    """The EIP-712 domain of a registry: `verifyingContract` is its address."""

    model_config = _STRICT

    name: Literal["Deedlog"]
    version: Literal["1"]
    verifying_contract: Annotated[str, WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-f]{40}$"})] = Field(
        alias="verifyingContract"
    )


def _message(schema: dict[str, Any], suffix: str, made: dict[str, type[BaseModel]]) -> type[BaseModel]:
    """Return the model of a struct's schema; with the suffix `Fields` its salts may be left out."""
    name = schema["title"] + suffix
    if name not in made:
        members: dict[str, Any] = {
            member: (
                _member(described, suffix, made),
                optional() if suffix and member == _SALT else ...,
            )
            for member, described in schema["properties"].items()
        }
        made[name] = create_model(name, __config__=_STRICT, **members)
    return made[name]


def _member(schema: dict[str, Any], suffix: str, made: dict[str, type[BaseModel]]) -> Any:
    items = schema.get("items", {})
    if "title" not in items:
        return Annotated[Any, WithJsonSchema(schema)]
    lines: Any = GenericAlias(list, (_message(items, suffix, made),))
    return Annotated[lines, Field(min_length=schema["minItems"], max_length=schema["maxItems"])]


def _typed_data(kind: str, message: type[BaseModel]) -> type[BaseModel]:
    members: dict[str, Any] = {
        "types": (dict[str, list[TypedDataMember]], ...),
        "primaryType": (Literal[kind], ...),
        "domain": (TypedDataDomain, ...),
        "message": (message, ...),
    }
    return create_model(f"{kind}TypedData", __config__=_STRICT, **members)


if TYPE_CHECKING:
    TypedData = dict[str, Any]
    Fields = dict[str, Any]
    ShownTypedData = dict[str, Any]
else:  # made of as many models as there are kinds, which a type checker cannot follow
    _models: dict[str, type[BaseModel]] = {}
    _messages = {
        suffix: {kind: _message(KINDS[kind].STRUCT.schema(), suffix, _models) for kind in KINDS}
        for suffix in ("", "Fields")
    }
    _typed_data_of_kinds = tuple(_typed_data(kind, message) for kind, message in _messages[""].items())

    TypedData = TypeAliasType(
        "TypedData", Annotated[reduce(or_, _typed_data_of_kinds), Field(discriminator="primaryType")]
    )
    """Typed data of a statement of any kind, as wallets sign it."""

    Fields = TypeAliasType("Fields", reduce(or_, _messages["Fields"].values()))
    """The message of a statement of any kind, perhaps without its salts."""

    ShownTypedData = Annotated[
        TypedData, WrapValidator(lambda value, _handler: value), PlainSerializer(lambda value: value)
    ]
    """Typed data in an answer: made from a statement, and passed on as it is."""
