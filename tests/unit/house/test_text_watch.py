"""The watch over texts notices what has none, in every test."""

from __future__ import annotations

from deedlog.anchor.verify.verdict import no
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.rules.state import Standing


def test_what_has_no_text_is_noticed(text_watch):
    InvalidData("no.such_error")
    no("no.such_answer")
    Standing("no.such_standing")
    expected = [
        f"no.such_{what} has no text in {to}.json" for what in ("answer", "error", "standing") for to in ("en", "zh")
    ]
    assert text_watch.complaints() == expected
    assert text_watch.complaints() == []


def test_a_parameter_that_is_missing_is_noticed_unless_it_is_given_later(text_watch):
    Unavailable("quota.exceeded", limit="5 per day", of="0x12")
    later = Unavailable("quota.exceeded")
    later.params = {"limit": "5 per day", "of": "0x12"}
    assert text_watch.complaints() == []
    Unavailable("quota.exceeded", limit="5 per day")
    assert [complaint.split(" for ")[0] for complaint in text_watch.complaints()] == ["quota.exceeded lacks ['of']"] * 2
