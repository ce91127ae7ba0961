"""Problem details (RFC 9457): an error as an HTTP answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from deedlog.api.texts import error_text
from deedlog.registry.errors import DeedlogError, Unavailable
from deedlog.registry.hexadecimal import ACCOUNT_SIZE, from_hex, to_checksum
from deedlog.registry.strict_json import MAXIMUM_INTEGER, JsonError

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:deedlog:problem:"

_ACCOUNTS = re.compile(r"0x[0-9a-f]{40}(?:, 0x[0-9a-f]{40})*", re.ASCII)

_STATUS = {
    "api_key.invalid": 401,
    "api_key.missing": 401,
    "api_key.scope": 403,
    "draft.unknown": 404,
    "http.head_too_large": 431,
    "http.internal": 500,
    "http.malformed": 400,
    "http.method_not_allowed": 405,
    "http.not_found": 404,
    "http.request": 400,
    "http.too_large": 413,
    "http.too_slow": 408,
    "json.too_large": 413,
    "quota.exceeded": 429,
    "sign_in.missing": 401,
    "sign_in.session": 401,
    "statement.erased": 410,
    "statement.unknown": 404,
    "statement.withheld": 403,
    "tile.path": 404,
    **dict.fromkeys(
        (
            "account.rotated_away",
            "agreement.before_report",
            "agreement.cancelled",
            "agreement.expired",
            "agreement.stale",
            "agreement.superseded",
            "agreement.terminated",
            "cancellation.complete",
            "claim.taken",
            "countersignature.twice",
            "draft.signed_already",
            "report.corrected",
            "report.overlaps",
            "idempotency_key.other_content",
            "rotation.to_somebody",
            "statement.not_logged_yet",
            "termination.before_report",
            "termination.over",
        ),
        409,  # valid by itself, but in conflict with what the registry has stored
    ),
}


def status_of(error: DeedlogError) -> int:
    """Return the HTTP status of an error."""
    return status_for(error.code, type(error))


def status_for(code: str, kind: type[DeedlogError]) -> int:
    """Return the HTTP status of a code that errors of this class have.

    It is that of the table; else 400 for malformed JSON, 503 for `Unavailable`, 422.
    """
    if code in _STATUS:
        return _STATUS[code]
    if issubclass(kind, JsonError):
        return 400
    return 503 if issubclass(kind, Unavailable) else 422


def problem(error: DeedlogError, language: str) -> dict[str, Any]:
    """Return the problem's JSON, with its text in the given language."""
    said = type(error)(error.code, field=error.field)
    said.params.update(show_params(error.params))
    return {
        "type": TYPE_PREFIX + error.code,
        "title": error.code,
        "status": status_of(error),
        "detail": error_text(language, said),
        "code": error.code,
        "field": error.field or None,
        "params": said.params,
    }


def show_params(params: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return the parameters of a text in the form that answers use: accounts in EIP-55, large integers as strings."""
    return {name: _shown(value) for name, value in params.items()}


def _shown(value: str | int) -> str | int:
    if isinstance(value, int):
        # RFC 8259 §6: JSON parsers disagree about larger integers.
        return str(value) if abs(value) > MAXIMUM_INTEGER else value
    if _ACCOUNTS.fullmatch(value):
        return ", ".join(to_checksum(from_hex(account, ACCOUNT_SIZE, None)) for account in value.split(", "))
    return value
