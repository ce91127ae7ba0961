"""A plain statement of each kind in its JSON form, and who signs it: what all other vectors of statements vary."""

from __future__ import annotations

from typing import Any

from eth_account import Account

KEYS = {Account.from_key(key).address.lower(): key for key in (number.to_bytes(32, "big") for number in range(1, 129))}
"""Private key by account: the numbers 1 to 128. Everybody knows them."""

FIRST, SECOND, THIRD, FOURTH = list(KEYS)[:4]
BOTH = sorted([FIRST, SECOND])
NONE = "0x" + "00" * 32


def pattern(first: int) -> str:
    """Return 32 bytes in hex that count up from `first`."""
    return "0x" + bytes((first + position) % 256 for position in range(32)).hex()


PLAIN: dict[str, dict[str, Any]] = {
    "Work": {
        "title": "How to read a paper",
        "creditedAs": "Alice",
        "creators": [FIRST],
        "basis": "own",
        "aiUse": "none",
        "contentHash": "0x15ec2a17adcf02d5a1df4195cdf77b6c6dab957457a8957a373e6993ad1fe333",
        "contentLength": "24",
        "mediaType": "video/mp4",
        "madeAt": "1795459900",
        "salt": pattern(0x00),
    },
    "Upload": {
        "title": "How to read a paper",
        "creditedAs": "user 17",
        "aiUse": "assisted",
        "contentHash": "0x15ec2a17adcf02d5a1df4195cdf77b6c6dab957457a8957a373e6993ad1fe333",
        "contentLength": "24",
        "mediaType": "video/mp4",
        "platform": SECOND,
        "uploader": pattern(0x20),
        "uploadedAt": "1795459950",
        "salt": pattern(0x40),
    },
    "Rendition": {
        "source": pattern(0xA0),
        "contentHash": pattern(0xC0),
        "contentLength": "7",
        "mediaType": "video/webm",
        "tool": "ffmpeg 7 -vf scale=640:-2",
        "maker": SECOND,
        "madeAt": "1795459960",
        "salt": pattern(0x60),
    },
    "Claim": {
        "upload": pattern(0xA1),
        "creator": FIRST,
        "creditedAs": "Alice",
        "basis": "own",
        "madeAt": "1795459970",
        "salt": pattern(0x01),
    },
    "Countersignature": {
        "statement": pattern(0xA2),
        "account": SECOND,
        "madeAt": "1795459980",
        "salt": pattern(0x02),
    },
    "Contribution": {
        "work": pattern(0xA3),
        "contributor": SECOND,
        "role": "script",
        "degree": "lead",
        "creditedAs": "Bob",
        "agent": "human",
        "madeAt": "1795459990",
        "salt": pattern(0x03),
    },
    "Agreement": {
        "works": [pattern(0xA4)],
        "parties": BOTH,
        "leaving": [],
        "shares": [
            {"party": BOTH[0], "role": "presenter", "ppm": 600_000, "salt": pattern(0x04)},
            {"party": BOTH[1], "role": "script", "ppm": 400_000, "salt": pattern(0x24)},
        ],
        "termsHash": pattern(0xC4),
        "payer": THIRD,
        "acceptBy": "1796064800",
        "effectiveFrom": "1796083200",
        "effectiveUntil": "0",
        "supersedes": NONE,
        "salt": pattern(0x44),
    },
    "Cancellation": {
        "agreement": pattern(0xA5),
        "reason": "We agreed on other shares",
        "madeAt": "1795460010",
        "salt": pattern(0x05),
    },
    "Termination": {
        "agreement": pattern(0xA6),
        "reason": "The series is over",
        "effectiveFrom": "1798761600",
        "salt": pattern(0x06),
    },
    "RevenueReport": {
        "work": pattern(0xA7),
        "periodStart": "1796083200",
        "periodEnd": "1798761600",
        "currency": "CNY",
        "amount": "1234567",
        "basis": "net",
        "corrects": NONE,
        "payer": THIRD,
        "salt": pattern(0x07),
    },
    "Rotation": {
        "from": FIRST,
        "to": FOURTH,
        "madeAt": "1795460020",
        "salt": pattern(0x08),
    },
}
"""The members of a plain statement of each kind, in their JSON form."""

SIGNERS = {"Cancellation": [SECOND], "Termination": BOTH}
"""Who signs where the statement does not say: it is the agreement that names the parties."""
