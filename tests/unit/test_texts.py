"""The catalogue: every code that the packages use has a text in each language, with the same parameters."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from anchor.verdict import QUESTIONS, Answer, Trust
from api.texts import LANGUAGES, catalogue, choose_language, text

ROOT = Path(__file__).resolve().parents[2]

# Calls whose first text argument is a code (`say` and `text` take the language first).
CODE_CALLS = {
    *("DeedlogError", "InvalidData", "Unavailable", "VerificationError", "JsonError", "EntryError", "NoteError"),
    *("TileError", "CheckpointError", "TlogProofError", "RlpError", "BundleError", "AbsentError"),
    *("StopAnchoringError", "yes", "no", "not_checked"),
}
TEXT_CALLS = {"say", "text"}


def literals(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def used_codes():
    for package in ("registry", "anchor", "api"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    argument = node.args[:1] if name in CODE_CALLS else node.args[1:2] if name in TEXT_CALLS else []
                    for item in argument:
                        for code in literals(item):
                            if "." in code:
                                yield code, f"{path.relative_to(ROOT)}:{node.lineno}"
                    for keyword in node.keywords:
                        if keyword.arg == "problem":
                            yield from ((code, str(path)) for code in literals(keyword.value))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                # Codes handed on as values: "tlog_proof.malformed" as an argument.
                if (
                    isinstance(node, ast.Call)
                    and getattr(node.func, "id", getattr(node.func, "attr", "")) == "from_base64"
                ):
                    yield from ((code, str(path)) for code in literals(node.args[1]))


DERIVED = [
    *(f"question.{name}" for name in QUESTIONS),
    *(f"answer.{answer.name.lower()}" for answer in Answer),
    *(f"trust.{trust}" for trust in Trust),
    *(f"cli.register.{outcome}" for outcome in ("accepted", "known", "repeat")),
    *("http.not_found", "http.method_not_allowed", "http.request", "chain.rpc_error"),
    *(f"verdict.exit_{code}" for code in (0, 1, 2)),
    *(f"page.{part}{end}" for part in ("what", "register", "look_up", "check", "machines") for end in ("", ".title")),
]


def test_every_code_in_use_has_a_text_in_each_language():
    used = dict(used_codes()) | dict.fromkeys(DERIVED, "derived")
    assert len(used) > 100
    for language in LANGUAGES:
        missing = {code: where for code, where in used.items() if code not in catalogue(language)}
        assert not missing, (language, missing)


def test_no_text_is_unused():
    used = {code for code, _ in used_codes()} | set(DERIVED)
    assert set(catalogue("en")) - used == set()


@pytest.mark.parametrize("code", sorted(catalogue("en")))
def test_the_languages_name_the_same_parameters(code):
    def parameters(language):
        return {name for _, name, _, _ in string.Formatter().parse(catalogue(language)[code]) if name}

    assert parameters("en") == parameters("zh")
    assert catalogue("zh")[code] != catalogue("en")[code]


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
