"""What goes wrong at the sandbox, and when: a plan that is data, asked and never run by itself.

The server asks the plan at each answer, frame and candle. The plan holds no state, so a seed and
a plan repeat a bad day exactly. The kinds are the effect classes below, by their `kind`.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import ClassVar, NamedTuple, assert_never

from daemon.core.candles import MINUTE_MS, Candle


class FaultClock(Enum):
    """Which seconds a window counts, both from the server's start."""

    SERVER = "server"
    MARKET = "market"


class Body(Enum):
    """What a faulty answer holds."""

    JSON = "json"
    HTML = "html"
    EMPTY = "empty"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """The answer comes `delay_s` machine seconds late."""

    kind: ClassVar[str] = "timeout"
    delay_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LostReply:
    """The request is carried out, then the connection is cut without an answer."""

    kind: ClassVar[str] = "lost_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The answer is this HTTP status; 429 and 418 carry `Retry-After` if `retry_after_s` is set.

    With `body = "truncated"` and status 200 the right answer is cut off in the middle.
    """

    kind: ClassVar[str] = "status"
    status: int = 503
    retry_after_s: float | None = None
    body: Body = Body.JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Candles of the window are missing; from `heal_s` (same clock) on they are there."""

    kind: ClassVar[str] = "gap"
    heal_s: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Absurd:
    """Prices of the window are multiplied by `factor`, until `heal_s` (same clock)."""

    kind: ClassVar[str] = "absurd"
    factor: float = 10.0
    heal_s: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class NotANumber:
    """Closes of the window are NaN, until `heal_s` (same clock)."""

    kind: ClassVar[str] = "nan"
    heal_s: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Every answer and frame shows the market as it was when the window began."""

    kind: ClassVar[str] = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentSocket:
    """Frames are not sent; the line stays open and pings are answered."""

    kind: ClassVar[str] = "silent_socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSocket:
    """The line is closed with `code`; 1006 means cut off without a close frame."""

    kind: ClassVar[str] = "close_socket"
    code: int = 1006


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenFrame:
    """The frame's JSON is cut off in the middle."""

    kind: ClassVar[str] = "broken_frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """The server tells a time that is `skew_ms` ahead of its own (behind if negative)."""

    kind: ClassVar[str] = "clock_skew"
    skew_ms: int = 5_000


ReplyEffect = Timeout | LostReply | Status
FrameEffect = SilentSocket | CloseSocket | BrokenFrame
RowEffect = Gap | Absurd | NotANumber
Effect = ReplyEffect | FrameEffect | RowEffect | Frozen | ClockSkew


class Target(NamedTuple):
    """What is asked for: a REST path or a stream's name, and a symbol ("" where there is none)."""

    path: str
    symbol: str = ""


class Moment(NamedTuple):
    """When it is asked, in market time (UTC epoch ms), and what one second of the machine is."""

    now_ms: int
    started_ms: int
    speed: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One effect, its window (seconds from the server's start, by `clock`) and what it hits.

    `path` and `symbol` are shell patterns ("*@kline_1m", "BTC/USDT"); a target without a symbol
    is hit by `symbol = "*"` alone.
    """

    effect: Effect
    start_s: float = 0.0
    stop_s: float = math.inf
    clock: FaultClock = FaultClock.SERVER
    path: str = "*"
    symbol: str = "*"
    probability: float = 1.0

    def hits(self, target: Target) -> bool:
        """Say whether the fault concerns `target`."""
        return fnmatchcase(target.path, self.path) and fnmatchcase(target.symbol, self.symbol)

    def elapsed_s(self, at_ms: int, moment: Moment) -> float:
        """Return the market time `at_ms` on the window's own clock."""
        return (at_ms - moment.started_ms) / 1000.0 / self.market_seconds(moment)

    def market_seconds(self, moment: Moment) -> float:
        """Return how many market seconds one second of the window's clock is."""
        return 1.0 if self.clock is FaultClock.MARKET else moment.speed

    def is_open(self, moment: Moment) -> bool:
        """Say whether the window is open."""
        return self.start_s <= self.elapsed_s(moment.now_ms, moment) < self.stop_s

    def touches_minute(self, timestamp: int, moment: Moment) -> bool:
        """Say whether any part of the minute that begins at `timestamp` lies in the window."""
        start_s = self.elapsed_s(timestamp, moment)
        stop_s = self.elapsed_s(timestamp + MINUTE_MS, moment)
        return start_s < self.stop_s and stop_s > self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """All faults of a sandbox; the first one that is due wins. `seed` decides about candles."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0

    def reply(self, target: Target, moment: Moment, rng: random.Random) -> ReplyEffect | None:
        """Return what happens to the answer of one request, or None."""
        for fault in self._open(target, moment):
            if isinstance(fault.effect, ReplyEffect) and rng.random() < fault.probability:
                return fault.effect
        return None

    def frame(self, target: Target, moment: Moment, rng: random.Random) -> FrameEffect | None:
        """Return what happens to one WebSocket frame, or None."""
        for fault in self._open(target, moment):
            if isinstance(fault.effect, FrameEffect) and rng.random() < fault.probability:
                return fault.effect
        return None

    def skew_ms(self, target: Target, moment: Moment) -> int:
        """Return how far ahead of its own time the server tells."""
        effects = [fault.effect for fault in self._open(target, moment)]
        return sum(effect.skew_ms for effect in effects if isinstance(effect, ClockSkew))

    def visible_ms(self, target: Target, moment: Moment) -> int:
        """Return up to when the market is shown: now, or the time at which it froze."""
        frozen_ms = [
            moment.started_ms + round(fault.start_s * 1000.0 * fault.market_seconds(moment))
            for fault in self._open(target, moment)
            if isinstance(fault.effect, Frozen)
        ]
        return min(frozen_ms, default=moment.now_ms)

    def rows(self, target: Target, rows: Sequence[Candle], moment: Moment) -> list[Candle]:
        """Return `rows` with the gaps, absurd prices and NaN that the plan puts there.

        A candle is hit by its own time, so that asking again shows the same.
        """
        faults = [
            fault
            for fault in self.faults
            if isinstance(fault.effect, RowEffect) and fault.hits(target)
        ]
        if not faults:
            return list(rows)
        shown = (self._shown(row, faults, target.symbol, moment) for row in rows)
        return [row for row in shown if row is not None]

    def price(self, target: Target, price: float, moment: Moment) -> float:
        """Return the price that is told now in place of `price`: the close of its minute."""
        at_ms = moment.now_ms // MINUTE_MS * MINUTE_MS
        rows = self.rows(target, [Candle(at_ms, price, price, price, price, 0.0)], moment)
        return rows[0].close if rows else price

    def _open(self, target: Target, moment: Moment) -> Iterator[Fault]:
        return (fault for fault in self.faults if fault.hits(target) and fault.is_open(moment))

    def _shown(
        self, row: Candle, faults: Sequence[Fault], symbol: str, moment: Moment
    ) -> Candle | None:
        """Return `row` as the faults show it, None if it is missing."""
        for fault in faults:
            if not self._is_row_hit(fault, row.timestamp, symbol, moment):
                continue
            assert isinstance(fault.effect, RowEffect)
            match fault.effect:
                case Gap():
                    return None
                case Absurd(factor=factor):
                    row = _scaled(row, factor)
                case NotANumber():
                    row = row._replace(close=math.nan)
                case _:
                    assert_never(fault.effect)
        return row

    def _is_row_hit(self, fault: Fault, timestamp: int, symbol: str, moment: Moment) -> bool:
        assert isinstance(fault.effect, RowEffect)
        if fault.elapsed_s(moment.now_ms, moment) >= fault.effect.heal_s:
            return False
        if not fault.touches_minute(timestamp, moment):
            return False
        if fault.probability >= 1.0:
            return True
        dice = f"{self.seed} {self.faults.index(fault)} {symbol} {timestamp}"
        return random.Random(dice).random() < fault.probability


def _scaled(row: Candle, factor: float) -> Candle:
    return Candle(
        row.timestamp,
        row.open * factor,
        row.high * factor,
        row.low * factor,
        row.close * factor,
        row.volume,
    )
