"""What the OpenAPI page says beyond the routes: bodies, problems, and examples that work when pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedlog.anchor.verify.bundle import MEDIA_TYPE as BUNDLE_MEDIA_TYPE
from deedlog.api.http import examples, problems
from deedlog.api.http.schemas import HASH_SCHEMA, MAXIMUM_SIGNATURES
from deedlog.registry.acceptance.drafts import STATES
from deedlog.registry.acceptance.submission import MAXIMUM_BATCH, MAXIMUM_REFERENCE
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.sign_in import MAXIMUM_MESSAGE
from deedlog.registry.statements import KINDS, eip712
from deedlog.registry.statements.signatures import account_of_private_key

if TYPE_CHECKING:
    from fastapi import FastAPI

DESCRIPTION = (
    "A rights registry that nobody has to trust for what has been anchored. Ask for typed data, sign it (EIP-712), "
    "post it; fetch the bundle and check it with the registry switched off. The examples are signed with a public, "
    "worthless key for this very registry and work as they stand (but for a sign-in: each needs a nonce of its own). "
    "Errors are RFC 9457 problems with stable codes."
)


_ACCOUNT = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$", "description": "in mixed case: EIP-55"}
_SIGNATURE = {"type": "string", "pattern": "^0x[0-9a-f]{130}$"}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "digest": HASH_SCHEMA,
    "content_hash": HASH_SCHEMA,
    "work": HASH_SCHEMA,
    "account": _ACCOUNT,
    "cursor": {"type": "string", "pattern": "^[0-9]{1,18}$"},
    "after": {"type": "string", "pattern": r"^[0-9]{1,18}\.[0-9]{1,18}$"},
    "path": {"type": "string", "pattern": r"^(entries|[0-9]{1,2})/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]{1,3})?$"},
    "wait": {"type": "string", "enum": ["logged"]},
    "idempotency-key": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAXIMUM_REFERENCE,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}
"""What each parameter may be, by its name; the routes name the code that refuses anything else."""

_PARAMETERS_OF = {
    "/v1/drafts": {"state": {"type": "string", "enum": list(STATES)}},
}
"""What else than that a parameter may be on one path."""

_REFUSALS_OF_SIGNING_IN = (400, 408, 413, 422, 429)
_REFUSALS = {
    "/v1/typed-data/{kind}": (400, 408, 413, 422),
    "/v1/statements:batch": (400, 401, 403, 408, 413, 422, 429),
    "/v1/sessions/nonce": _REFUSALS_OF_SIGNING_IN,
    "/v1/statements/{digest}": (401, 404, 422),
    "/v1/statements/{digest}/bundle": (401, 403, 404, 409, 410, 422),
    "/v1/drafts/{digest}": (401, 404, 422),
    "/v1/drafts/{digest}/signatures": (400, 401, 403, 404, 408, 409, 413, 422, 429),
    "/v1/drafts/{digest}/decline": (401, 404, 422),
    "/v1/agreements/{digest}/payouts": (401, 403, 404, 409, 422),
    "/log/tile/{path}": (404,),
}
_REFUSALS_OF_WRITING = (400, 401, 403, 408, 409, 413, 422, 429)
_REFUSALS_OF_READING = (401, 422)
_ALWAYS = (431, 500, 503)
"""A head too large; our fault; not now."""

_NOBODY: dict[str, list[str]] = {}
_API_KEY: dict[str, list[str]] = {"api_key": []}
_SESSION: dict[str, list[str]] = {"session": []}
_SECURITY = {
    ("delete", "/v1/sessions"): (_SESSION,),
    # Not demanded before anything else: the answer to none is 403, and says which scope is needed.
    ("post", "/v1/statements"): (_NOBODY, _API_KEY),
    ("post", "/v1/statements:batch"): (_NOBODY, _API_KEY),
    ("get", "/v1/statements"): (_NOBODY, _API_KEY, _SESSION),
    ("get", "/v1/statements/{digest}"): (_NOBODY, _API_KEY, _SESSION),
    ("get", "/v1/statements/{digest}/bundle"): (_NOBODY, _API_KEY, _SESSION),
    ("post", "/v1/drafts"): (_NOBODY, _API_KEY),
    ("post", "/v1/drafts/{digest}/signatures"): (_NOBODY, _API_KEY),
    ("get", "/v1/drafts"): (_SESSION,),
    ("get", "/v1/drafts/{digest}"): (_SESSION,),
    ("post", "/v1/drafts/{digest}/decline"): (_SESSION,),
    ("get", "/v1/agreements/{digest}/payouts"): (_NOBODY, _API_KEY, _SESSION),
    ("get", "/v1/events"): (_NOBODY, _SESSION),
}
"""Who may ask, where it matters: one of these."""

_BINARY = {"type": "string", "format": "binary"}
_KEPT_BEFORE = {
    "/v1/statements": "It, or a repeat of it, was kept before",
    "/v1/drafts": "It, or a repeat of it, was kept before; or its signatures were",
    "/v1/drafts/{digest}/signatures": "These signatures were kept before",
}
"""What 200 says where 201 says that something is new."""

_FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/statements/{digest}/bundle": (BUNDLE_MEDIA_TYPE, {"type": "object", "required": ["about", "version"]}),
    "/log/checkpoint": ("text/plain", {"type": "string"}),
    "/log/tile/{path}": ("application/octet-stream", _BINARY),
}
"""What has a media type of its own, with its schema."""

_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `detail` says what to do, in the language of `Accept-Language`.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "pattern": f"^{problems.TYPE_PREFIX}"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "pattern": "^[a-z0-9_]+(\\.[a-z0-9_]+)+$"},
        "field": {"type": ["string", "null"], "description": "the member, parameter or header at fault"},
        "params": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
    },
    "required": ["type", "title", "status", "detail", "code", "field", "params"],
}


def describe(app: FastAPI, registry: bytes) -> None:
    """Complete the OpenAPI document of an app for the registry at that address."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            work = examples.example_work()
            sent = examples.submission(work, registry, examples.EXAMPLE_KEY)
            paths = document["paths"]
            submission = _submission_schema(registry)
            _body(paths["/v1/statements"]["post"], submission, sent)
            _body(paths["/v1/statements:batch"]["post"], _batch_schema(submission), {"statements": [sent]})
            typed = paths["/v1/typed-data/{kind}"]["post"]
            _body(typed, {"anyOf": [_fields_schema(kind) for kind in KINDS]}, examples.fields(work))
            account = to_checksum(account_of_private_key(examples.EXAMPLE_KEY))
            _body(paths["/v1/sessions/nonce"]["post"], _object(account=_ACCOUNT), {"account": account})
            _body(
                paths["/v1/sessions"]["post"],
                _object(message={"type": "string", "maxLength": MAXIMUM_MESSAGE}, signature=_SIGNATURE),
                examples.signed_in(),
            )
            _drafts(paths, submission, registry)
            for path, operations in paths.items():
                for method, operation in operations.items():
                    _parameters(path, operation)
                    _answers(path, method, operation)
            document.setdefault("components", {})["securitySchemes"] = {
                "api_key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "http", "scheme": "bearer"},
            }
            for (method, path), security in _SECURITY.items():
                paths[path][method]["security"] = list(security)
            next(item for item in typed["parameters"] if item["name"] == "kind")["example"] = "Work"
            schemas = document["components"].setdefault("schemas", {})
            schemas["Problem"] = _PROBLEM
            for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own; here they are problems
                schemas.pop(name, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def _body(operation: dict[str, Any], schema: dict[str, Any], example: dict[str, Any]) -> None:
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _drafts(paths: dict[str, Any], submission: dict[str, Any], registry: bytes) -> None:
    """Describe signing drafts: the first example proposes one, the second completes it."""
    draft = examples.example_draft()
    _body(paths["/v1/drafts"]["post"], submission, examples.submission(draft, registry, examples.EXAMPLE_KEY))
    signing = paths["/v1/drafts/{digest}/signatures"]["post"]
    sent = examples.submission(draft, registry, examples.SECOND_KEY)
    _body(signing, _object(signatures=submission["properties"]["signatures"]), {"signatures": sent["signatures"]})
    digest = next(item for item in signing["parameters"] if item["name"] == "digest")
    digest["example"] = to_hex(draft.digest(eip712.domain_separator(registry)))


def _parameters(path: str, operation: dict[str, Any]) -> None:
    kinds = {"type": "string", "enum": sorted(KINDS)}
    for parameter in operation.get("parameters", ()):
        known = ({"kind": kinds} | _PARAMETERS | _PARAMETERS_OF.get(path, {})).get(parameter["name"].lower())
        if known is not None:
            parameter["schema"] = known


def _answers(path: str, method: str, operation: dict[str, Any]) -> None:
    """Name each status that the operation answers with, and what is in it."""
    answers = operation["responses"]
    answers.pop("422", None)
    if path in _FILES:
        media_type, schema = _FILES[path]
        answers["200"]["content"] = {media_type: {"schema": schema}}
    if path in _KEPT_BEFORE and method == "post":
        answers["200"] = {**answers["201"], "description": _KEPT_BEFORE[path]}
    general: tuple[int, ...] = _REFUSALS_OF_WRITING if method == "post" else _REFUSALS_OF_READING
    if (method, path) == ("post", "/v1/sessions"):
        general = _REFUSALS_OF_SIGNING_IN
    for status in (*_REFUSALS.get(path, general if path.startswith("/v1/") else ()), *_ALWAYS):
        answers[str(status)] = {
            "description": "A problem",
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }


def _fields_schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = KINDS[kind].STRUCT.schema()
    schema["required"] = [name for name in schema["required"] if name != "salt"]
    return schema


def _submission_schema(registry: bytes) -> dict[str, Any]:
    typed = [
        {
            "type": "object",
            "properties": {
                "types": {"const": kind.STRUCT.types},
                "primaryType": {"const": name},
                "domain": {"const": eip712.domain(registry)},
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
            "account": _ACCOUNT,
            "scheme": {"const": "secp256k1"},
            "signature": _SIGNATURE,
        },
        "required": ["account", "signature"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "typed_data": {"oneOf": typed},
            "signatures": {
                "type": "array",
                "items": signature,
                "minItems": 1,
                "maxItems": MAXIMUM_SIGNATURES,
            },
            "reference": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAXIMUM_REFERENCE,
                "description": "needs an API key",
            },
            "public_from": {
                "type": "string",
                "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
                "description": "before then only those whom it concerns may read the body",
            },
        },
        "required": ["typed_data", "signatures"],
        "additionalProperties": False,
        "description": f"The statement's name is its digest, {HASH_SCHEMA['pattern']}.",
    }


def _batch_schema(submission: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "statements": {
                "type": "array",
                "items": {"anyOf": [submission, {"description": "anything else: its result is a problem"}]},
                "minItems": 1,
                "maxItems": MAXIMUM_BATCH,
            }
        },
        "required": ["statements"],
        "additionalProperties": False,
    }
