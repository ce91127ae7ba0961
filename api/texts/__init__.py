"""The one catalogue of texts for people, in English and Chinese: codes, and texts with parameters.

`en.json` and `zh.json` have the same codes; this file reads them and fills in the parameters. `verdict_text` puts the
answers of a verification into words. May import `anchor` and `registry`, nothing of `api`.

The codes of errors, findings and standings are those in the code that raises them. Each kind of statement has, by
convention, `kind.Work` (its name), `kind.Work.signing` (what a person does by signing one) and `member.title` (a
member's name; `member.Work.title` if the kind uses the member in a meaning of its own).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from deedlog.registry import times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedlog.registry.errors import DeedlogError

LANGUAGES = ("en", "zh")
_TIMES = ("time", "before", "start", "end", "block_time", "entry_time")
"""Parameters whose numbers are Unix times."""


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return all texts of a language by code."""
    # Read by path: importing `importlib.resources` would take an eighth of the start of `verify`.
    texts: dict[str, str] = json.loads(Path(__file__).with_name(f"{language}.json").read_text(encoding="utf-8"))
    return texts


def extend(texts: Mapping[str, Mapping[str, str]]) -> None:
    """Add texts (code → language → text), for a kind of statement that is declared outside this package.

    Raises `ValueError` for a code that already exists, or that lacks a language.
    """
    for code, by_language in texts.items():
        if set(by_language) != set(LANGUAGES) or any(code in catalogue(language) for language in LANGUAGES):
            message = f"{code} needs a text in each of {', '.join(LANGUAGES)}, and none yet"
            raise ValueError(message)
        for language, said in by_language.items():
            catalogue(language)[code] = said


def text(language: str, code: str, params: Mapping[str, str | int] | None = None) -> str:
    """Return the text of a code. A parameter with no value is shown as its name in angle brackets."""
    shown = {name: _shown(name, value) for name, value in (params or {}).items()}
    return catalogue(language)[code].format_map(_Params(shown))


def _shown(name: str, value: str | int) -> str | int:
    if isinstance(value, str):
        return printable(value)
    return times.show_both(value) if name in _TIMES else value


def error_text(language: str, error: DeedlogError) -> str:
    """Return the text of an error, with the member at fault in front."""
    said = text(language, error.code, error.params)
    return said if not error.field else f"{printable(error.field)}: {said}"


def printable(value: str) -> str:
    """Return a text from outside with its control characters replaced, so it cannot steer a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in value)


def choose_language(wanted: str | None) -> str:
    """Return the language that an `Accept-Language` header, a locale or a name asks for; English by default."""
    for part in (wanted or "").split(","):
        name = part.split(";")[0].strip().lower().replace("_", "-").split("-")[0].split(".")[0]
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]


class _Params(dict[str, str | int]):
    def __missing__(self, name: str) -> str:
        return f"<{name}>"
