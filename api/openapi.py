"""What the OpenAPI page says beyond the routes: bodies, and examples that work when pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api import examples
from api.routes_writing import post_batch, post_statement
from api.shapes import HASH_SCHEMA
from registry.service import MAXIMUM_BATCH
from registry.statements import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastapi import FastAPI

DESCRIPTION = (
    "A rights registry that nobody has to trust for what has been anchored. Ask for typed data, sign it (EIP-712), "
    "post it; fetch the bundle and check it with the registry switched off. The examples are signed with a public, "
    "worthless key for this very registry and work as they stand. Errors are RFC 9457 problems with stable codes."
)


def describe(app: FastAPI, registry: bytes) -> None:
    """Complete the OpenAPI document of an app for the registry at that address."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            work = examples.example_work()
            sent = examples.submission(work, registry, examples.EXAMPLE_KEY)
            paths = document["paths"]
            paths["/v1/statements"]["post"] = _operation(post_statement, 201, {}, _PARAMETERS)
            paths["/v1/statements:batch"] = {"post": _operation(post_batch, 200, _ANY_OBJECT)}
            _body(paths["/v1/statements"]["post"], _submission_schema(), sent)
            _body(paths["/v1/statements:batch"]["post"], _batch_schema(), {"statements": [sent]})
            typed = paths["/v1/typed-data/{kind}"]["post"]
            _body(typed, {"oneOf": [_fields_schema(kind) for kind in KINDS]}, examples.fields(work))
            for parameter in typed["parameters"]:
                if parameter["name"] == "kind":
                    parameter["schema"] = {"type": "string", "enum": sorted(KINDS)}
                    parameter["example"] = "Work"
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def _parameter(name: str, place: str, description: str, **schema: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": False,
        "schema": {
            "anyOf": [{"type": "string", **schema}, {"type": "null"}],
            "description": description,
            "title": name.title(),
        },
        "description": description,
    }


_PARAMETERS = [
    _parameter("wait", "query", "`logged`: answer with the tlog-proof", pattern="^logged$"),
    _parameter("idempotency-key", "header", "makes a rerun of this request harmless"),
]
_ANY_OBJECT = {
    "additionalProperties": True,
    "type": "object",
    "title": "Response Post Batch V1 Statements Batch Post",
}


def _operation(
    endpoint: Callable[..., object],
    status: int,
    schema: dict[str, Any],
    parameters: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return what FastAPI would say of one of the routes that do not go through it."""
    name = endpoint.__name__
    path = {"post_statement": "statements", "post_batch": "statements_batch"}[name]
    operation: dict[str, Any] = {
        "tags": ["statements"],
        "summary": name.replace("_", " ").title(),
        "description": endpoint.__doc__,
        "operationId": f"{name}_v1_{path}_post",
        "responses": {
            str(status): {"description": "Successful Response", "content": {"application/json": {"schema": schema}}}
        },
    }
    if parameters:
        operation["parameters"] = list(parameters)
        operation["responses"]["422"] = {
            "description": "Validation Error",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}},
        }
    return operation


def _body(operation: dict[str, Any], schema: dict[str, Any], example: dict[str, Any]) -> None:
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _fields_schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = KINDS[kind].STRUCT.schema()
    schema["required"] = [name for name in schema["required"] if name != "salt"]
    return schema


def _submission_schema() -> dict[str, Any]:
    typed = [
        {
            "type": "object",
            "properties": {
                "types": {"const": kind.STRUCT.types},
                "primaryType": {"const": name},
                "domain": {"type": "object"},
                "message": kind.STRUCT.schema(),
            },
            "required": ["types", "primaryType", "domain", "message"],
            "additionalProperties": False,
        }
        for name, kind in KINDS.items()
    ]
    signature = {
        "type": "object",
        "properties": {
            "account": {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
            "scheme": {"const": "secp256k1"},
            "signature": {"type": "string", "pattern": "^0x[0-9a-f]{130}$"},
        },
        "required": ["account", "signature"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "typed_data": {"oneOf": typed},
            "signatures": {"type": "array", "items": signature, "minItems": 1},
            "reference": {"type": "string", "minLength": 1, "maxLength": 200, "description": "needs an API key"},
        },
        "required": ["typed_data", "signatures"],
        "additionalProperties": False,
        "description": f"The statement's name is its digest, {HASH_SCHEMA['pattern']}.",
    }


def _batch_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "statements": {
                "type": "array",
                "items": _submission_schema(),
                "minItems": 1,
                "maxItems": MAXIMUM_BATCH,
            }
        },
        "required": ["statements"],
        "additionalProperties": False,
    }
