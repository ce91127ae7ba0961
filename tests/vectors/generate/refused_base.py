"""What `refused_vectors.py` builds with: the plain statements' text, edited in one place."""

from __future__ import annotations

import json
from typing import Any

from vectors.generate import statement_vectors

SOURCE = json.loads(statement_vectors.PATH.read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = {item["name"]: item for item in SOURCE["cases"]}
SHOWN = 100
"""Characters of a value that a case's name may show."""


def text_of(value: object) -> str:
    """Return compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def data_of(kind: str) -> dict[str, Any]:
    """Return the typed data of the plain statement of a kind."""
    data: dict[str, Any] = CASES[f"{kind}: plain"]["typed_data"]
    return data


def plain(kind: str) -> str:
    """Return the text of the plain statement of a kind."""
    return text_of(data_of(kind))


def edit(text: str, old: str, new: str) -> str:
    """Return the text with the one `old` replaced."""
    assert text.count(old) == 1, (old, text.count(old))
    return text.replace(old, new)


def changed(kind: str, part: str, value: object) -> str:
    """Return the plain statement of a kind with one part of the typed data replaced."""
    return text_of({**data_of(kind), part: value})


def refused(name: str, text: str, code: str, field: str | None, at: str = "reading") -> dict[str, Any]:
    """Return a case."""
    return {"name": name, "text": text, "code": code, "field": field, "at": at}


def member(kind: str, name: str, value: str, code: str, field: str | None, at: str = "reading") -> dict[str, Any]:
    """Return the case of a message whose member `name` is the JSON text `value`."""
    head, message = plain(kind).split('"message":')
    old = f'"{name}":{text_of(data_of(kind)["message"][name])}'
    message = edit(message, old, f'"{name}":{value}')
    shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}… ({len(value)} characters)"
    return refused(f"{kind}.{name} is {shown}", f'{head}"message":{message}', code, field, at)
