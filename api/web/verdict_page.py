"""A verdict as one static page for people. It has no script and fetches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedlog.api.texts import verdict_text
from deedlog.api.web.rendering import render

if TYPE_CHECKING:
    from deedlog.anchor.verify.verdict import Verdict


def report(verdict: Verdict, language: str, sources: dict[str, str]) -> str:
    """Return the page; `sources` names what was checked (bundle, file, pins), as the user gave it."""
    return render(
        "verdict.html",
        language,
        heading=verdict_text.heading(verdict, language),
        notes=verdict_text.notes(verdict, language),
        lines=verdict_text.lines(verdict, language),
        anchors=verdict_text.anchors(verdict, language),
        members=verdict_text.members(verdict.statement, language),
        sources=list(sources.items()),
    )
