"""A verdict as one static page for people. It has no script and fetches nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deedlog.api.texts import verdict_text
from deedlog.api.web.rendering import render
from deedlog.registry.hexadecimal import HASH_SIZE, to_hex

if TYPE_CHECKING:
    from deedlog.anchor.verify.verdict import Verdict

_MARK = re.compile(
    rb'\A<!doctype html>\n(?:[^\n]*\n){1,8}?<meta name="deedlog-verdict" content="0x([0-9a-f]{%d})">\n'
    % (2 * HASH_SIZE)
)
"""How a report begins: its head names the statement's digest."""


def report(verdict: Verdict, language: str, sources: dict[str, str]) -> str:
    """Return the page; `sources` names what was checked (bundle, file, pins), as the user gave it."""
    return render(
        "verdict.html",
        language,
        digest=to_hex(verdict.digest),
        heading=verdict_text.heading(verdict, language),
        notes=verdict_text.notes(verdict, language),
        lines=verdict_text.lines(verdict, language),
        anchors=verdict_text.anchors(verdict, language),
        members=verdict_text.members(verdict.statement, language),
        sources=list(sources.items()),
    )


def reported(page: bytes) -> bytes | None:
    """Return the digest (32 bytes) of the statement that a report is on; None if these bytes are no report."""
    found = _MARK.match(page)
    return None if found is None else bytes.fromhex(found[1].decode("ascii"))
