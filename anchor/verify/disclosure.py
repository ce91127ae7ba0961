"""Selective disclosure: a bundle in which one party's line of an agreement can be read. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.registry.errors import InvalidData
from deedlog.registry.statements import Agreement
from deedlog.registry.statements.typed_data import typed_data

if TYPE_CHECKING:
    from deedlog.anchor.verify.bundle import Bundle


def open_line(bundle: Bundle, account: bytes) -> Bundle:
    """Return the bundle of an agreement in which only one party's line can be read; all signatures still hold."""
    verdict = verify(bundle, Pins())
    if not isinstance(verdict.statement, Agreement):
        raise InvalidData("payout_check.no_agreement", kind=verdict.statement.kind)
    return replace(bundle, typed_data=typed_data(verdict.statement.opened(account), verdict.registry))
