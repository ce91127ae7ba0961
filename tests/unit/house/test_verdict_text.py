"""Statements and times as people read them: every kind, hidden lines, both zones, whatever a signer claims."""

from __future__ import annotations

import re
import time

import pytest
from vectors.generate.statement_cases import messages
from vectors.generate.statement_plain import PLAIN, pattern

from deedlog.api.texts.times import moment
from deedlog.api.texts.verdict_text import members
from deedlog.registry.statements import KINDS

SIGNED_NAME = re.compile(r".+ \((\w+)\)")
"""A member's words for people have the name that is signed behind them, where that is another."""


@pytest.fixture(params=["UTC", "Asia/Shanghai", "Pacific/Kiritimati", "America/Los_Angeles"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    "seconds", [-(2**53) + 1, -1, 0, 1, 1_795_460_000, 253_402_214_400, 253_402_300_799, 253_402_300_800, 2**64 - 1]
)
def test_every_time_can_be_shown(seconds):
    assert moment(seconds)


def test_a_time_is_shown_in_both_zones(zone):
    assert moment(1_795_460_000).endswith("(2026-11-23 18:53:20 UTC)")
    if zone == "Asia/Shanghai":
        assert moment(1_795_460_000).startswith("2026-11-24 02:53:20 +0800")


def shown(kind, message, language="en"):
    """Return (name as it is signed, value) of each member and line, as people see them."""
    found = members(KINDS[kind].from_message(message), language)
    return [(SIGNED_NAME.sub(r"\1", label), value) for label, value in found]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_statement_can_be_shown(kind, language):
    for message in messages(kind).values():
        names = [name.split("[")[0] for name, value in shown(kind, message, language) if value]
        assert list(dict.fromkeys(names)) == list(message)


@pytest.mark.parametrize(("language", "title", "credited"), [("en", "title", "credited as"), ("zh", "标题", "署名")])
def test_members_have_words_and_the_name_that_is_signed(language, title, credited):
    labels = [label for label, _ in members(KINDS["Work"].from_message(PLAIN["Work"]), language)]
    assert labels[:2] == [title if title == "title" else f"{title} (title)", f"{credited} (creditedAs)"]


@pytest.mark.parametrize(("language", "none", "no_end"), [("en", "none", "no end"), ("zh", "无", "无期限")])
def test_an_agreement_is_shown_line_by_line_and_what_is_hidden_is_said_to_be(language, none, no_end):
    first, second = PLAIN["Agreement"]["shares"]
    values = dict(shown("Agreement", PLAIN["Agreement"] | {"shares": [pattern(0x30), second]}, language))
    assert second["party"] in values["shares[1]"].lower()
    assert "400,000 ppm" in values["shares[1]"]
    assert pattern(0x30) in values["shares[0]"]
    assert first["party"] not in values["shares[0]"]
    assert (values["leaving"], values["supersedes"], values["effectiveUntil"]) == (none, none, no_end)
    assert "2026-12-01 00:00:00 UTC" in values["effectiveFrom"]
