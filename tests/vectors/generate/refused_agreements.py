"""What `refused_vectors.py` writes of agreements and reports: members that are each in order and do not go together."""

from __future__ import annotations

from typing import Any

from vectors.generate.refused_base import changed, data_of, edit, plain, refused, text_of
from vectors.generate.statement_plain import FIRST, FOURTH, KEYS, PLAIN, THIRD, pattern

AGREEMENT, REPORT = PLAIN["Agreement"], PLAIN["RevenueReport"]
SHARES: list[dict[str, Any]] = AGREEMENT["shares"]
LINE_HASH = pattern(0x30)
"""Stands for the struct hash of a line: what is hidden is not looked at."""


def with_ppm(*ppm: int) -> list[dict[str, Any]]:
    """Return the two lines with other shares."""
    return [{**line, "ppm": each} for line, each in zip(SHARES, ppm, strict=True)]


def sized(number: int) -> list[dict[str, Any]]:
    """Return that many lines."""
    parties = sorted(KEYS)[:number]
    return [{"party": party, "role": "editing", "ppm": 1, "salt": pattern(at)} for at, party in enumerate(parties)]


TOGETHER: list[tuple[str, dict[str, Any], str, str]] = [
    ("one part more than all", {"shares": with_ppm(600_000, 400_001)}, "agreement.sum", "shares"),
    ("one part less than all", {"shares": with_ppm(599_999, 400_000)}, "agreement.sum", "shares"),
    ("percent", {"shares": with_ppm(60, 40)}, "agreement.sum", "shares"),
    ("all for each", {"shares": with_ppm(1_000_000, 1_000_000)}, "agreement.sum", "shares"),
    (
        "all for one, and another hidden",
        {"shares": [with_ppm(1_000_000, 1)[0], LINE_HASH]},
        "agreement.sum",
        "shares",
    ),
    ("no share", {"shares": []}, "list.length", "shares"),
    ("one share", {"shares": SHARES[:1]}, "list.length", "shares"),
    ("65 shares", {"shares": sized(65)}, "list.length", "shares"),
    ("shares as one", {"shares": SHARES[0]}, "list.length", "shares"),
    ("three shares of two parties", {"shares": sized(3)}, "agreement.lines", "shares"),
    ("two shares of three parties", {"parties": sorted([*AGREEMENT["parties"], THIRD])}, "agreement.lines", "shares"),
    ("two hidden shares and one more", {"shares": [LINE_HASH] * 3}, "agreement.lines", "shares"),
    ("shares in another order", {"shares": SHARES[::-1]}, "agreement.line_of_another", "shares[0].party"),
    (
        "a share of somebody else",
        {"shares": [SHARES[0], {**SHARES[1], "party": FOURTH}]},
        "agreement.line_of_another",
        "shares[1].party",
    ),
    (
        "a share of somebody else beside a hidden one",
        {"shares": [LINE_HASH, {**SHARES[1], "party": FOURTH}]},
        "agreement.line_of_another",
        "shares[1].party",
    ),
    (
        "the same party twice in the shares",
        {"shares": [SHARES[0], {**SHARES[0], "ppm": 400_000}]},
        "agreement.line_of_another",
        "shares[1].party",
    ),
    (
        "leaving somebody who stays",
        {"leaving": [FIRST], "supersedes": pattern(0xE4)},
        "agreement.stays_and_leaves",
        "leaving",
    ),
    ("leaving nothing", {"leaving": [FOURTH]}, "agreement.nothing_to_leave", "leaving"),
    ("ends when it begins", {"effectiveUntil": "1796083200"}, "agreement.ends_before_it_begins", "effectiveUntil"),
    ("ends before it begins", {"effectiveUntil": "1796083199"}, "agreement.ends_before_it_begins", "effectiveUntil"),
    ("ends in 1970", {"effectiveUntil": "1"}, "agreement.ends_before_it_begins", "effectiveUntil"),
    ("a hidden line of 31 bytes", {"shares": [LINE_HASH[:-2], SHARES[1]]}, "hex.length", "shares[0]"),
    ("a hidden line of 33 bytes", {"shares": [SHARES[0], f"{LINE_HASH}00"]}, "hex.length", "shares[1]"),
    ("a hidden line of no bytes", {"shares": ["0x", SHARES[1]]}, "hex.length", "shares[0]"),
    ("a hidden line in upper case", {"shares": [f"0x{'AB' * 32}", SHARES[1]]}, "hex.malformed", "shares[0]"),
    ("a hidden line without 0x", {"shares": [LINE_HASH[2:], SHARES[1]]}, "hex.malformed", "shares[0]"),
    ("a hidden line that is empty", {"shares": ["", SHARES[1]]}, "hex.malformed", "shares[0]"),
    ("a line that is a number", {"shares": [600_000, SHARES[1]]}, "json.not_an_object", "shares[0]"),
    ("a line that is a list", {"shares": [list(SHARES[0].values()), SHARES[1]]}, "json.not_an_object", "shares[0]"),
    ("a line that is null", {"shares": [SHARES[0], None]}, "json.not_an_object", "shares[1]"),
    (
        "a line with a note",
        {"shares": [{**SHARES[0], "note": "x"}, SHARES[1]]},
        "json.member_unknown",
        "shares[0].note",
    ),
]
"""What of an agreement, its changed members, code and field."""

IN_LINE: list[tuple[str, str, str, str | None]] = [
    *(("ppm", value, "integer.range", "shares[0].ppm") for value in ("0", "-1", "-600000", "1000001", "4294967296")),
    *(("ppm", value, "integer.not_a_number", "shares[0].ppm") for value in ('"600000"', '"60%"', "true", "[600000]")),
    *(("ppm", value, "json.fraction", None) for value in ("600000.0", "0.6", "6e5")),
    *(("role", value, "word.unknown", "shares[0].role") for value in ('"Presenter"', '"author"', '""')),
    ("role", "1", "json.not_a_string", "shares[0].role"),
    ("party", f'"0x{"00" * 20}"', "account.zero", "shares[0].party"),
    ("party", f'"0x{SHARES[0]["party"][2:].upper()}"', "hex.malformed", "shares[0].party"),
    ("salt", '"0x00"', "hex.length", "shares[0].salt"),
]
"""Member of the first line, the JSON text of its value, code and field."""


def in_line(name: str, value: str, code: str, field: str | None) -> dict[str, Any]:
    """Return the case of an agreement whose first line has the JSON text `value` as a member."""
    line = text_of(SHARES[0])
    other = edit(line, f'"{name}":{text_of(SHARES[0][name])}', f'"{name}":{value}')
    return refused(f"Agreement.shares[0].{name} is {value}", edit(plain("Agreement"), line, other), code, field)


def agreements() -> list[dict[str, Any]]:
    """Return what is no agreement, or is not accepted as one."""
    cases = [
        refused(f"Agreement: {name}", changed("Agreement", "message", AGREEMENT | change), code, field)
        for name, change, code, field in TOGETHER
    ]
    cases += [in_line(*row) for row in IN_LINE]
    for name in SHARES[0]:
        rest = {other: value for other, value in SHARES[0].items() if other != name}
        for how, line, code in (
            ("is missing", rest, "json.member_missing"),
            ("is null", {**SHARES[0], name: None}, "json.null"),
        ):
            message = {**AGREEMENT, "shares": [line, SHARES[1]]}
            text = changed("Agreement", "message", message)
            cases.append(refused(f"Agreement.shares[0].{name} {how}", text, code, f"shares[0].{name}"))
        line = text_of(SHARES[0])
        text = edit(plain("Agreement"), line, f'{{"{name}":{text_of(SHARES[0][name])},{line[1:]}')
        cases.append(refused(f"Agreement.shares[0].{name} stands twice", text, "json.member_twice", name))
    for at in range(2):
        shares = [LINE_HASH if position == at else line for position, line in enumerate(SHARES)]
        text = changed("Agreement", "message", {**AGREEMENT, "shares": shares})
        cases.append(refused(f"Agreement.shares[{at}] is hidden", text, "line.hidden", f"shares[{at}]", "acceptance"))
    return cases


def reports() -> list[dict[str, Any]]:
    """Return reports of a period that is none."""
    table = {"is empty": REPORT["periodStart"], "ends before it starts": "1796083199", "ends in 1970": "0"}
    return [
        refused(
            f"RevenueReport: the period {name}",
            text_of({**data_of("RevenueReport"), "message": {**REPORT, "periodEnd": end}}),
            "report.period",
            "periodEnd",
        )
        for name, end in table.items()
    ]
