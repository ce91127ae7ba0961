"""Quotas for writing without an API key: per signing account and per network address, in moving windows.

Each web process counts in its own memory. Quotas limit abuse; they are no evidence of anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from deedlog.registry import times
from deedlog.registry.errors import Unavailable
from deedlog.registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from limits import RateLimitItem

    from deedlog.registry.acceptance.accept import CheckedStatement

_ACCOUNT = "account"
_ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Window:
    """A quota that is used up: `amount` in any `seconds`. In `reset` seconds there is room for one more."""

    policy: str
    amount: int
    seconds: int
    reset: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell a client when to come back (draft-ietf-httpapi-ratelimit-headers-10)."""
        return {
            "Retry-After": str(self.reset),
            "RateLimit": f'"{self.policy}";r=0;t={self.reset}',
            "RateLimit-Policy": f'"{self.policy}";q={self.amount};w={self.seconds}',
        }


class QuotaExceeded(Unavailable):
    """`quota.exceeded`, with the window that is full."""

    window: Window | None = None


class Quota:
    """Counts requests and statements that come without an API key."""

    def __init__(self, per_account: str, per_address: str) -> None:
        """Set the limits, each as in `200/day`."""
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._per_account = parse(per_account)
        self._per_address = parse(per_address)

    def take_address(self, address: str) -> None:
        """Count one request from a network address; raise `QuotaExceeded` (`quota.exceeded`) beyond the limit."""
        self._take(self._per_address, _ADDRESS, address)

    def take_accounts(self, checked: CheckedStatement) -> None:
        """Count a statement against each account that signed it, so nobody can use up another account's quota.

        Raises `QuotaExceeded` (`quota.exceeded`) beyond the limit.
        """
        for account in checked.accounts:
            self._take(self._per_account, _ACCOUNT, to_hex(account))

    def _take(self, limit: RateLimitItem, policy: str, name: str) -> None:
        if self._limiter.hit(limit, policy, name):
            return
        # Room comes back when the oldest request leaves the window.
        free_at = self._limiter.get_window_stats(limit, policy, name).reset_time
        reset = max(1, math.ceil(free_at) - times.now())
        error = QuotaExceeded("quota.exceeded", limit=str(limit), of=name, seconds=reset)
        error.window = Window(policy, limit.amount, limit.get_expiry(), reset)
        raise error
