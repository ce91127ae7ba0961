"""What `refused_vectors.py` writes of single members: numbers, hex, lists, texts and words that are refused."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from vectors.generate.refused_base import data_of, member, text_of
from vectors.generate.statement_plain import BOTH, FIRST, KEYS, SECOND

DIGITS = data_of("Work")["message"]["contentHash"][2:]
ZERO = "0x" + "00" * 20
MANY_HASHES = [f"0x{number:064x}" for number in range(1, 66)]
MANY = [f"0x{number:040x}" for number in range(1, 66)]

NO_DECIMAL = "integer.not_a_decimal_string"
NUMBERS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("Work", "contentLength", NO_DECIMAL, ("24", "-1", "true", '""', '"-1"', '"+1"', '"01"', '"00"', '"0x18"')),
    ("Upload", "uploadedAt", NO_DECIMAL, ('"1e3"', '"1.0"', '" 1"', '"1\\n"', '"\\u0661"', '"1_000"', '"1,000"')),
    ("Rendition", "madeAt", NO_DECIMAL, ('"' + "9" * 21 + '"', '["1"]', '{"value":"1"}', '"\\uff11"', '"NaN"')),
    ("Rendition", "madeAt", "integer.range", ('"18446744073709551616"', '"99999999999999999999"')),
    ("Work", "contentLength", "integer.range", ('"0"',)),
    ("Rotation", "madeAt", NO_DECIMAL, ("1795460020", '"-1"', '"1.0"')),
    ("Agreement", "acceptBy", NO_DECIMAL, ("1796064800", '"-1"', "false")),
    ("Agreement", "effectiveFrom", "integer.range", ('"18446744073709551616"',)),
    (
        "RevenueReport",
        "amount",
        NO_DECIMAL,
        ("1234567", "-1", "0", "true", '""', '"-"', '"-0"', '"+1"', '"01"', '"-01"'),
    ),
    ("RevenueReport", "amount", NO_DECIMAL, ('"12.34"', '"1e3"', '" 1"', '"\\u22121"', '"0x10"', '"1,000"', '["1"]')),
    ("RevenueReport", "amount", NO_DECIMAL, (f'"{"9" * 78}"', f'"-{"9" * 78}"')),
    ("RevenueReport", "amount", "integer.range", (f'"{2**255}"', f'"{-(2**255) - 1}"', f'"{"9" * 77}"')),
]
"""Kind, member, code, and JSON texts of values; the member is the field at fault."""

NOT_READ: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("Work", "madeAt", "json.integer", ("9007199254740992", "9007199254740993", "-9007199254740992", "9" * 400)),
    ("RevenueReport", "amount", "json.fraction", ("12.34", "1e3")),
    ("Work", "madeAt", "json.fraction", ("24.0", "24.5", "1e3", "2E0", "-0.0", "NaN", "Infinity", "-Infinity")),
    ("Work", "madeAt", "json.malformed", ("024", "+24", ".5", "5.", "0x18", "nan", "1_000", "1n")),
    ("Work", "title", "json.surrogate", ('"a\\ud800"', '"\\udc00"', '"\\ude00\\ud83d"', '"\\ud83d \\ude00"')),
]
"""The same, refused as JSON already, so that no field is named."""

HEX: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("Work", "contentHash", "hex.malformed", (f'"0x{DIGITS.upper()}"', f'"0X{DIGITS}"', f'"{DIGITS}"')),
    ("Work", "contentHash", "hex.malformed", (f'"0x{DIGITS[:-1]}"', f'"0x{DIGITS[:-1]}g"', f'" 0x{DIGITS}"')),
    ("Rendition", "source", "hex.malformed", (f'"0x{DIGITS}\\n"', f'"0x{DIGITS[:-1]}\\uff10"', '""', '"0"', "0", "[]")),
    ("Upload", "uploader", "hex.length", (f'"0x{DIGITS[:-2]}"', f'"0x{DIGITS}00"', '"0x"', f'"{FIRST}"')),
    ("Upload", "platform", "hex.malformed", (f'"0x{SECOND[2:].upper()}"', '"alice.eth"', "1")),
    ("Upload", "platform", "hex.malformed", (f'"{Account.from_key(KEYS[SECOND]).address}"',)),
    ("Upload", "platform", "hex.length", (f'"{SECOND[:-2]}"', f'"0x{"00" * 12}{SECOND[2:]}"')),
    ("Rendition", "maker", "account.zero", (f'"{ZERO}"',)),
    ("Claim", "upload", "hex.length", (f'"0x{DIGITS[:-2]}"', '"0x"')),
    ("Countersignature", "account", "account.zero", (f'"{ZERO}"',)),
    ("Countersignature", "statement", "hex.malformed", (f'"0x{DIGITS.upper()}"', '""')),
    ("Agreement", "payer", "account.zero", (f'"{ZERO}"',)),
    ("Agreement", "supersedes", "hex.malformed", ('""', "[]", "0")),
    ("Agreement", "supersedes", "hex.length", ('"0x"', '"0x00"')),
    ("RevenueReport", "corrects", "hex.length", ('"0x"',)),
    ("Rotation", "from", "account.zero", (f'"{ZERO}"',)),
    ("Rotation", "to", "account.zero", (f'"{ZERO}"',)),
    ("Rotation", "to", "hex.malformed", (f'"{Account.from_key(KEYS[SECOND]).address}"',)),
    ("Rotation", "to", "rotation.to_itself", (f'"{FIRST}"',)),
    ("Agreement", "works", "list.length", ("[]", text_of(MANY_HASHES), text_of(MANY_HASHES[0]))),
    ("Agreement", "parties", "list.length", ("[]", text_of([FIRST]), text_of(MANY), text_of({FIRST: SECOND}))),
    ("Agreement", "leaving", "list.length", (text_of(MANY), text_of(FIRST), "0")),
    ("Work", "creators", "list.length", ("[]", text_of(MANY), text_of(FIRST), text_of({"0": FIRST}))),
]

SECOND_ITEM: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("Work", "creators", "list.not_ascending", (text_of(sorted([FIRST, SECOND])[::-1]), text_of([FIRST, FIRST]))),
    ("Work", "creators", "hex.malformed", (text_of([FIRST, None]), text_of([FIRST, [SECOND]]), text_of([FIRST, 1]))),
    ("Work", "creators", "account.zero", (text_of([FIRST, ZERO]),)),
    ("Agreement", "parties", "list.not_ascending", (text_of(BOTH[::-1]), text_of([BOTH[0], BOTH[0]]))),
    (
        "Agreement",
        "parties",
        "hex.malformed",
        (text_of([BOTH[0], f"0x{BOTH[1][2:].upper()}"]), text_of([BOTH[0], None])),
    ),
    ("Agreement", "parties", "hex.malformed", (text_of([BOTH[0], Account.from_key(KEYS[BOTH[1]]).address]),)),
    ("Agreement", "leaving", "list.not_ascending", (text_of(BOTH[::-1]), text_of([BOTH[0], BOTH[0]]))),
    ("Agreement", "works", "list.not_ascending", (text_of(MANY_HASHES[1::-1]), text_of([MANY_HASHES[0]] * 2))),
    ("Agreement", "works", "hex.malformed", (text_of([MANY_HASHES[0], f"0x{DIGITS.upper()}"]),)),
    ("Agreement", "works", "hex.length", (text_of([MANY_HASHES[0], FIRST]),)),
]
"""The same; the field at fault is the list's second item."""

CONTROLS = (0x00, 0x09, 0x0A, 0x0D, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F, 0x2028, 0x2029)
BIDIRECTIONAL = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
EMOJI = "\\ud83d\\ude00"

TEXTS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("Work", "title", "text.empty", ('""', '" "', '"\\u3000\\u00a0"', '"\\t\\n"')),
    ("Work", "title", "text.too_long", ('"' + "a" * 201 + '"', '"' + EMOJI * 201 + '"')),
    ("Upload", "creditedAs", "text.too_long", ('"' + "a" * 201 + '"',)),
    ("Rendition", "tool", "text.too_long", ('"' + "a" * 201 + '"',)),
    ("Upload", "creditedAs", "text.control", tuple(f'"a\\u{code:04x}b"' for code in CONTROLS)),
    ("Rendition", "tool", "text.bidirectional", tuple(f'"a\\u{code:04x}b"' for code in BIDIRECTIONAL)),
    ("Contribution", "creditedAs", "text.too_long", ('"' + "a" * 201 + '"',)),
    ("Cancellation", "reason", "text.empty", ('""', '" "')),
    ("Cancellation", "reason", "text.too_long", ('"' + "a" * 201 + '"',)),
    ("Termination", "reason", "text.control", ('"a\\u0007b"', '"a\\u2028b"')),
    ("Termination", "reason", "text.bidirectional", ('"a\\u202eb"',)),
    ("Work", "title", "json.not_a_string", ("24", "true", '["a"]', '{"a":"b"}')),
    ("Work", "basis", "word.unknown", ('"Own"', '""', '"own "', '"owned"', '"none"')),
    ("Work", "aiUse", "word.unknown", ('"NONE"', '"0"', '"n\\u043ene"')),
    ("Claim", "basis", "word.unknown", ('"Own"', '"gross"', '""')),
    ("Contribution", "role", "word.unknown", ('"Script"', '"author"', '"fact check"', '"viewer_contribution"', '""')),
    ("Contribution", "degree", "word.unknown", ('"Lead"', '"main"', '""')),
    ("Contribution", "agent", "word.unknown", ('"AI"', '"person"', '"machine"', '""')),
    ("Contribution", "agent", "json.not_a_string", ("0", '["human"]')),
    ("RevenueReport", "basis", "word.unknown", ('"Gross"', '"own"', '""')),
    (
        "RevenueReport",
        "currency",
        "text.pattern",
        ('"cny"', '"Cny"', '"CN"', '"CNYX"', '"C1Y"', '""', '"CNY "', '"CNY\\n"'),
    ),
    ("RevenueReport", "currency", "text.pattern", ('"\\uffe5"', '"\\u0421NY"')),
    ("RevenueReport", "currency", "json.not_a_string", ("156",)),
    ("Upload", "aiUse", "json.not_a_string", ("0", "false", '["none"]')),
    ("Work", "mediaType", "text.pattern", ('"video"', '"video/"', '"/mp4"', '"Video/mp4"', '"video/mp4; codecs=x"')),
    ("Work", "mediaType", "text.pattern", ('" video/mp4"', '"video/mp4\\n"', '"a/b/c"', '"\\u0432ideo/mp4"')),
    ("Rendition", "mediaType", "text.pattern", ('""', '"-a/b"', f'"{"a" * 65}/b"', f'"{"a" * 64}/{"b" * 63}"')),
]

AT_ACCEPTANCE: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("Work", "title", "text.not_nfc", ('"e\\u0301"', '"\\u212b"', '"\\u1112\\u1161\\u11ab"', '"\\uf900"')),
    ("Rendition", "tool", "text.not_nfc", ('"a\\u0307\\u0323"', '"\\u0958"')),
    ("Cancellation", "reason", "text.not_nfc", ('"e\\u0301"',)),
    ("Claim", "creditedAs", "text.unassigned", ('"a\\u0378"',)),
    ("Upload", "title", "text.unassigned", ('"a\\u0378"', '"\\ufdd0"', '"\\uffff"', '"\\udbff\\udfff"')),
]
"""Code points in no version of Unicode, or (U+0378) in none so far."""


def members() -> list[dict[str, Any]]:
    """Return all cases."""
    cases = []
    for kind, name, code, values in (*NUMBERS, *HEX, *TEXTS):
        cases += [member(kind, name, value, code, name) for value in values]
    for kind, name, code, values in NOT_READ:
        cases += [member(kind, name, value, code, None) for value in values]
    for kind, name, code, values in SECOND_ITEM:
        cases += [member(kind, name, value, code, f"{name}[1]") for value in values]
    for kind, name, code, values in AT_ACCEPTANCE:
        cases += [member(kind, name, value, code, name, "acceptance") for value in values]
    return cases
