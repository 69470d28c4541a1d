"""How much may be asked of an exchange, shared by everything that talks to it.

Exchanges count the weight of requests per address and ban who does not listen. The budget spends
by machine time, keeps a lane for orders that market data cannot use up, and stands still for all
tasks while the exchange has asked to wait.
"""

import asyncio
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from math import isfinite

from daemon.core.errors import RateLimitedError

SECONDS_PER_MINUTE = 60.0
RESERVED_SHARE = 0.2
BURST_SHARE = 0.5
WAIT_USUAL_S = {429: 30.0, 418: 120.0}
"""How long to wait where the exchange does not say; a 418 is a ban already."""
WAIT_S_MIN = 1.0
WAIT_S_MAX = 3 * 86_400.0


class Lane(Enum):
    """What a request is for. Each lane has its own share, so that neither waits for the other."""

    MARKET_DATA = "market data"
    ORDERS = "orders"


class _Bucket:
    """Weight that refills with time; whoever takes more than is there waits for it, in turn."""

    def __init__(self, per_minute: float) -> None:
        # A full bucket and a minute's refill together must not exceed what a minute allows.
        self.capacity = per_minute * BURST_SHARE
        self._per_second = per_minute * (1.0 - BURST_SHARE) / SECONDS_PER_MINUTE
        self._level = self.capacity
        self._at_s: float | None = None

    def take(self, weight: float, now_s: float) -> float:
        """Take `weight` and return how many seconds to wait before it is there."""
        self._refill(now_s)
        self._level -= weight
        return max(0.0, -self._level / self._per_second)

    def give_back(self, weight: float) -> None:
        """Return what was taken and not spent."""
        self._level = min(self.capacity, self._level + weight)

    def lower_to(self, share: float, now_s: float) -> None:
        """Let no more than `share` (0 to 1) of the bucket be left."""
        self._refill(now_s)
        self._level = min(self._level, share * self.capacity)

    def _refill(self, now_s: float) -> None:
        passed_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._at_s = now_s
        self._level = min(self.capacity, self._level + passed_s * self._per_second)


class WeightBudget:
    """Weight per minute of machine time, in the units in which requests are counted."""

    def __init__(self, per_minute: float, reserved_share: float = RESERVED_SHARE) -> None:
        self._buckets = {
            Lane.MARKET_DATA: _Bucket(per_minute * (1.0 - reserved_share)),
            Lane.ORDERS: _Bucket(per_minute * reserved_share),
        }
        self._quiet_until_s = 0.0
        self.used_share = 0.0
        self.refusals = 0

    async def take(self, weight: float, lane: Lane = Lane.MARKET_DATA) -> None:
        """Wait until `weight` may be spent.

        Raises RateLimitedError while the exchange has asked to wait, at once and also for those
        who were waiting in line: what they wanted is old by then.
        """
        now_s = asyncio.get_running_loop().time()
        self._refuse_if_quiet(now_s)
        bucket = self._buckets[lane]
        wait_s = bucket.take(weight, now_s)
        if wait_s <= 0.0:
            return
        is_spent = False
        try:
            await asyncio.sleep(wait_s)
            self._refuse_if_quiet(asyncio.get_running_loop().time())
            is_spent = True
        finally:
            if not is_spent:
                bucket.give_back(weight)

    def quiet_s(self) -> float:
        """Return for how many more seconds the exchange has asked to be left alone."""
        return max(0.0, self._quiet_until_s - asyncio.get_running_loop().time())

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Take note of an answer that says to wait: every lane stands still until then."""
        if status not in WAIT_USUAL_S:
            return
        wait_s = retry_after_s(headers)
        if wait_s is None:
            wait_s = WAIT_USUAL_S[status]
        self.refusals += 1
        now_s = asyncio.get_running_loop().time()
        wait_s = min(max(wait_s, WAIT_S_MIN), WAIT_S_MAX)
        self._quiet_until_s = max(self._quiet_until_s, now_s + wait_s)

    def told_used(self, used: float, limit: float) -> None:
        """Take note of how much the exchange has counted: others may share our address."""
        self.used_share = used / limit
        left = max(0.0, 1.0 - self.used_share)
        now_s = asyncio.get_running_loop().time()
        self._buckets[Lane.MARKET_DATA].lower_to(left, now_s)

    def _refuse_if_quiet(self, now_s: float) -> None:
        left_s = self._quiet_until_s - now_s
        if left_s > 0.0:
            raise RateLimitedError(f"the exchange asks to wait for {left_s:.0f} s", left_s)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds an answer's `Retry-After` asks for, None without a readable one.

    A date is measured from the answer's own `Date`, so that our clock plays no part.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    text = lower.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, lower.get("date", ""))
    return seconds if isfinite(seconds) else None


def _seconds_until(text: str, answered: str) -> float | None:
    try:
        until = parsedate_to_datetime(text)
        return (until - parsedate_to_datetime(answered)).total_seconds()
    except (ValueError, TypeError):
        return None
