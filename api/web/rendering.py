"""Rendering pages: the templates, in one environment that escapes every value.

What a page shows may come from anybody: titles, names, what a node said, names of files. Jinja2 escapes what would be
markup; `printable` replaces what would steer a terminal or turn the text around it, as on the command line.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deedlog.api.texts import printable, text


def render(template: str, language: str, **values: Any) -> str:
    """Return a page: `template` with these values, and `text(code)` for the catalogue's texts in the language."""
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
    # What has `__html__` was rendered before, by a macro or a block.
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
