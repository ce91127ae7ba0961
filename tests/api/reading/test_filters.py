"""Every filter of every list refuses a value that it does not know, and names those that it knows."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import pytest
from support.worlds.registries.registry_world import ALICE, salt, work

from deedlog.api.http.routes.statements import STATES
from deedlog.api.texts import catalogue
from deedlog.registry.acceptance import drafts
from deedlog.registry.rules.standings import STANDINGS
from deedlog.registry.statements import KINDS

RULES = Path(__file__).parents[3] / "registry" / "rules"
LISTS = ("/v1/statements", "/v1/drafts", "/v1/anchors", "/v1/events")
WORDS = {
    ("/v1/statements", "kind"): tuple(KINDS),
    ("/v1/statements", "state"): STATES,
    ("/v1/drafts", "kind"): tuple(KINDS),
    ("/v1/drafts", "state"): drafts.STATES,
}
"""Filters whose values are words."""


@pytest.fixture(scope="module")
def filters(site):
    """Every query parameter of every list, with its schema."""
    document = site.anyone.get("/openapi.json").json()
    return [
        (path, parameter["name"])
        for path in LISTS
        for parameter in document["paths"][path]["get"]["parameters"]
        if parameter["in"] == "query"
    ]


def test_each_filter_refuses_nonsense_and_names_what_it_takes(site, filters):
    signed_in = site.sign_in(ALICE)
    assert set(WORDS) <= set(filters)
    for path, name in filters:
        for value in ("nonsense", "", "Accepted ", "work"):
            if name == "lang":
                continue
            answer = site.anyone.get(path, params={name: value}, headers=signed_in)
            assert answer.status_code == 422, (path, name, value, answer.text)
            problem = answer.json()
            assert problem["field"] == name
            if (path, name) in WORDS:
                named = ", ".join(map(str, problem["params"].values()))
                assert set(named.split(", ")) == set(WORDS[path, name]), (path, name)


def test_each_state_is_taken_and_finds_what_has_it(site):
    digest = site.post(work(content=b"filtered", salt=salt("filtered")), ALICE, wait=True).json()["digest"]
    shown = site.anyone.get(f"/v1/statements/{digest}").json()
    for state in STATES:
        answer = site.anyone.get("/v1/statements", params={"state": state})
        assert answer.status_code == 200, state
    content_hash = "0x" + hashlib.sha256(b"filtered").hexdigest()
    listed = site.anyone.get(
        "/v1/statements", params={"state": shown["standing"]["code"], "content_hash": content_hash}
    )
    assert [each["digest"] for each in listed.json()["statements"]] == [digest]


def test_the_codes_of_standings_are_those_of_the_rules():
    """Every code that a rule can raise or answer is in the list, and no other."""
    found = set()
    for path in RULES.glob("*.py"):
        if path.name == "standings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("InvalidData", "Standing"):
                found |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
    texts = catalogue("en")
    codes = {"signature.missing", "signature.not_a_signer"}  # of `check_signers`, which a rule calls
    for said in filter(lambda each: isinstance(each, str), found):
        codes |= {said} if said in texts else {code for code in texts if code.startswith(said)}
    assert codes == set(STANDINGS)
