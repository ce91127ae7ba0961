"""Shares on the command line: parse them, and show what they pay."""

from __future__ import annotations

import re
import secrets
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import say, show_json
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, to_checksum
from deedlog.registry.rules import payouts
from deedlog.registry.statements import Share
from deedlog.registry.statements.agreements import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PPM = re.compile("[0-9]{1,9}")
"""A number of parts per million, which the statement's own check bounds further."""

_WIDTH = 30
"""Characters of a bar for the whole revenue."""


def parse_shares(written: Sequence[str]) -> tuple[Share, ...]:
    """Parse shares written as ACCOUNT:PPM:ROLE; return them in ascending order of accounts.

    Each gets a new random salt. Raises `InvalidData` (`share.malformed`, `share.twice`).
    """
    shares = []
    for share in written:
        parts = share.split(":")
        if len(parts) != 3 or _PPM.fullmatch(parts[1]) is None:  # noqa: PLR2004 - account, ppm, role
            raise InvalidData("share.malformed", field="--share", share=share[:80])
        account = account_from_any_case(parts[0], "--share")
        shares.append(Share(party=account, role=parts[2], ppm=int(parts[1]), salt=secrets.token_bytes(HASH_SIZE)))
    ordered = tuple(sorted(shares, key=lambda share: share.party))
    for first, second in pairwise(ordered):
        if first.party == second.party:
            raise InvalidData("share.twice", field="--share", account=to_checksum(first.party))
    return ordered


def bars(language: str, shares: Mapping[bytes, int], revenue: Sequence[int], *, as_json: bool) -> None:
    """Show what each party gets of each period's revenue, in minor units, with a bar for each party."""
    changes = [payouts.Change(b"", amount) for amount in revenue]
    rows = payouts.payouts(shares, changes)
    closing = payouts.closing(shares, changes)
    shown = {
        "periods": [
            {
                "revenue": str(row.change.amount),
                "paid": {to_checksum(account): str(amount) for account, amount in row.paid.items()},
                "carried": str(row.carried),
            }
            for row in rows
        ],
        "closing": {to_checksum(account): str(amount) for account, amount in closing.items()},
    }
    if as_json:
        show_json(shown)
        return
    for account, ppm in shares.items():
        bar = "#" * max(1, _WIDTH * ppm // WHOLE)
        total = sum(row.paid[account] for row in rows) + closing[account]
        click.echo(f"{to_checksum(account)}  {bar:<{_WIDTH}}  {ppm:>9,} ppm  {total:,}")
    for row in rows:
        paid = ", ".join(f"{amount:,}" for amount in row.paid.values())
        say(language, "cli.simulate.period", revenue=f"{row.change.amount:,}", paid=paid, carried=row.carried)
