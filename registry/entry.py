"""The bytes of one leaf in the log: canonical JSON (RFC 8785), public and permanent, without the body.

All members are ASCII and the one number is small, so RFC 8785 comes down to sorted members and no white space; a test
holds this against an independent implementation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from registry import strict_json
from registry.errors import InvalidData
from registry.hexadecimal import ACCOUNT_SIZE, HASH_SIZE, from_hex, to_hex
from registry.signatures import SECP256K1, SIGNATURE_SIZE, Signature, ascending
from registry.strict_json import members

if TYPE_CHECKING:
    from collections.abc import Sequence

MAXIMUM_SIZE = 65_535
"""C2SP tlog-tiles: an entry's length is a uint16 in its bundle."""

VERSION = 1
_TIME_DIGITS = 16
"""Room left for the time when an entry is measured: as many digits as a JSON integer may have."""


class EntryError(InvalidData):
    """The bytes are not an entry in its one canonical form."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry says. `time` is Unix seconds, set by the sequencer, and never evidence."""

    digest: bytes
    kind: str
    signatures: tuple[Signature, ...]
    subjects: tuple[str, ...]
    time: int


def opening(kind: str, digest: bytes, signatures: Sequence[Signature], subjects: Sequence[str]) -> bytes:
    """Return an entry's bytes up to its time, as stored at acceptance; raise `EntryError` (`entry.too_large`).

    RFC 8785 §3.2.3 sorts members by name, so that `time` and `v` come last.
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
    # RFC 8785 §3.2.2.2 leaves U+007F as it is; with `ensure_ascii`, Python would escape it.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("ascii")
    opened = text[:-1]  # without the brace that `_closing` brings
    if len(opened) + len(_closing(0)) + _TIME_DIGITS > MAXIMUM_SIZE:
        raise EntryError("entry.too_large", maximum=MAXIMUM_SIZE)
    return opened


def close(opened: bytes, time: int) -> bytes:
    """Return the whole entry: what `opening` returned, and the time at which the sequencer took it."""
    return opened + _closing(time)


def build(entry: Entry) -> bytes:
    """Return the bytes of an entry."""
    return close(opening(entry.kind, entry.digest, entry.signatures, entry.subjects), entry.time)


def parse(data: bytes) -> Entry:
    """Return what an entry's bytes say; raise `EntryError` unless they are its one canonical form."""
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
