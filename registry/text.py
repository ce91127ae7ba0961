"""Rules for the text in a statement.

There are two sets of rules. `check_shown` applies always, also to logged statements: it refuses text that could mislead
the reader of a verdict, and does not depend on the machine's Unicode version. `check_accepted` applies only when a
statement is accepted. Normal forms and assigned code points change with Unicode versions, and a logged statement must
verify everywhere.
"""

from __future__ import annotations

import unicodedata

from deedlog.registry.errors import InvalidData

BIDIRECTIONAL_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates (UAX #9 §2). They can make a name look like another."""

LINE_BREAKS = frozenset("\u2028\u2029")


def check_shown(text: str, maximum: int, field: str) -> str:
    """Return `text` if it has 1 to `maximum` code points, is not blank, and has no control character.

    Raises `InvalidData`: `text.empty`, `text.too_long`, `text.bidirectional`, `text.control` or `text.surrogate`.
    """
    if not text or text.isspace():
        raise InvalidData("text.empty", field=field)
    if len(text) > maximum:
        raise InvalidData("text.too_long", field=field, maximum=maximum, length=len(text))
    if not text.isprintable():
        for character in text:
            if character in BIDIRECTIONAL_CONTROLS:
                raise InvalidData("text.bidirectional", field=field, code_point=_name(character))
            if character in LINE_BREAKS or unicodedata.category(character) == "Cc":
                raise InvalidData("text.control", field=field, code_point=_name(character))
            if "\ud800" <= character <= "\udfff":
                raise InvalidData("text.surrogate", field=field, code_point=_name(character))
    return text


def check_accepted(text: str, field: str) -> str:
    """Return `text` if it is in NFC and all its code points are assigned.

    Raises `InvalidData` (`text.not_nfc`, `text.unassigned`).
    """
    if not unicodedata.is_normalized("NFC", text):
        raise InvalidData("text.not_nfc", field=field)
    if not text.isprintable():
        for character in text:
            if unicodedata.category(character) == "Cn":
                raise InvalidData("text.unassigned", field=field, code_point=_name(character))
    return text


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"
