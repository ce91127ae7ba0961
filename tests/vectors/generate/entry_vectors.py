"""Make `tests/vectors/entries.json`: entries of every kind with their bytes and leaf hashes, and what is refused.

PYTHONPATH=.:tests python tests/vectors/generate/entry_vectors.py

The bytes are those of the package rfc8785, the statements those of `statements.json`; no code of
`registry.statements.entry` runs.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import rfc8785
from vectors.generate import statement_vectors
from vectors.generate.statement_plain import NONE

PATH = Path(__file__).resolve().parent.parent / "entries.json"
SUBJECTS = {
    "Work": {"content": "contentHash"},
    "Upload": {"content": "contentHash"},
    "Rendition": {"content": "contentHash", "source": "source"},
    "Claim": {"upload": "upload"},
    "Countersignature": {"statement": "statement"},
    "Contribution": {"work": "work"},
    "Agreement": {"payer": "payer", "work": "works", "supersedes": "supersedes"},
    "Cancellation": {"agreement": "agreement"},
    "Termination": {"agreement": "agreement"},
    "RevenueReport": {"work": "work", "corrects": "corrects"},
    "Rotation": {"successor": "to"},
}
"""Of each kind: the members that are its subjects, by their tag; a list is one for each item."""

MAY_BE_NONE = ("supersedes", "corrects")
"""Members that are no subject where all 32 bytes are zero."""

TIME = 1_795_460_000
ABOUT = (
    "Entries: `entry` is the bytes of a leaf (RFC 8785, all ASCII), `leaf_hash` = SHA-256(0x00 ‖ entry). `statement` "
    "names the case of statements.json that the entry is of. `other` are entries of no statement, at the edges of the "
    "format. `refused` are texts that are not an entry, with the reason's code and the member at fault."
)


def subjects_of(kind: str, message: dict[str, Any]) -> list[str]:
    """Return what a statement is about."""
    found = []
    for tag, name in SUBJECTS[kind].items():
        values = message[name] if isinstance(message[name], list) else [message[name]]
        found += [f"{tag}:{value}" for value in values if name not in MAY_BE_NONE or value != NONE]
    return sorted(found)


def value_of(statement: dict[str, Any], time: int) -> dict[str, Any]:
    """Return the members of the entry of a case of statements.json."""
    message = statement["typed_data"]["message"]
    signatures = [{**item, "scheme": "secp256k1"} for item in statement["signatures"]]
    return {
        "digest": statement["digest"],
        "kind": statement["kind"],
        "signatures": sorted(signatures, key=lambda item: str(item["account"])),
        "subjects": subjects_of(statement["kind"], message),
        "time": time,
        "v": 1,
    }


def case(value: dict[str, Any], **names: str) -> dict[str, Any]:
    """Return the case of an entry with these members."""
    entry = rfc8785.dumps(value)
    return {**names, "entry": entry.decode(), "leaf_hash": "0x" + hashlib.sha256(b"\0" + entry).hexdigest()}


def others(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return entries at the edges of the format."""
    escaped = [chr(code) for code in range(0x80)] + ['\\u0041 "quoted" \\ / </']
    changes: dict[str, dict[str, Any]] = {
        "time 0": {"time": 0},
        "the greatest time": {"time": 2**53 - 1},
        "no signature": {"signatures": []},
        "no subject": {"subjects": []},
        "a later kind": {"kind": "Work2", "subjects": ["supersedes:0x" + "ab" * 32, "work:0x" + "cd" * 32]},
        "every ASCII character in a subject": {"subjects": sorted(escaped)},
    }
    return [case(value | change, name=name) for name, change in changes.items()]


def refused(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return texts that are not an entry; `value` has two signatures."""
    good = rfc8785.dumps(value).decode()
    first, second = value["signatures"]
    digits = value["digest"][2:]

    def text(**change: object) -> str:
        return rfc8785.dumps(value | change).decode()

    def signed(**change: object) -> str:
        return text(signatures=[first | change, second])

    canonical = "entry.not_canonical"
    table: list[tuple[str, str, str, str | None]] = [
        ("white space", good.replace(":", ": ", 1), canonical, None),
        ("a line feed at the end", good + "\n", canonical, None),
        ("members in another order", json.dumps(dict(reversed(value.items())), separators=(",", ":")), canonical, None),
        ("an escape that is not needed", good.replace('"Work"', '"\\u0057ork"'), canonical, None),
        ("an escape in upper case", text(subjects=["\x1f"]).replace("\\u001f", "\\u001F"), canonical, None),
        ("a long escape", text(subjects=["\n"]).replace("\\n", "\\u000a"), canonical, None),
        ("an escaped slash", text(subjects=["/"]).replace('"/"', '"\\/"'), canonical, None),
        ("an escaped U+007F", text(subjects=["\x7f"]).replace("\x7f", "\\u007f"), canonical, None),
        ("time as -0", text(time=0).replace('"time":0', '"time":-0'), canonical, None),
        ("signatures descending", text(signatures=[second, first]), canonical, None),
        ("an account twice", text(signatures=[first, first]), "signature.account_twice", None),
        ("subjects descending", text(subjects=["work:0x", "content:0x"]), canonical, None),
        ("a digest in upper case", text(digest="0x" + digits.upper()), "hex.malformed", "digest"),
        ("a short digest", text(digest="0x" + digits[2:]), "hex.length", "digest"),
        ("v 2", text(v=2), "entry.version", "v"),
        ("v as text", text(v="1"), "entry.version", "v"),
        ("v true", text(v=True), "entry.version", "v"),
        ("no kind", text(kind=""), "entry.kind", "kind"),
        ("a kind with a space", text(kind="Work "), "entry.kind", "kind"),
        ("a kind with another letter", text(kind="W\u043erk"), "entry.kind", "kind"),
        ("a kind that is a number", text(kind=1), "entry.kind", "kind"),
        ("a time before 1970", text(time=-1), "entry.time", "time"),
        ("time as text", text(time=str(TIME)), "entry.time", "time"),
        ("time true", text(time=True), "entry.time", "time"),
        ("a time with a fraction", good.replace(str(TIME), f"{TIME}.0"), "json.fraction", None),
        ("a time with an exponent", good.replace(str(TIME), "1e9"), "json.fraction", None),
        ("a time that doubles cannot hold", good.replace(str(TIME), str(2**53)), "json.integer", None),
        ("signatures as an object", text(signatures=first), "entry.lists", None),
        ("subjects as text", text(subjects="content"), "entry.lists", None),
        ("a subject that is a number", text(subjects=[1]), "entry.subjects", "subjects"),
        ("a subject that is not ASCII", text(subjects=["title:怎样"]), "entry.subjects", "subjects"),
        ("another scheme", signed(scheme="p256"), "signature.scheme", "signatures.scheme"),
        ("no scheme", signed(scheme=0), "signature.scheme", "signatures.scheme"),
        ("a signature of 64 bytes", signed(signature="0x" + "11" * 64), "hex.length", "signatures.signature"),
        ("an account in EIP-55", signed(account="0x" + "aB" * 20), "hex.malformed", "signatures.account"),
        ("a signature with a member more", signed(time=1), "json.member_unknown", "signatures.time"),
        ("a signature that is text", text(signatures=["0x"]), "json.not_an_object", "signatures"),
        ("a member more", text(title="x"), "json.member_unknown", "title"),
        ("null", text(time=None), "json.null", "time"),
        ("a member twice", good.replace('"v":1', '"v":1,"v":1'), "json.member_twice", "v"),
        ("a list", f"[{good}]", "json.not_an_object", ""),
        ("two entries", good + good, "json.malformed", None),
        ("nothing", "", "json.malformed", None),
        ("a byte order mark", "\ufeff" + good, "json.malformed", None),
    ]
    for name in value:
        rest = {other: item for other, item in value.items() if other != name}
        table.append((f"no {name}", rfc8785.dumps(rest).decode(), "json.member_missing", name))
    return [{"name": name, "text": text, "code": code, "field": field} for name, text, code, field in table]


def render() -> str:
    """Return the file's text."""
    statements = json.loads(statement_vectors.PATH.read_text(encoding="utf-8"))["cases"]
    cases = [case(value_of(item, TIME + at), statement=item["name"]) for at, item in enumerate(statements)]
    by_name = {item["name"]: item for item in statements}
    value = {
        "about": ABOUT,
        "entries": cases,
        "other": others(value_of(by_name["Work: plain"], TIME)),
        "refused": refused(value_of(by_name["Work: two_creators"], TIME)),
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
