"""The walk of one pair: segments of half an hour on average, each with one regime.

What a segment does is a hash of (seed, symbol, number of the segment), so that any moment can be
built alone; only the price at its start depends on the past. That chain costs a few microseconds
a segment and is noted every 64 segments (32 hours), so that going back costs no replay.
"""

import math
import random
from array import array
from bisect import bisect
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from enum import Enum
from hashlib import blake2b
from itertools import accumulate, count, pairwise
from struct import unpack
from typing import NamedTuple

from daemon.core.candles import MINUTE_MS, Candle
from daemon.simulation.market import Grid, MarketSpec
from daemon.simulation.path import POINTS

SEGMENT_MINUTES = 30
SEGMENTS_KEPT_PER_SYMBOL = 8
SEGMENTS_BETWEEN_NOTES = 64
MINUTE_DEVIATION_MAX = 0.02
"""The most that a minute's log return deviates, so that no minute moves by 20 %."""
DRIFT_PER_MINUTE_MAX = 0.04
LEVEL_MAX = 1.2
LEVEL_DEVIATION = 0.25
"""How far (log) prices stray from their start in the long run; a pull to it keeps them there."""
PULL_MIN = 0.002
NOTIONAL_MINIMA_PER_MINUTE = 80_000


class Regime(Enum):
    """What the market is doing; the value is its name on screens."""

    TREND_UP = "trend_up"
    TREND_DOWN = "trend_down"
    RANGE = "range"
    CALM = "calm"
    CRASH = "crash"


class Character(NamedTuple):
    """A regime's share of time and its drift, restlessness and volume.

    `drift` is in standard deviations of the segment's own quiet random walk.
    """

    regime: Regime
    share: float
    drift: float
    drift_spread: float
    restlessness: float
    volume: float


CHARACTERS = (
    Character(Regime.TREND_UP, 0.30, 1.6, 0.5, 0.9, 1.2),
    Character(Regime.TREND_DOWN, 0.20, -1.6, 0.5, 0.9, 1.2),
    Character(Regime.RANGE, 0.27, 0.0, 0.3, 1.0, 0.9),
    Character(Regime.CALM, 0.17, 0.0, 0.2, 0.4, 0.4),
    Character(Regime.CRASH, 0.06, -3.0, 0.7, 2.5, 4.0),
)
_shares = tuple(accumulate(character.share for character in CHARACTERS[:-1]))
_UNIT = 2.0**-64


class Plan(NamedTuple):
    """What the hash decides about a segment; `minutes` is its length, `drift` a log return."""

    first_minute: int
    minutes: int
    character: Character
    drift: float
    seed: int


class Segment(NamedTuple):
    """A segment built: its minutes, and the log level (0 is the start price) where it ends."""

    plan: Plan
    level_end: float
    rows: Sequence[Candle]


class PairWalk:
    """The endless walk of one pair: any segment of it, on demand, in bounded memory."""

    def __init__(self, spec: MarketSpec, seed: int, start_ms: int) -> None:
        self.spec = spec
        self.start_ms = start_ms
        self.levels: dict[int, float] = {0: 0.0}
        self._name = f"{seed} {spec.symbol} ".encode()
        self._built: OrderedDict[int, Segment] = OrderedDict()
        self._tick = Grid(spec.price_tick)
        self._step = Grid(spec.quantity_step)
        self._deviation = spec.volatility_percent / 100.0
        quiet = 1.6 * self._deviation * math.sqrt(SEGMENT_MINUTES)
        self._pull = min(0.2, max(PULL_MIN, (quiet / LEVEL_DEVIATION) ** 2 / 2))
        volume = spec.notional_min * NOTIONAL_MINIMA_PER_MINUTE / spec.price_start
        self._volume_steps = volume / spec.quantity_step
        self._latest = self.segment(0)

    def segment_at(self, minute: int) -> Segment:
        """Return the segment that `minute` (counted from the start) lies in."""
        first = self._latest.plan.first_minute
        if first <= minute < first + self._latest.plan.minutes:
            return self._latest
        self._latest = self.segment(self.number_at(minute))
        return self._latest

    def number_at(self, minute: int) -> int:
        """Return the number of the segment that `minute` (counted from the start) lies in."""
        number = max(0, minute) // SEGMENT_MINUTES
        return number - 1 if minute < _first_minute(number, self._words(number)) else number

    def segment(self, number: int) -> Segment:
        """Return a segment, built or remembered."""
        if number in self._built:
            self._built.move_to_end(number)
            return self._built[number]
        built = self._built[number] = self._build(number)
        if len(self._built) > SEGMENTS_KEPT_PER_SYMBOL:
            self._built.popitem(last=False)
        return built

    def plan(self, number: int) -> Plan:
        """Return what the seed says about a segment, its past left aside."""
        return next(self._plans(number))

    def _plans(self, number: int) -> Iterator[Plan]:
        """Yield the plans from a segment on, one hash each."""
        words = self._words(number)
        first = _first_minute(number, words)
        for after in count(number + 1):
            words_after = self._words(after)
            first_after = _first_minute(after, words_after)
            minutes = first_after - first
            character = CHARACTERS[bisect(_shares, words[1] * _UNIT)]
            gauss = math.sqrt(-2.0 * math.log((words[2] + 1) * _UNIT)) * math.cos(
                words[3] * (_UNIT * 2.0 * math.pi)
            )
            drift = character.drift + character.drift_spread * gauss
            drift *= self._deviation * math.sqrt(minutes)
            drift_max = DRIFT_PER_MINUTE_MAX * minutes
            drift = max(-drift_max, min(drift_max, drift))
            yield Plan(first, minutes, character, drift, words[4])
            words, first = words_after, first_after

    def level(self, number: int) -> float:
        """Return the log level at which a segment starts, from the nearest note before it."""
        if number - 1 in self._built:
            return self._built[number - 1].level_end
        note = number // SEGMENTS_BETWEEN_NOTES
        while note not in self.levels:
            note -= 1
        level = self.levels[note]
        start = note * SEGMENTS_BETWEEN_NOTES
        for passed, plan in zip(range(start, number), self._plans(start), strict=False):
            if passed % SEGMENTS_BETWEEN_NOTES == 0:
                self.levels[passed // SEGMENTS_BETWEEN_NOTES] = level
            level = self._level_after(level, plan)
        return level

    def _words(self, number: int) -> tuple[int, ...]:
        return unpack("<5Q", blake2b(self._name + b"%d" % number, digest_size=40).digest())

    def _level_after(self, level: float, plan: Plan) -> float:
        reached = level * (1.0 - self._pull) + plan.drift
        return max(-LEVEL_MAX, min(LEVEL_MAX, reached))

    def _build(self, number: int) -> Segment:
        plan, level = self.plan(number), self.level(number)
        level_end = self._level_after(level, plan)
        rng = random.Random(plan.seed)
        deviation = min(MINUTE_DEVIATION_MAX, self._deviation * plan.character.restlessness)
        wiggles = [max(-3.0, min(3.0, rng.gauss(0.0, 1.0))) for _ in range(plan.minutes)]
        # The wiggles cancel out, so that the segment ends where the chain says.
        drift = (level_end - level) / plan.minutes - deviation * sum(wiggles) / plan.minutes
        counts = array("q", [self._count(level)])
        for wiggle in wiggles[:-1]:
            level += drift + deviation * wiggle
            counts.append(self._count(level))
        counts.append(self._count(level_end))
        return Segment(plan, level_end, self._rows(plan, counts, deviation, rng))

    def _count(self, level: float) -> int:
        return max(1, self._tick.count(self.spec.price_start * math.exp(level)))

    def _rows(
        self, plan: Plan, counts: Sequence[int], deviation: float, rng: random.Random
    ) -> list[Candle]:
        price, quantity = self._tick.value, self._step.value
        at_ms = self.start_ms + plan.first_minute * MINUTE_MS
        busy = plan.character.volume * self._volume_steps * _day_shape(at_ms)
        rows: list[Candle] = []
        for opened, closed in pairwise(counts):
            high, low, stir = _extremes(opened, closed, deviation, rng)
            steps = int(busy * stir * math.exp(rng.gauss(0.0, 0.4)))
            rows.append(
                Candle(
                    at_ms,
                    price(opened),
                    price(high),
                    price(low),
                    price(closed),
                    quantity(max(POINTS, steps)),
                )
            )
            at_ms += MINUTE_MS
        return rows


def _first_minute(number: int, words: Sequence[int]) -> int:
    """Return where a segment begins: at a random minute of its half hour."""
    return number * SEGMENT_MINUTES + words[0] % SEGMENT_MINUTES if number else 0


def _extremes(
    opened: int, closed: int, deviation: float, rng: random.Random
) -> tuple[int, int, float]:
    """Return high and low in ticks, and how stirred the minute was (about 1 on average).

    The extremes are drawn as those of a random walk between two known ends.
    """
    scatter = max(1e-9, deviation * opened)
    rise = closed - opened
    reach = 2.0 * scatter * scatter
    above = math.sqrt(rise * rise - reach * math.log(1.0 - 0.9999 * rng.random()))
    below = math.sqrt(rise * rise - reach * math.log(1.0 - 0.9999 * rng.random()))
    high = max(opened, closed, int((opened + closed + above) / 2))
    low = max(1, min(opened, closed, math.ceil((opened + closed - below) / 2)))
    return high, low, 0.4 + min(3.0, (high - low) / scatter) * 0.4


def _day_shape(at_ms: int) -> float:
    """Return how busy the hour is, around 1: least at 03:00 UTC, most at 15:00."""
    return 1.0 - 0.35 * math.cos(2.0 * math.pi * (at_ms / 3_600_000 - 3.0) / 24.0)
