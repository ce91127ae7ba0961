"""Render pages from templates, in one environment that escapes every value.

Anybody may have written what a page shows: titles, names, a node's answers, file names. Jinja2 escapes markup;
`printable` replaces characters that control a terminal or the direction of text, as on the command line.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deedlog.api.texts import printable, text


def render(template: str, language: str, **values: Any) -> str:
    """Return a page: `template` with these values, and `text(code)` for the catalogue's texts in this language."""
    page = _environment().get_template(template)
    return page.render(language=language, text=partial(text, language), **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    # A value with `__html__` was already rendered by a macro or a block.
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
