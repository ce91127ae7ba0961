"""The catalogue: every code that the packages use has a text in each language, with the same parameters."""

from __future__ import annotations

import ast
import json
import string
from functools import cache
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from deedlog.anchor.verify.verdict import QUESTIONS, Answer, Trust
from deedlog.api.http import problems
from deedlog.api.texts import LANGUAGES, catalogue, choose_language, text
from deedlog.registry.statements import KINDS

ROOT = Path(__file__).resolve().parents[3]

# Calls whose first text argument is a code (`say` and `text` take the language first).
CODE_CALLS = {
    *("DeedlogError", "InvalidData", "Unavailable", "VerificationError", "JsonError", "EntryError", "NoteError"),
    *("FetchError", "TileError", "CheckpointError", "TlogProofError", "RlpError", "BundleError", "AbsentError"),
    *("StopAnchoringError", "QuotaExceeded", "Standing", "yes", "no", "not_checked"),
}
TEXT_CALLS = {"say", "text"}


def literals(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def codes_of(call):
    """Yield the codes that one call names."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name in CODE_CALLS:
        yield from (code for item in call.args[:1] for code in literals(item))
    elif name in TEXT_CALLS or name == "from_base64":  # the latter raises with the code that it is given
        yield from (code for item in call.args[1:2] for code in literals(item))
    yield from (code for keyword in call.keywords if keyword.arg == "problem" for code in literals(keyword.value))


@cache
def calls():
    """Return every call of the packages, and where it stands."""
    return [
        (node, f"{path.relative_to(ROOT)}:{node.lineno}")
        for package in ("registry", "anchor", "api")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]


def used_codes():
    for call, where in calls():
        yield from ((code, where) for code in codes_of(call) if "." in code)
    for path in sorted((ROOT / "api/web/templates").iterdir()):
        for call in Environment(autoescape=True).parse(path.read_text("utf-8")).find_all(nodes.Call):
            if getattr(call.node, "name", "") == "text":
                yield call.args[0].value, f"{path.name}:{call.lineno}"


def given_parameters(call):
    """Return the names of the parameters that a call gives to its code; None if the call does not say all of them."""
    if getattr(call.func, "id", "") == "Standing":
        params = call.args[1] if len(call.args) > 1 else ast.Dict([], [])
        return {key.value for key in params.keys} if isinstance(params, ast.Dict) else None
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    return {keyword.arg for keyword in call.keywords}


OF_ONE_KIND = ["member.RevenueReport.basis"]
"""Members by whose name a kind means something of its own."""

DERIVED = [
    *(f"question.{name}" for name in QUESTIONS),
    *(f"answer.{answer.name.lower()}" for answer in Answer),
    *(f"trust.{trust}" for trust in Trust),
    *(f"agreement.is_{status}" for status in ("agreed", "in_force", "superseded", "terminated", "ended")),
    *(f"cli.agreement.{state}" for state in ("signed", "declined", "waiting")),
    *(
        f"cli.{command}.{said}"
        for command in ("register", "signing")
        for said in ("accepted", "known", "repeat", "proposed", "signed", "for_ever", "sign")
    ),
    *(f"cli.{command}.signed_{when}" for command in ("register", "signing") for when in ("before", "already")),
    *("http.not_found", "http.method_not_allowed", "http.request"),
    *(f"alarm.{name}" for name in ("anchor_late", "balance_low", "block_old", "fee_limit")),
    *(f"alarm.{name}" for name in ("nonce_taken", "not_taken", "reverted")),
    *(f"verdict.exit_{code}" for code in (0, 1, 2)),
    *(f"cli.stage.{stage}" for stage in ("entries", "checkpoints", "statements", "heads")),
    *(f"kind.{kind}{end}" for kind in KINDS for end in ("", ".signing")),
    *(f"member.{name}" for kind in KINDS.values() for name in kind.STRUCT.member_names),
    *OF_ONE_KIND,
    *(f"page.{part}{end}" for part in ("what", "register", "look_up", "check", "machines") for end in ("", ".title")),
]


def test_every_code_in_use_has_a_text_in_each_language():
    used = dict(used_codes()) | dict.fromkeys(DERIVED, "derived")
    assert len(used) > 100
    for language in LANGUAGES:
        missing = {code: where for code, where in used.items() if code not in catalogue(language)}
        assert not missing, (language, missing)


def test_every_code_with_a_status_of_its_own_is_in_use():
    assert set(problems._STATUS) <= set(catalogue("en"))
    conflicts = {code for code, status in problems._STATUS.items() if status == 409}
    assert {"agreement.stale", "agreement.cancelled", "draft.signed_already", "claim.taken"} <= conflicts


def test_no_text_is_unused():
    used = {code for code, _ in used_codes()} | set(DERIVED)
    assert set(catalogue("en")) - used == set()


def parameters(language, code):
    """Return the parameters that a text names."""
    return {name for _, name, _, _ in string.Formatter().parse(catalogue(language)[code]) if name}


def test_whoever_raises_a_code_gives_the_parameters_that_its_text_names():
    checked = 0
    for call, where in calls():
        if getattr(call.func, "id", "") not in CODE_CALLS:
            continue
        given = given_parameters(call)
        for code in codes_of(call):
            if given is not None and "." in code:
                assert parameters("en", code) <= given, (code, where)
                checked += 1
    assert checked > 150


def test_the_languages_name_the_same_parameters():
    english, chinese = ({code: parameters(language, code) for code in catalogue("en")} for language in ("en", "zh"))
    assert english == chinese
    assert [code for code, text in catalogue("en").items() if catalogue("zh")[code] == text] == []


def test_no_code_is_twice_in_a_catalogue():
    """JSON would keep the last of them, and the first would be edited in vain."""
    for language in LANGUAGES:
        text_of_file = (ROOT / "api" / "texts" / f"{language}.json").read_text(encoding="utf-8")
        pairs = json.loads(text_of_file, object_pairs_hook=list)
        codes = [code for code, _ in pairs]
        assert sorted(set(codes)) == sorted(codes)


def test_the_languages_have_the_same_codes():
    assert set(catalogue("en")) == set(catalogue("zh"))


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh_CN.UTF-8", "zh"),
        ("en-US", "en"),
        ("fr, zh-TW", "zh"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_language_is_chosen(wanted, language):
    assert choose_language(wanted) == language


def test_a_missing_parameter_is_named_and_nothing_fails():
    assert "<minimum>" in text("en", "list.length", {})
