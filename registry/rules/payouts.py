"""What each payee of an agreement gets: whole minor units, without fractions. Payouts and the carried rest add up.

A payee's total to date is floor(revenue to date x ppm / 1,000,000); a report pays the difference to the total before
it. So payees can compute their payouts from their own share and the reports alone. The rest, fewer units than there are
payees, is carried and distributed when the agreement ends. Refunds are negative revenue, for which floor rounds away
from zero, so the carried amount is never negative.
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
    """What one report added to its agreement's revenue: its amount or, for a correction, the difference."""

    report: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Payout:
    """What one report pays each payee, in minor units.

    The payouts and the change of the carried amount add up to the amount of `change`.
    """

    change: Change
    paid: Mapping[bytes, int]
    carried: int
    """The total amount carried after this report, in minor units."""


def changes(reports: Sequence[tuple[bytes, RevenueReport]]) -> list[Change]:
    """Return what each report (digest, report) added to its agreement's revenue; the reports are in log order."""
    amounts: dict[bytes, int] = {}
    found = []
    for digest, report in reports:
        before = 0 if report.corrects == NONE else amounts[report.corrects]
        amounts[digest] = report.amount
        found.append(Change(digest, report.amount - before))
    return found


def to_date(revenue: int, ppm: int) -> int:
    """Return the total for a payee with this share (ppm) of all revenue to date, in minor units."""
    return revenue * ppm // WHOLE


def own(ppm: int, revenue: Sequence[Change]) -> list[int]:
    """Return what each report pays to one payee, computed from that payee's share (ppm) alone."""
    paid, total = [], 0
    for change in revenue:
        paid.append(to_date(total + change.amount, ppm) - to_date(total, ppm))
        total += change.amount
    return paid


def payouts(shares: Mapping[bytes, int], revenue: Sequence[Change]) -> list[Payout]:
    """Return what each report pays to every payee; `shares` are ppm by payee."""
    columns = {payee: own(ppm, revenue) for payee, ppm in shares.items()}
    rows, carried = [], 0
    for position, change in enumerate(revenue):
        paid = {payee: column[position] for payee, column in columns.items()}
        carried += change.amount - sum(paid.values())
        rows.append(Payout(change, paid, carried))
    return rows


def closing(shares: Mapping[bytes, int], revenue: Sequence[Change]) -> dict[bytes, int]:
    """Return how the carried amount is distributed when the agreement ends, by payee.

    The payees with the largest remainders get one unit each; among equal remainders, the lower account comes first.
    """
    total = sum(change.amount for change in revenue)
    carried = total - sum(to_date(total, ppm) for ppm in shares.values())
    by_remainder = sorted(shares, key=lambda payee: (-(total * shares[payee] % WHOLE), payee))
    return {payee: int(by_remainder.index(payee) < carried) for payee in shares}
