"""The OpenAPI document. FastAPI derives it from the routes; this module adds what FastAPI has no argument for.

The registry's own parser, which is stricter than FastAPI's, reads bodies, so a route names its body's schema with
`takes`. A route lists only the codes of its errors (`refuses`); HTTP statuses and texts follow from the codes. Examples
are made for the registry that shows them (`api.http.examples`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from deedlog.api.http import examples, problems
from deedlog.api.http.schemas import kinds, models
from deedlog.api.http.schemas.kinds import REFERENCE
from deedlog.api.texts import catalogue
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from deedlog.registry.errors import DeedlogError

DESCRIPTION = (
    "A rights registry that you don't have to trust: once a record is anchored, anyone can verify it without us. "
    "Ask for typed data, sign it (EIP-712), post it; fetch the bundle and verify it with the registry switched off. "
    "The examples are signed with a public, worthless key for this very registry and work as they are, except the one "
    "for signing in, which needs a nonce of its own. Errors are RFC 9457 problems with stable codes."
)

TAGS = [
    {
        "name": "statements",
        "description": "Register signed statements, read them, fetch the bundles that prove them.",
    },
    {"name": "drafts", "description": "Statements that several accounts must sign, until all have."},
    {"name": "agreements", "description": "What agreements pay."},
    {"name": "events", "description": "What happened, in order, for programs that keep up with it."},
    {"name": "sessions", "description": "Signing in as an account (EIP-4361), to read what only that account may."},
    {"name": "log", "description": "The log as C2SP tlog-tiles, for any tool that reads such logs."},
    {"name": "registry", "description": "What this registry is, and how it is doing."},
    {"name": "pages", "description": "Pages for people."},
]

API_KEY, SESSION = "api_key", "session"
_SECURITY_SCHEMES = {
    API_KEY: {"type": "http", "scheme": "bearer", "description": "an API key, from the registry's operator"},
    SESSION: {"type": "http", "scheme": "bearer", "description": "the token of a session"},
}

_RETRY_AFTER = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}}
_RATE_LIMIT = {
    "RateLimit": {
        "description": "the quota that is used up, and when it has room",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "how much it allows, in how many seconds",
        "schema": {"type": "string"},
    },
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "how to identify yourself", "schema": {"type": "string"}}},
    429: _RETRY_AFTER | _RATE_LIMIT,
    500: _RETRY_AFTER,
    503: _RETRY_AFTER,
}


class Later(str):
    """The code of an `Unavailable` error: the same request may succeed later."""

    __slots__ = ()


class NotJson(str):
    """The code of a `JsonError`: the body is not valid JSON."""

    __slots__ = ()


BODY = (
    *map(NotJson, ("json.malformed", "json.not_utf8", "json.too_deep")),
    *("http.malformed", "http.too_slow", "http.too_large", "json.member_missing", "json.member_unknown"),
)
"""Codes with which any request with a body may be refused."""

READER = ("api_key.invalid", "sign_in.session", "http.parameter_unknown")
"""Codes with which a request to read may be refused, on routes that identify the caller."""

WRITER = (*READER, "api_key.missing", *map(Later, ("quota.exceeded", "statement.stopping")))
"""Codes with which any request to write may be refused, apart from errors in its body."""

EVERY_ROUTE = ("http.head_too_large", *map(Later, ("http.internal", "database.unavailable")))


def takes(model: Any, example: Callable[[bytes], Any] | None = None) -> dict[str, Any]:
    """Return a route's `openapi_extra` for a JSON body of this model; `example` makes one for a registry's address."""
    media: dict[str, Any] = {"schema": ref(model)}
    if example is not None:
        media["example"] = examples.made_by(example)
    return {"requestBody": {"required": True, "content": {"application/json": media}}}


def identified_by(*schemes: str, required: bool = False) -> dict[str, Any]:
    """Return a route's `openapi_extra` for how callers may, or (`required`) must, identify themselves."""
    anybody: list[dict[str, list[str]]] = [] if required else [{}]
    return {"security": [*anybody, *({scheme: []} for scheme in schemes)]}


def refuses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return a route's `responses` for these error codes, grouped by the statuses that follow from them."""
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(problems.status_for(code, _class_of(code)), []).append(code)
    texts = catalogue("en")
    return {
        status: {
            "description": "\n".join(f"- `{code}`: {texts[code]}" for code in dict.fromkeys(found[status])),
            "content": {problems.MEDIA_TYPE: {"schema": ref(models.Problem)}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in sorted(found)
    }


def _class_of(code: str) -> type[DeedlogError]:
    if isinstance(code, Later):
        return Unavailable
    return JsonError if isinstance(code, NotJson) else InvalidData


def answers(media_type: str, schema: Any) -> dict[str, Any]:
    """Return the response of a route whose answer is not `application/json`."""
    return {"content": {media_type: {"schema": schema if isinstance(schema, dict) else ref(schema)}}}


def ref(model: Any) -> dict[str, str]:
    """Return a reference to a model, or by name to a schema of `kinds`. `describe` adds the schema to the document."""
    return {"$ref": REFERENCE + (model if isinstance(model, str) else model.__name__)}


def describe(app: FastAPI, registry: bytes) -> None:
    """Make an app serve the OpenAPI document of the registry at that address."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            components = document.setdefault("components", {})
            components["securitySchemes"] = _SECURITY_SCHEMES
            components["schemas"] = _schemas(document)
            _drop_frameworks_own(document)
            app.openapi_schema = kinds.with_references(examples.filled(document, registry))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def _schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas that FastAPI found, and those that routes name with `ref`."""
    found: dict[str, Any] = kinds.schemas() | document["components"].get("schemas", {})
    named = sorted({reference.removeprefix(REFERENCE) for reference in _references(document["paths"])} - set(found))
    adapters: list[Any] = [(name, "validation", TypeAdapter(getattr(models, name))) for name in named]
    _, more = TypeAdapter.json_schemas(adapters, ref_template=f"{REFERENCE}{{model}}")
    schemas = {**more.get("$defs", {}), **found}
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            member.pop("title", None)  # the capitalised member name: generators would give two classes the same name
    return dict(sorted(schemas.items()))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _references(each)


def _drop_frameworks_own(document: dict[str, Any]) -> None:
    """Drop the 422 answer that FastAPI adds to routes that declare none: this API answers with a problem instead."""
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            if f"{REFERENCE}HTTPValidationError" in _references(operation["responses"].get("422")):
                del operation["responses"]["422"]
