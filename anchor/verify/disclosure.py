"""Selective disclosure: makes a bundle that shows only one account's line of a statement. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.registry.errors import InvalidData
from deedlog.registry.statements.typed_data import typed_data

if TYPE_CHECKING:
    from deedlog.anchor.verify.bundle import Bundle


def open_line(bundle: Bundle, account: bytes) -> Bundle:
    """Return a bundle that shows only the account's line; the others are hashes. All signatures still hold.

    Raises `InvalidData`: `payout_check.no_agreement` if the statement's kind has no lines, `statement.no_line` if the
    account has none that is open, and otherwise as `verify` does.
    """
    verdict = verify(bundle, Pins())
    if verdict.statement.STRUCT.lines is None:
        raise InvalidData("payout_check.no_agreement", kind=verdict.statement.kind)
    return replace(bundle, typed_data=typed_data(verdict.statement.opened(account), verdict.registry))
