"""Quotas for writing without an API key: per signing account and per network address, in moving windows.

Each web process counts in its own memory. Quotas limit abuse; they are no evidence of anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from deedlog.registry.errors import Unavailable
from deedlog.registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from deedlog.registry.acceptance.accept import CheckedStatement


class Quota:
    """Counts requests and statements that come without an API key."""

    def __init__(self, per_account: str, per_address: str) -> None:
        """Set the limits, each as in `200/day`."""
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._per_account = parse(per_account)
        self._per_address = parse(per_address)

    def take_address(self, address: str) -> None:
        """Count one request from a network address; raise `Unavailable` (`quota.exceeded`) beyond the limit."""
        if not self._limiter.hit(self._per_address, "address", address):
            raise Unavailable("quota.exceeded", limit=str(self._per_address), of=address)

    def take_accounts(self, checked: CheckedStatement) -> None:
        """Count a statement against each account that signed it, so nobody can use up another account's quota.

        Raises `Unavailable` (`quota.exceeded`) beyond the limit.
        """
        for account in checked.accounts:
            if not self._limiter.hit(self._per_account, "account", to_hex(account)):
                raise Unavailable("quota.exceeded", limit=str(self._per_account), of=to_hex(account))
