"""What each payee of an agreement gets: whole minor units, never a fraction, nothing lost and nothing made.

To date a payee has floor(revenue to date x ppm / 1,000,000); a report pays the difference. So a payee needs their own
line and the reports alone. What is left, fewer units than there are payees, is carried, and shared out when the
agreement ends. Refunds are negative revenue, for which floor rounds away from zero: what is carried is never negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deedlog.registry.statements import RevenueReport


@dataclass(frozen=True, slots=True)
class Change:
    """What one report added to the revenue of its agreement: its amount, or what a correction makes of it."""

    report: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Payout:
    """What one report pays each payee, in minor units, and how it changes what is carried; they sum to its amount."""

    change: Change
    paid: Mapping[bytes, int]
    carried: int
    """All that is carried after it."""


def changes(reports: Sequence[tuple[bytes, RevenueReport]]) -> list[Change]:
    """Return what each report under one agreement, in the log's order, added to its revenue."""
    amounts: dict[bytes, int] = {}
    found = []
    for digest, report in reports:
        before = 0 if report.corrects == NONE else amounts[report.corrects]
        amounts[digest] = report.amount
        found.append(Change(digest, report.amount - before))
    return found


def to_date(revenue: int, ppm: int) -> int:
    """Return what a payee with this share has of all revenue so far."""
    return revenue * ppm // WHOLE


def own(ppm: int, revenue: Sequence[Change]) -> list[int]:
    """Return what each report pays a payee, from their own share alone."""
    paid, total = [], 0
    for change in revenue:
        paid.append(to_date(total + change.amount, ppm) - to_date(total, ppm))
        total += change.amount
    return paid


def payouts(shares: Mapping[bytes, int], revenue: Sequence[Change]) -> list[Payout]:
    """Return what each report pays everybody; `shares` are ppm by payee."""
    columns = {payee: own(ppm, revenue) for payee, ppm in shares.items()}
    rows, carried = [], 0
    for position, change in enumerate(revenue):
        paid = {payee: column[position] for payee, column in columns.items()}
        carried += change.amount - sum(paid.values())
        rows.append(Payout(change, paid, carried))
    return rows


def closing(shares: Mapping[bytes, int], revenue: Sequence[Change]) -> dict[bytes, int]:
    """Return how what is carried is shared out at the end: a unit each to the largest remainders, then by account."""
    total = sum(change.amount for change in revenue)
    carried = total - sum(to_date(total, ppm) for ppm in shares.values())
    by_remainder = sorted(shares, key=lambda payee: (-(total * shares[payee] % WHOLE), payee))
    return {payee: int(by_remainder.index(payee) < carried) for payee in shares}
