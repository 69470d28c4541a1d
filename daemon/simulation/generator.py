"""A market made from a seed: trends, ranges, calms and crashes that change at random times.

The same seed gives the same market, whatever is asked in whatever order, and a checkpoint lets
a restarted process go on in the same history at once.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from daemon.core.candles import MINUTE_MS, Candle
from daemon.simulation.market import Grid, MarketSpec
from daemon.simulation.path import POINTS, Path, PathMarket, Waypoint, straight, trace
from daemon.simulation.walk import SEGMENTS_BETWEEN_NOTES, PairWalk, Regime

CHECKPOINT_VERSION = 1


def default_specs() -> tuple[MarketSpec, ...]:
    """Return the three pairs that the sandbox offers unless told otherwise."""
    return (
        a_usdt_pair("BTC", price_start=60_000.0, quantity_step=0.00001, volatility_percent=0.18),
        a_usdt_pair("ETH", price_start=3_000.0, quantity_step=0.0001, volatility_percent=0.21),
        a_usdt_pair("SOL", price_start=150.0, quantity_step=0.001, volatility_percent=0.25),
    )


def a_usdt_pair(
    base: str, *, price_start: float, quantity_step: float, volatility_percent: float
) -> MarketSpec:
    """Return a pair of `base` against USDT with a tick of 0.01 and a least notional of 5."""
    return MarketSpec(
        symbol=f"{base}/USDT",
        base=base,
        quote="USDT",
        price_tick=0.01,
        quantity_step=quantity_step,
        notional_min=5.0,
        price_start=price_start,
        volatility_percent=volatility_percent,
    )


class GeneratedMarket(PathMarket):
    """A market of any number of pairs that follows from `seed`; the same seed, the same market.

    `start_ms` (UTC epoch ms) is cut down to its minute. Raises ValueError for two specs of one
    symbol.
    """

    def __init__(self, specs: Sequence[MarketSpec], seed: int, start_ms: int) -> None:
        by_symbol = {spec.symbol: spec for spec in specs}
        if len(by_symbol) < len(specs):
            raise ValueError("a generated market needs one spec per symbol")
        super().__init__(MappingProxyType(by_symbol), start_ms // MINUTE_MS * MINUTE_MS)
        self.seed = seed
        self._walks = {
            spec.symbol: PairWalk(spec, seed, self.start_ms) for spec in by_symbol.values()
        }

    def regime(self, symbol: str, now_ms: int) -> Regime:
        """Return what the pair is doing at `now_ms`."""
        walk = self._walks[symbol]
        return walk.plan(walk.number_at((now_ms - self.start_ms) // MINUTE_MS)).character.regime

    def whole_minutes(self, symbol: str, start_ms: int, stop_ms: int) -> list[Candle]:
        walk = self._walks[symbol]
        first = -(-(start_ms - self.start_ms) // MINUTE_MS)
        stop = -(-(stop_ms - self.start_ms) // MINUTE_MS)
        rows: list[Candle] = []
        while first < stop:
            segment = walk.segment_at(first)
            offset = segment.plan.first_minute
            rows += segment.rows[first - offset : stop - offset]
            first = offset + segment.plan.minutes
        return rows

    def whole_minute_before(self, symbol: str, now_ms: int) -> Candle:
        begun_ms = max(self.start_ms, (now_ms - 1) // MINUTE_MS * MINUTE_MS)
        return self.whole_minutes(symbol, begun_ms, begun_ms + MINUTE_MS)[0]

    def path(self, symbol: str, whole: Candle) -> Path:
        spec = self.specs[symbol]
        rng = random.Random(f"path {self.seed} {symbol} {whole.timestamp}")
        tick = Grid(spec.price_tick)
        counts = _wander([tick.count(price) for price in whole[1:5]], rng)
        steps = _spread(Grid(spec.quantity_step).count(whole.volume), rng)
        return trace(whole, counts, steps, spec)

    def checkpoint(self, now_ms: int) -> dict[str, Any]:
        """Return plain data from which `restore` goes on at `now_ms` without a replay.

        It holds the time, the seed, the pairs, and for each a level near `now_ms`.
        """
        levels: dict[str, list[float]] = {}
        for symbol, walk in self._walks.items():
            number = walk.number_at((now_ms - self.start_ms) // MINUTE_MS)
            note = max(0, number) // SEGMENTS_BETWEEN_NOTES
            levels[symbol] = [note, walk.level(note * SEGMENTS_BETWEEN_NOTES)]
        return {
            "version": CHECKPOINT_VERSION,
            "now_ms": now_ms,
            "seed": self.seed,
            "start_ms": self.start_ms,
            "specs": [asdict(spec) for spec in self.specs.values()],
            "levels": levels,
        }

    @classmethod
    def restore(cls, data: Mapping[str, Any]) -> "GeneratedMarket":
        """Return the market that a checkpoint was taken of, history included.

        Raises ValueError if `data` is no checkpoint of a version known here.
        """
        if data.get("version") != CHECKPOINT_VERSION:
            raise ValueError(f"a market checkpoint of version {data.get('version')!r} is unknown")
        try:
            specs = [MarketSpec(**spec) for spec in data["specs"]]
            market = cls(specs, int(data["seed"]), int(data["start_ms"]))
            for symbol, (note, level) in data["levels"].items():
                market._walks[symbol].levels[int(note)] = float(level)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no market checkpoint: {error!r}") from error
        return market


def _wander(counts: Sequence[int], rng: random.Random) -> list[int]:
    """Return a restless path of ticks through open, high, low and close, never outside."""
    opened, high, low, closed = counts
    is_low_first = (closed >= opened) == (rng.random() < 0.7)
    first, second = (low, high) if is_low_first else (high, low)
    early = rng.randrange(5, POINTS // 2)
    late = rng.randrange(early + 5, POINTS - 5)
    visits = [
        Waypoint(0, opened),
        Waypoint(early, first),
        Waypoint(late, second),
        Waypoint(POINTS - 1, closed),
    ]
    line = straight(visits)
    noise = (high - low) * 0.12
    fixed = {visit.second for visit in visits}
    return [
        count
        if second in fixed
        else max(low, min(high, round(count + noise * (rng.random() + rng.random() - 1.0))))
        for second, count in enumerate(line)
    ]


def _spread(total: int, rng: random.Random) -> list[int]:
    """Return how many of `total` quantity steps are traded by the end of each second.

    Each second has at least one; `total` is at least the number of seconds.
    """
    weights = [0.05 + rng.random() ** 3 for _ in range(POINTS)]
    scale = (total - POINTS) / sum(weights)
    passed, done = 0.0, []
    for second, weight in enumerate(weights, 1):
        passed += weight
        done.append(second + int(passed * scale))
    done[-1] = total
    return done
