"""The OpenAPI document says what the routes do, in a form that client generators can use."""

from __future__ import annotations

import pytest

from deedlog.api.http.routes import writing
from deedlog.api.http.schemas import models
from deedlog.api.texts import catalogue
from deedlog.registry.acceptance.accept import Accepted
from deedlog.registry.statements import KINDS

OPERATIONS = {
    "begin_session": "POST /v1/sessions",
    "decline_draft": "POST /v1/drafts/{digest}/decline",
    "end_session": "DELETE /v1/sessions",
    "get_bundle": "GET /v1/statements/{digest}/bundle",
    "get_checkpoint": "GET /log/checkpoint",
    "get_draft": "GET /v1/drafts/{digest}",
    "get_health": "GET /readyz",
    "get_liveness": "GET /healthz",
    "get_metrics": "GET /metrics",
    "get_page": "GET /",
    "get_payouts": "GET /v1/agreements/{digest}/payouts",
    "get_registry": "GET /v1/registry",
    "get_statement": "GET /v1/statements/{digest}",
    "get_tile": "GET /log/tile/{path}",
    "list_anchors": "GET /v1/anchors",
    "list_drafts": "GET /v1/drafts",
    "list_events": "GET /v1/events",
    "list_statements": "GET /v1/statements",
    "make_nonce": "POST /v1/sessions/nonce",
    "make_typed_data": "POST /v1/typed-data/{kind}",
    "propose_draft": "POST /v1/drafts",
    "register_batch": "POST /v1/statements:batch",
    "register_statement": "POST /v1/statements",
    "sign_draft": "POST /v1/drafts/{digest}/signatures",
}
"""Names of functions in clients that others have generated: one that changes breaks their programs."""


@pytest.fixture(scope="module")
def document(site):
    return site.anyone.get("/openapi.json").json()


@pytest.fixture(scope="module")
def operations(document):
    return {
        operation["operationId"]: (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def parts(value):
    """Return all objects in a part of the document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from parts(each)


def test_operations_have_short_names_that_stay(operations):
    assert {name: route for name, (route, _) in operations.items()} == OPERATIONS


def test_every_operation_is_described_and_has_one_tag_that_is_described_too(document, operations):
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    for name, (_, operation) in operations.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
        assert set(operation["tags"]) <= tags, name
    assert tags == {tag for _, operation in operations.values() for tag in operation["tags"]}


def test_what_is_json_has_a_named_schema(document, operations):
    schemas = document["components"]["schemas"]
    for name, (_, operation) in operations.items():
        contents = [answer.get("content", {}) for answer in operation["responses"].values()]
        contents.append(operation.get("requestBody", {}).get("content", {}))
        for media_type, content in ((key, value) for each in contents for key, value in each.items()):
            if "json" in media_type:
                named = list(parts(content["schema"]))
                assert all("$ref" in schema for schema in named if "anyOf" not in schema), (name, media_type)
    for part in parts(document):
        if isinstance(part.get("$ref"), str):
            assert part["$ref"].removeprefix("#/components/schemas/") in schemas


def test_every_error_is_a_problem_whose_codes_are_told(operations):
    for name, (_, operation) in operations.items():
        for status, answer in operation["responses"].items():
            if status.startswith("2") or name == "get_health":
                continue
            assert list(answer["content"]) == ["application/problem+json"], (name, status)
            lines = answer["description"].split("\n")
            assert all(line.startswith("- `") for line in lines)
            assert {line.split("`")[1] for line in lines} <= set(catalogue("en"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_described_once_by_its_declaration(document, kind):
    schemas = document["components"]["schemas"]
    declared = KINDS[kind].STRUCT.schema()
    for name, required in ((kind, declared["required"]), (f"{kind}Fields", declared["required"][:-1])):
        assert list(schemas[name]["properties"]) == list(declared["properties"])
        assert schemas[name]["required"] == required
        assert schemas[name]["additionalProperties"] is False
        for member, schema in declared["properties"].items():
            if "title" not in schema.get("items", {}):
                assert schemas[name]["properties"][member] == schema
    typed = schemas[f"{kind}TypedData"]["properties"]
    assert typed["primaryType"]["const"] == kind
    assert typed["message"] == {"$ref": f"#/components/schemas/{kind}"}
    reference = f"#/components/schemas/{kind}TypedData"
    assert {"$ref": reference} in schemas["TypedData"]["oneOf"]
    assert schemas["TypedData"]["discriminator"]["mapping"][kind] == reference


def test_nothing_in_it_chokes_the_generators_of_clients(document):
    """Objects as constants, and titles by which two different schemas would become one class, did."""
    for part in parts(document["components"]["schemas"]):
        assert not isinstance(part.get("const"), (dict, list))
    for schema in document["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            assert "title" not in member


def test_what_is_answered_past_the_models_has_their_members():
    """Answers at upload speed are written without their model."""
    receipt = writing._accepted(Accepted(bytes(32), "Work", "accepted"))
    assert [*receipt, "tlog_proof"] == list(models.Receipt.model_fields)
    models.Receipt.model_validate(receipt, strict=True)
