"""The bytes of one leaf in the log: canonical JSON (RFC 8785), public and permanent, without the body.

All members are ASCII and the numbers are small integers, so RFC 8785 only requires sorted members and no white space. A
test compares this with an independent implementation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, HASH_SIZE, from_hex, to_hex
from deedlog.registry.statements.signatures import SECP256K1, SIGNATURE_SIZE, Signature, ascending
from deedlog.registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Sequence

MAXIMUM_SIZE = 65_535
"""The longest entry, in bytes. C2SP tlog-tiles stores an entry's length as a uint16 in its entry bundle."""

VERSION = 1
_TIME_DIGITS = 16
"""The digits reserved for the time when an entry is measured: the most that a JSON integer may have."""

_HEX_ACCOUNT, _HEX_SIGNATURE = r"0x[0-9a-f]{40}", r"0x[0-9a-f]{130}"
_SIGNATURE = rf'\{{"account":"{_HEX_ACCOUNT}","scheme":"{SECP256K1}","signature":"{_HEX_SIGNATURE}"\}}'
_SUBJECT = r'"[ !#-\[\]-\x7f]*"'  # ASCII that RFC 8785 writes without an escape
_CANONICAL = re.compile(
    r'\{"digest":"0x(?P<digest>[0-9a-f]{64})","kind":"(?P<kind>[0-9A-Za-z]+)",'
    rf'"signatures":\[(?P<signatures>(?:{_SIGNATURE}(?:,{_SIGNATURE})*)?)\],'
    rf'"subjects":\[(?P<subjects>(?:{_SUBJECT}(?:,{_SUBJECT})*)?)\],'
    rf'"time":(?P<time>0|[1-9][0-9]{{0,{_TIME_DIGITS - 1}}}),"v":{VERSION}\}}',
    re.ASCII,
)
"""The canonical form as a regular expression, except for the order of its lists and the largest time."""

# RFC 8785 §3.2.2.2 does not escape U+007F, but Python would with `ensure_ascii`.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)

_ACCOUNT_AT = len('{"account":"0x')
_SIGNATURE_AT = _ACCOUNT_AT + 2 * ACCOUNT_SIZE + len(f'","scheme":"{SECP256K1}","signature":"0x')
_STRIDE = _SIGNATURE_AT + 2 * SIGNATURE_SIZE + len('"},')
"""The characters of one signature and the comma after it: the same number for all signatures."""


class EntryError(InvalidData):
    """The bytes are not an entry in canonical form."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed entry. `time` (Unix seconds) is set by the sequencer and is never evidence."""

    digest: bytes
    kind: str
    signatures: tuple[Signature, ...]
    subjects: tuple[str, ...]
    time: int


def prefix(kind: str, digest: bytes, signatures: Sequence[Signature], subjects: Sequence[str]) -> bytes:
    """Return an entry's bytes up to its time, as stored at acceptance.

    RFC 8785 §3.2.3 sorts members by name, so `time` and `v` come last. Raises `EntryError` (`entry.too_large`), and
    `InvalidData` (`signature.account_twice`).
    """
    value = {
        "digest": to_hex(digest),
        "kind": kind,
        "signatures": [
            {
                "account": to_hex(signature.account),
                "scheme": signature.scheme,
                "signature": to_hex(signature.signature),
            }
            for signature in ascending(signatures)
        ],
        "subjects": sorted(subjects),
    }
    text = _ENCODER.encode(value).encode("ascii")
    opened = text[:-1]  # without the closing brace, which `_closing` adds
    if len(opened) + len(_closing(0)) + _TIME_DIGITS > MAXIMUM_SIZE:
        raise EntryError("entry.too_large", maximum=MAXIMUM_SIZE)
    return opened


def complete(opened: bytes, time: int) -> bytes:
    """Return the bytes of the whole entry: `opened`, which `prefix` returned, and the time (Unix seconds)."""
    return opened + _closing(time)


def build(entry: Entry) -> bytes:
    """Return the bytes of an entry."""
    return complete(prefix(entry.kind, entry.digest, entry.signatures, entry.subjects), entry.time)


def parse(data: bytes) -> Entry:
    """Parse the bytes of an entry. Raises `EntryError` unless they are in canonical form."""
    return _parse_canonical(data) or _parse_strictly(data)


def _parse_canonical(data: bytes) -> Entry | None:
    """Parse an entry in canonical form at a fifth of the cost; return None if it has an escape or is not canonical.

    `_parse_strictly` gives the same result for all that is parsed here, and reports what is wrong with the rest.
    """
    if len(data) > MAXIMUM_SIZE or not data.isascii():
        return None
    text = data.decode("ascii")
    match = _CANONICAL.fullmatch(text)
    if match is None:
        return None
    start, end = match.span("signatures")
    signatures = tuple(
        Signature(
            bytes.fromhex(text[at + _ACCOUNT_AT : at + _ACCOUNT_AT + 2 * ACCOUNT_SIZE]),
            bytes.fromhex(text[at + _SIGNATURE_AT : at + _SIGNATURE_AT + 2 * SIGNATURE_SIZE]),
        )
        for at in range(start, end, _STRIDE)
    )
    inside = match["subjects"]
    subjects = tuple(inside[1:-1].split('","')) if inside else ()
    time = int(match["time"])
    if (
        time > strict_json.MAXIMUM_INTEGER
        or any(first >= second for first, second in pairwise([item.account for item in signatures]))
        or any(first > second for first, second in pairwise(subjects))
    ):
        return None
    return Entry(bytes.fromhex(match["digest"]), match["kind"], signatures, subjects, time)


def _parse_strictly(data: bytes) -> Entry:
    try:
        entry = _read(strict_json.loads(data, MAXIMUM_SIZE))
        rebuilt = build(entry)
    except EntryError:
        raise
    except InvalidData as error:
        raise EntryError(error.code, field=error.field, **error.params) from error
    if rebuilt != data:
        raise EntryError("entry.not_canonical")
    return entry


def _closing(time: int) -> bytes:
    return b',"time":%d,"v":%d}' % (time, VERSION)


def _read(value: Any) -> Entry:
    data = members(value, ("digest", "kind", "signatures", "subjects", "time", "v"), "")
    if data["v"] != VERSION or isinstance(data["v"], bool):
        raise EntryError("entry.version", field="v", expected=VERSION)
    if not isinstance(data["kind"], str) or not data["kind"].isascii() or not data["kind"].isalnum():
        raise EntryError("entry.kind", field="kind")
    if not isinstance(data["time"], int) or isinstance(data["time"], bool) or data["time"] < 0:
        raise EntryError("entry.time", field="time")
    if not isinstance(data["signatures"], list) or not isinstance(data["subjects"], list):
        raise EntryError("entry.lists")
    if not all(isinstance(subject, str) and subject.isascii() for subject in data["subjects"]):
        raise EntryError("entry.subjects", field="subjects")
    return Entry(
        digest=from_hex(data["digest"], HASH_SIZE, "digest"),
        kind=data["kind"],
        signatures=tuple(_signature(item) for item in data["signatures"]),
        subjects=tuple(data["subjects"]),
        time=data["time"],
    )


def _signature(value: Any) -> Signature:
    data = members(value, ("account", "scheme", "signature"), "signatures")
    if data["scheme"] != SECP256K1:
        raise EntryError(
            "signature.scheme", field="signatures.scheme", expected=SECP256K1, scheme=str(data["scheme"])[:32]
        )
    return Signature(
        account=from_hex(data["account"], ACCOUNT_SIZE, "signatures.account"),
        scheme=SECP256K1,
        signature=from_hex(data["signature"], SIGNATURE_SIZE, "signatures.signature"),
    )
