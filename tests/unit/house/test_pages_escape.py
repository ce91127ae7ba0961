"""Pages show hostile text as text: what a parser of HTML reads back is what was put in, between the same tags."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds.registries.registry_world import work

from deedlog.anchor.verify.verdict import QUESTIONS, AnchorFindings, Answer, Finding, Trust, Verdict
from deedlog.api.texts import LANGUAGES, printable, text, verdict_text
from deedlog.api.web.rendering import render
from deedlog.api.web.verdict_page import report

VOID = {"meta", "br"}

HOSTILE = [
    "</td></tr></table><script>alert(1)</script>",
    "</style></title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "<!-- ",
    "--><b>",
    "<![CDATA[",
    "&lt;b&gt; &amp; &#60; &quot;",
    "{{ 7 * 7 }} {% raw %} {# #}",
    "javascript:alert(1)",
    "\u202egpj.exe",
    "\u2066a\u2069 \u200f\u200e",
    "a\0b\x1b[31m\x7f\x85\u2028",
    "line\r\nbreak\ttab",
    "half \ud800 pair",
    "<" * 50,
]


class Reader(HTMLParser):
    """Reads a page: its tags with their attributes, in order, and the text between them."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.open = [], [""], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_decl(self, decl):
        assert decl == "doctype html"

    def handle_pi(self, data):
        raise AssertionError(data)

    def unknown_decl(self, data):
        raise AssertionError(data)

    def said(self):
        return {said.strip() for said in self.texts} - {""}


def said(value):
    """Return a statement that says anything, as none that is accepted can."""
    sound = work()
    made = object.__new__(type(sound))
    for attribute, member in vars(sound).items():
        object.__setattr__(made, attribute, value if attribute in ("title", "creditedAs") else member)
    return made


def verdict(value):
    finding = Finding(Answer.NO, "chain.refused", {"url": value, "method": value, "message": value})
    findings = dict.fromkeys(QUESTIONS, dataclasses.replace(finding, trust=(Trust.NODES,)))
    anchors = tuple(AnchorFindings(value, findings, chain_id=31337, known=known) for known in (True, False))
    return Verdict(said(value), bytes(32), bytes(20), False, 31337, findings, anchors)  # noqa: FBT003 - not pinned


def page(value, language="en"):
    return report(verdict(value), language, {"bundle": value, f"--rpc {value}": value})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("value", HOSTILE)
def test_what_anybody_wrote_is_read_back_as_text(value, language):
    harmless, read = Reader(page("harmless", language)), Reader(page(value, language))
    assert read.tags == harmless.tags
    shown = printable(value).strip()
    assert {shown, f"--rpc {printable(value)}".strip()} <= read.said()
    for line in verdict_text.lines(verdict(value), language):
        assert printable(line.reason).strip() in read.said()
    assert all(character.isprintable() or character == "\n" for said in read.said() for character in said)


@given(st.text())
def test_no_text_becomes_markup(value):
    read = Reader(page(value))
    assert read.tags == Reader(page("harmless")).tags
    assert printable(value).strip() in read.said() | {""}


@pytest.mark.parametrize("value", HOSTILE)
def test_the_landing_page_shows_what_a_setting_says_as_text(value):
    def landing(said):
        lines = ["→ /docs", f"$ {said}", f"a {said}"]
        return Reader(render("landing.html", "en", other_language="zh", sections=[{"title": said, "lines": lines}]))

    read = landing(value)
    assert read.tags == landing("harmless").tags
    assert {printable(value).strip(), f"a {printable(value)}".strip()} <= read.said()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_its_language_fits_a_telephone_and_fetches_nothing(language):
    read = Reader(page("harmless", language))
    assert read.tags[0] == ("html", (("lang", language),))
    assert ("meta", (("name", "viewport"), ("content", "width=device-width, initial-scale=1"))) in read.tags
    assert not any(name in ("src", "href") for _, attributes in read.tags for name, _ in attributes)
    assert text(language, "report.title") in read.said()
