"""Selective disclosure: a bundle in which one account's line of a statement can be read. Pure."""

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
    """Return a bundle in which only one account's line can be read; all signatures still hold."""
    verdict = verify(bundle, Pins())
    if verdict.statement.STRUCT.lines is None:
        raise InvalidData("payout_check.no_agreement", kind=verdict.statement.kind)
    return replace(bundle, typed_data=typed_data(verdict.statement.opened(account), verdict.registry))
