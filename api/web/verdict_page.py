"""A verdict as one static page for people: no script, nothing fetched, every value escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from deedlog.api.texts import text, verdict_text

if TYPE_CHECKING:
    from deedlog.anchor.verify.verdict import Verdict

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1d1d1f}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.5rem;"
    "border-bottom:1px solid #ddd;overflow-wrap:anywhere}.yes{color:#0a6b2d}.no{color:#b00020}"
    ".not_checked{color:#7a5a00}small{color:#555}"
)


def report(verdict: Verdict, language: str, sources: dict[str, str]) -> str:
    """Return the page; `sources` names what was checked (bundle, file, pins) as the user gave it."""
    rows = "".join(_row(line) for line in verdict_text.lines(verdict, language))
    rows += "".join(
        f'<tr><th colspan="3">{escape(anchor.label)}</th></tr>{"".join(_row(line) for line in anchor.lines)}'
        for anchor in verdict_text.anchors(verdict, language)
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in verdict_text.notes(verdict, language))
    members = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in verdict_text.members(verdict.statement, language)
    )
    given = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in sources.items())
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(text(language, 'report.title'))}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(text(language, 'report.title'))}</h1>"
        f"<p>{escape(verdict_text.heading(verdict, language))}</p>{notes}"
        f"<table>{rows}</table><h2>{escape(text(language, 'report.statement'))}</h2><table>{members}</table>"
        f"<h2>{escape(text(language, 'report.given'))}</h2><table>{given}</table>"
        f"<p><small>{escape(text(language, 'report.keep_original'))}</small></p></body></html>\n"
    )


def _row(line: verdict_text.Line) -> str:
    return (
        f"<tr><th>{escape(line.label)}</th>"
        f'<td class="{line.answer.name.lower()}"><b>{escape(line.answer_text)}</b></td>'
        f"<td>{escape(line.reason)}<br><small>{escape(line.trust)}</small></td></tr>"
    )
