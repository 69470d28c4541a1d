"""Rate limits, counted as Binance counts them: request weight a minute, socket messages a second.

Time is the machine's (seconds of the event loop), not the market's: a market at sixty times real
time does not let a client ask sixty times as often.
"""

import math
from collections import deque
from dataclasses import dataclass

WEIGHT_PER_MINUTE = 6000
WINDOW_S = 60.0
REFUSALS_BEFORE_BAN = 10
BAN_S_FIRST = 120.0
BAN_S_MAX = 3 * 86_400.0
SOCKET_MESSAGES_PER_S = 5


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may pass; `used` is the weight of this minute with it."""

    used: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Too much weight was used: HTTP 429, wait `retry_after_s` whole seconds."""

    used: int
    retry_after_s: int


@dataclass(frozen=True, slots=True)
class Banned:
    """Refusals were ignored: HTTP 418, wait `retry_after_s` whole seconds."""

    used: int
    retry_after_s: int


Verdict = Admitted | Refused | Banned


class WeightBudget:
    """The request weight of the running minute, and the ban for those who ignore a refusal.

    A client that asks `REFUSALS_BEFORE_BAN` times after its first refusal in a minute is banned
    for `BAN_S_FIRST`; each further ban lasts twice as long, at most `BAN_S_MAX`.
    """

    def __init__(self, weight_max: int = WEIGHT_PER_MINUTE) -> None:
        self.weight_max = weight_max
        self._window = -1
        self._used = 0
        self._refusals = 0
        self._bans = 0
        self._banned_until_s = -math.inf

    def charge(self, weight: int, now_s: float) -> Verdict:
        """Count a request of `weight` at `now_s` and say whether it may pass."""
        self._turn(now_s)
        if now_s < self._banned_until_s:
            return Banned(self._used, math.ceil(self._banned_until_s - now_s))
        self._used += weight
        if self._used <= self.weight_max:
            return Admitted(self._used)
        self._refusals += 1
        if self._refusals > REFUSALS_BEFORE_BAN:
            return self._ban(now_s)
        return Refused(self._used, math.ceil((self._window + 1) * WINDOW_S - now_s))

    def _turn(self, now_s: float) -> None:
        window = int(now_s // WINDOW_S)
        if window != self._window:
            self._window = window
            self._used = 0
            self._refusals = 0

    def _ban(self, now_s: float) -> Banned:
        length_s = min(BAN_S_FIRST * 2.0**self._bans, BAN_S_MAX)
        self._bans += 1
        self._banned_until_s = now_s + length_s
        return Banned(self._used, math.ceil(length_s))


class MessagePace:
    """Counts the messages of one socket; more than `SOCKET_MESSAGES_PER_S` is too fast."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=SOCKET_MESSAGES_PER_S + 1)

    def too_fast(self, now_s: float) -> bool:
        """Count a message at `now_s` and say whether it came too soon after the others."""
        self._times_s.append(now_s)
        if len(self._times_s) <= SOCKET_MESSAGES_PER_S:
            return False
        return now_s - self._times_s[0] < 1.0
