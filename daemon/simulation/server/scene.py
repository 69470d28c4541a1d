"""The market as one answer shows it: at a moment, with what the fault plan does to it."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from daemon.core.candles import MINUTE_MS, Candle
from daemon.ports import Clock
from daemon.simulation.faults import (
    FaultPlan,
    FrameEffect,
    Moment,
    ReplyEffect,
    RowEffect,
    Target,
)
from daemon.simulation.market import Market, MarketSpec, Trade
from daemon.simulation.server.counters import Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What `path` (a REST path or a stream's name) may show of a market."""

    market: Market
    path: str
    plan: FaultPlan
    moment: Moment

    def now_ms(self, symbol: str = "") -> int:
        """Return up to when `symbol` is shown (UTC epoch ms): now, or when it froze."""
        if not self.plan.faults:
            return self.moment.now_ms
        return self.plan.visible_ms(Target(self.path, symbol), self.moment)

    def told_ms(self) -> int:
        """Return the time that the exchange tells (UTC epoch ms), which may be wrong."""
        return self.moment.now_ms + self.plan.skew_ms(Target(self.path), self.moment)


class FaultyMarket:
    """A market seen through a plan's gaps, absurd prices and NaN.

    NaN shows in candles alone; a price that no book could stand on is shown as it really is.
    """

    def __init__(self, market: Market, path: str, plan: FaultPlan, moment: Moment) -> None:
        self._market = market
        self._path = path
        self._plan = plan
        self._moment = moment

    @property
    def specs(self) -> Mapping[str, MarketSpec]:
        return self._market.specs

    @property
    def start_ms(self) -> int:
        return self._market.start_ms

    def minutes(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Candle]:
        rows = self._market.minutes(symbol, start_ms, stop_ms, now_ms)
        return self._plan.rows(Target(self._path, symbol), rows, self._moment)

    def trades(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Trade]:
        found = self._market.trades(symbol, start_ms, stop_ms, now_ms)
        shown = (self._trade(symbol, trade) for trade in found)
        return [trade for trade in shown if trade is not None]

    def price(self, symbol: str, now_ms: int) -> float:
        price = self._market.price(symbol, now_ms)
        moment = self._moment._replace(now_ms=now_ms)
        told = self._plan.price(Target(self._path, symbol), price, moment)
        return told if self._is_price(symbol, told) else price

    def _trade(self, symbol: str, trade: Trade) -> Trade | None:
        """Return `trade` at the price that its minute shows, None if the minute is missing."""
        price, minute_ms = trade.price, trade.timestamp // MINUTE_MS * MINUTE_MS
        row = Candle(minute_ms, price, price, price, price, trade.quantity)
        shown = self._plan.rows(Target(self._path, symbol), [row], self._moment)
        if not shown:
            return None
        return trade._replace(price=shown[0].open)

    def _is_price(self, symbol: str, price: float) -> bool:
        return math.isfinite(price) and price >= self.specs[symbol].price_tick


class Stage:
    """Makes scenes, and draws what goes wrong with each answer and frame.

    The plan may be replaced at any time; windows count from `started_ms` (market time).
    """

    def __init__(self, market: Market, clock: Clock, plan: FaultPlan, counters: Counters) -> None:
        self.market = market
        self.clock = clock
        self.counters = counters
        self.started_ms = clock.now_ms()
        self.plan = plan

    @property
    def plan(self) -> FaultPlan:
        """The faults in force."""
        return self._plan

    @plan.setter
    def plan(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._rng = random.Random(plan.seed)

    def moment(self) -> Moment:
        """Return the present moment, as fault windows count it."""
        return Moment(self.clock.now_ms(), self.started_ms, self.clock.speed)

    def scene(self, path: str, moment: Moment) -> Scene:
        """Return what `path` shows at `moment`."""
        is_faulty = any(
            isinstance(fault.effect, RowEffect) and fnmatchcase(path, fault.path)
            for fault in self._plan.faults
        )
        market = self.market
        if is_faulty:
            market = FaultyMarket(market, path, self._plan, moment)
        return Scene(market=market, path=path, plan=self._plan, moment=moment)

    def reply_effect(self, target: Target) -> ReplyEffect | None:
        """Draw what goes wrong with one answer, and count it."""
        if not self._plan.faults:
            return None
        effect = self._plan.reply(target, self.moment(), self._rng)
        if effect is not None:
            self.counters.faults[effect.kind] += 1
        return effect

    def frame_effect(self, target: Target, moment: Moment) -> FrameEffect | None:
        """Draw what goes wrong with one frame, and count it."""
        if not self._plan.faults:
            return None
        effect = self._plan.frame(target, moment, self._rng)
        if effect is not None:
            self.counters.faults[effect.kind] += 1
        return effect
