"""The statements of `statements.json`: of every kind a plain one, and ones at the edges of what its members hold."""

from __future__ import annotations

from typing import Any

from vectors.generate.statement_plain import BOTH, FIRST, FOURTH, KEYS, PLAIN, SECOND, THIRD, pattern

GREATEST = str(2**64 - 1)
BEYOND_DOUBLES = str(2**53 + 1)
LONGEST_MEDIA_TYPE = "a" * 64 + "/" + "z" * 62
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
"""Four people joined by U+200D (ZWJ), shown as one."""

OHM = "4.7 k\u2126"
"""NFC replaces U+2126 by another omega."""

ROLES = (
    *("script", "presenter", "research", "fact-check", "camera", "editing", "animation", "music", "translation"),
    *("subtitles", "reviewer", "producer", "supervisor", "material", "viewer-contribution"),
)

TEXTS: dict[str, tuple[str, ...]] = {
    "Work": ("title", "creditedAs"),
    "Upload": ("title", "creditedAs"),
    "Rendition": ("tool",),
    "Claim": ("creditedAs",),
    "Contribution": ("creditedAs",),
    "Cancellation": ("reason",),
    "Termination": ("reason",),
}
TIMES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(PLAIN, ("madeAt",)),
    "Upload": ("uploadedAt",),
    "Agreement": ("acceptBy", "effectiveFrom", "effectiveUntil"),
    "Termination": ("effectiveFrom",),
    "RevenueReport": ("periodStart", "periodEnd"),
}
HASHES: dict[str, tuple[str, ...]] = {
    "Work": ("contentHash", "salt"),
    "Upload": ("contentHash", "uploader", "salt"),
    "Rendition": ("source", "contentHash", "salt"),
    "Claim": ("upload", "salt"),
    "Countersignature": ("statement", "salt"),
    "Contribution": ("work", "salt"),
    "Agreement": ("termsHash", "supersedes", "salt"),
    "Cancellation": ("agreement", "salt"),
    "Termination": ("agreement", "salt"),
    "RevenueReport": ("work", "corrects", "salt"),
    "Rotation": ("salt",),
}

LEAST_HASH, GREATEST_HASH = "0x" + "00" * 32, "0x" + "ff" * 32
NOT_ACCEPTED = ("not_nfc", "unassigned")
OF_TEXTS = ("chinese", "emoji_joined", "like_other_types", "escaped", *NOT_ACCEPTED)
"""Cases of the kinds that have texts."""


def lines(parties: list[str], ppm: list[int], **members: str) -> list[dict[str, Any]]:
    """Return the lines of an agreement, with every role in turn and a salt for each."""
    return [
        {"party": party, "role": ROLES[at % len(ROLES)], "ppm": each, "salt": pattern(at), **members}
        for at, (party, each) in enumerate(zip(parties, ppm, strict=True))
    ]


def agreements() -> dict[str, dict[str, Any]]:
    """Return what only agreements have."""
    three = sorted([FIRST, SECOND, FOURTH])
    most, rest = sorted(list(KEYS)[:64]), sorted(list(KEYS)[64:])
    works = [f"0x{'ff' * 31}{number:02x}" for number in range(192, 256)]
    return {
        "least": {
            "works": [LEAST_HASH],
            "shares": [
                {**line, "ppm": ppm, "salt": LEAST_HASH}
                for line, ppm in zip(PLAIN["Agreement"]["shares"], (1, 999_999), strict=True)
            ],
        },
        "greatest": {
            "works": works,
            "parties": most,
            "leaving": rest,
            "shares": lines(most, [15_625] * 64, salt=GREATEST_HASH),
            "effectiveFrom": str(2**64 - 2),
        },
        "beyond_doubles": {"acceptBy": BEYOND_DOUBLES, "effectiveFrom": BEYOND_DOUBLES},
        "amended": {
            "works": [pattern(0xA4), pattern(0xA5)],
            "parties": three,
            "leaving": [THIRD],
            "shares": lines(three, [333_333, 333_333, 333_334]),
            "effectiveUntil": "1827619200",
            "supersedes": pattern(0xE4),
        },
        "every_role": {
            "parties": sorted(list(KEYS)[:15]),
            "shares": lines(sorted(list(KEYS)[:15]), [66_666] * 14 + [66_676]),
        },
    }


SPECIAL: dict[str, dict[str, dict[str, Any]]] = {
    "Work": {
        "two_creators": {"creators": BOTH, "basis": "commission", "aiUse": "generated"},
        "greatest": {"creators": sorted(list(KEYS)[:64])},
    },
    "Claim": {"commissioned": {"basis": "commission"}},
    "Contribution": {
        "of_a_machine": {"role": "subtitles", "degree": "supporting", "agent": "ai"},
        "of_a_tool": {"role": "fact-check", "degree": "equal", "agent": "tool"},
    },
    "Agreement": agreements(),
    "RevenueReport": {
        "least": {"periodEnd": "1", "amount": str(-(2**255))},
        "greatest": {"periodStart": str(2**64 - 2), "amount": str(2**255 - 1), "currency": "ZZZ", "basis": "gross"},
        "beyond_doubles": {"periodStart": BEYOND_DOUBLES, "amount": BEYOND_DOUBLES},
        "nothing": {"amount": "0"},
        "refund": {"amount": "-1"},
        "refund_beyond_doubles": {"amount": f"-{BEYOND_DOUBLES}"},
        "correction": {"amount": "1234566", "corrects": pattern(0xE7)},
    },
}
"""What only one kind has: cases of its own, and what it needs in those of all."""


def messages(kind: str) -> dict[str, dict[str, Any]]:
    """Return messages of one kind by the name of the case."""

    def texts(*values: str) -> dict[str, str]:
        return dict(zip(TEXTS.get(kind, ()), values, strict=False))

    def least_or_greatest(value: str, content: dict[str, str]) -> dict[str, str]:
        return {name: item for name, item in content.items() if name in PLAIN[kind]} | dict.fromkeys(
            HASHES[kind], value
        )

    def times(value: str) -> dict[str, str]:
        return dict.fromkeys(TIMES[kind], value)

    changes: dict[str, dict[str, Any]] = {
        "plain": {},
        "chinese": texts("怎样读论文：先读摘要，再读结论", "爱丽丝·王（\U00020bb7野家）"),
        "emoji_joined": texts(f"{FAMILY} at home \U0001f3f3\ufe0f\u200d\U0001f308", f"\U0001f44b\U0001f3fd {FAMILY}"),
        "like_other_types": texts("0x00", "1e3"),
        "escaped": texts('"\\" </b> & {"a":1} \u00e9', "O'Neill \u00fcber \u0414\u0436"),
        "least": {**texts("x", "y"), **least_or_greatest(LEAST_HASH, {"contentLength": "1"}), **times("0")},
        "greatest": {
            **texts("\U0010fffd" * 200, "\U0001f600" * 200),
            **least_or_greatest(GREATEST_HASH, {"contentLength": GREATEST, "mediaType": LONGEST_MEDIA_TYPE}),
            **times(GREATEST),
        },
        "beyond_doubles": {
            **({"contentLength": BEYOND_DOUBLES} if "contentLength" in PLAIN[kind] else {}),
            **times(str(2**63)),
        },
        "not_nfc": texts("cafe\u0301", OHM),
        "unassigned": texts("a\u0378", "\ufdd0"),
    }
    if kind not in TEXTS:
        changes = {name: change for name, change in changes.items() if name not in OF_TEXTS}
    for name, change in SPECIAL.get(kind, {}).items():
        changes[name] = changes.get(name, {}) | change
    return {name: PLAIN[kind] | change for name, change in changes.items()}
