"""Text: what is refused for ever is a fixed set of code points; what is refused at acceptance goes with Unicode."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedlog.registry.errors import InvalidData
from deedlog.registry.text import check_accepted, check_shown

# docs/formats.md §2.3, written down once more: it must not follow from the Unicode version of this machine.
SPACES = [*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)]
SPACES += [0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
BIDIRECTIONAL = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
SURROGATES = range(0xD800, 0xE000)

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


def refusal(check, *arguments):
    with pytest.raises(InvalidData) as caught:
        check(*arguments, "title")
    assert caught.value.field == "title"
    return caught.value


def outcome(check, *arguments):
    """Return the code of the refusal, or nothing."""
    try:
        check(*arguments, "title")
    except InvalidData as error:
        return error.code
    return None


def test_of_all_code_points_those_of_the_formats_page_are_refused_for_ever():
    expected = dict.fromkeys(CONTROLS, "text.control") | dict.fromkeys(BIDIRECTIONAL, "text.bidirectional")
    expected |= dict.fromkeys(SURROGATES, "text.surrogate")
    found = {}
    for code in range(sys.maxunicode + 1):
        try:
            check_shown(f"a{chr(code)}", 2, "title")
        except InvalidData as error:
            found[code] = error.code
    assert found == expected


def test_of_all_code_points_the_white_space_of_the_formats_page_is_empty():
    found = [code for code in range(sys.maxunicode + 1) if outcome(check_shown, chr(code), 1) == "text.empty"]
    assert found == sorted(SPACES)


def test_only_white_space_is_empty():
    assert refusal(check_shown, "", 10).code == "text.empty"
    assert refusal(check_shown, "".join(map(chr, SPACES)), 99).code == "text.empty"
    assert check_shown("\u3000a\u3000", 3, "title") == "\u3000a\u3000"


@pytest.mark.parametrize("character", ["a", "怎", "\U0001f600", "\u0301"])
def test_length_is_counted_in_code_points(character):
    assert check_shown(character * 200, 200, "title") == character * 200
    error = refusal(check_shown, character * 201, 200)
    assert (error.code, error.params) == ("text.too_long", {"maximum": 200, "length": 201})


def test_the_code_point_at_fault_is_named():
    assert refusal(check_shown, "ab\u202ecd", 9).params == {"code_point": "U+202E"}
    assert refusal(check_shown, "ab\x00", 9).params == {"code_point": "U+0000"}
    assert refusal(check_accepted, "ab\U000e0fff").params == {"code_point": "U+E0FFF"}


@pytest.mark.parametrize(
    "text", ["怎样读论文", FAMILY, "\U0001f3f3\ufe0f\u200d\U0001f308", "שלום", "e\u0301", "a\u200cb", "\U00020bb7"]
)
def test_people_write_so(text):
    assert check_shown(text, 200, "title") is text


def test_joined_emoji_are_accepted():
    assert check_accepted(FAMILY, "title") is FAMILY


@given(st.text(min_size=1, max_size=30))
def test_what_is_accepted_is_nfc_and_assigned(text):
    assigned = all(unicodedata.category(character) != "Cn" for character in text)
    expected = None if assigned else "text.unassigned"
    if unicodedata.normalize("NFC", text) != text:
        expected = "text.not_nfc"
    assert outcome(check_accepted, text) == expected


@pytest.mark.parametrize("text", ["e\u0301", "\u212b", "\uf900", "\u1112\u1161\u11ab", "a\u0307\u0323"])
def test_what_is_not_nfc_can_be_shown_but_is_not_accepted(text):
    assert check_shown(text, 9, "title") is text
    assert refusal(check_accepted, text).code == "text.not_nfc"
    check_accepted(unicodedata.normalize("NFC", text), "title")


@pytest.mark.parametrize("code", [0x378, 0xFDD0, 0xFFFE, 0x1FFFF, 0x10FFFF])
def test_what_is_unassigned_can_be_shown_but_is_not_accepted(code):
    assert check_shown(chr(code), 9, "title") == chr(code)
    assert refusal(check_accepted, chr(code)).code == "text.unassigned"


@pytest.mark.parametrize("code", [0xE000, 0xF8FF, 0x10FFFD, 0xFFFD, 0x200D])
def test_private_and_format_characters_are_assigned(code):
    assert outcome(check_accepted, chr(code)) is None
