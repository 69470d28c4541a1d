"""Which frame crossed which level, found on the tapes of both processes after the run.

The exchange's tape has each frame with the moment at which it was handed to the socket, the
daemon's each event with the moment at which a listener heard it; both clocks are the machine's.
So a latency holds the exchange's writing, the wire, ccxt, the decision, both durable writes and
the fan-out: more than the target asks for.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from daemon.core.candles import Candle
from daemon.core.vwap import vwap

LONE_S = 0.06
"""A crossing within so many seconds of another symbol's is not alone."""

Price = tuple[float, float]
"""When a frame was sent (monotonic s), and the average price that follows from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One position that crossed one or more levels by one frame."""

    symbol: str
    strategy: str
    sent_s: float
    heard_s: float
    levels: int

    @property
    def latency_ms(self) -> float:
        return (self.heard_s - self.sent_s) * 1000.0


def prices_of(tape: Sequence[Sequence[Any]]) -> Mapping[str, list[Price]]:
    """Return the average price after each frame, by market name, in the order of sending."""
    minutes: dict[str, dict[int, Candle]] = defaultdict(dict)
    prices: dict[str, list[Price]] = defaultdict(list)
    for sent_s, stream, frame in tape:
        name, _, channel = stream.partition("@")
        if channel != "kline_1m":
            continue
        row = frame["k"]
        opened, high, low, close, volume = (float(row[key]) for key in "ohlcv")
        rows = minutes[name.upper()]
        rows[row["t"]] = Candle(row["t"], opened, high, low, close, volume)
        if len(rows) > 5:
            del rows[min(rows)]
        if len(rows) == 5:
            prices[name.upper()].append((sent_s, vwap(list(rows.values()))))
    return prices


def crossings_of(
    prices: Mapping[str, list[Price]], heard: Sequence[Mapping[str, Any]]
) -> tuple[list[Crossing], int]:
    """Return every crossing, and how many events no frame explains."""
    found: dict[tuple[str, str, float], Crossing] = {}
    unexplained = 0
    for event in heard:
        sent_s = _crossed_at(prices.get(event["symbol"].replace("/", ""), []), event)
        if sent_s is None:
            unexplained += 1
            continue
        key = (event["symbol"], event["strategy"], sent_s)
        known = found.get(key)
        found[key] = Crossing(
            symbol=event["symbol"],
            strategy=event["strategy"],
            sent_s=sent_s,
            heard_s=max(event["at_s"], known.heard_s if known else 0.0),
            levels=1 + (known.levels if known else 0),
        )
    return sorted(found.values(), key=lambda crossing: crossing.sent_s), unexplained


def alone(crossings: Sequence[Crossing]) -> list[Crossing]:
    """Return the crossings by a frame without another symbol's crossing frame close by.

    One frame may cross a level of each strategy on its symbol: each of them counts.
    """
    frames = sorted({(crossing.sent_s, crossing.symbol) for crossing in crossings})
    moments = [-inf, *(sent_s for sent_s, _ in frames), inf]
    lone = {
        frame
        for frame, before_s, after_s in zip(frames, moments, moments[2:], strict=False)
        if min(frame[0] - before_s, after_s - frame[0]) > LONE_S
    }
    return [crossing for crossing in crossings if (crossing.sent_s, crossing.symbol) in lone]


def _crossed_at(prices: Sequence[Price], event: Mapping[str, Any]) -> float | None:
    """Return when the first frame past the event's level was sent."""
    target = "price_take_profit" if event["kind"] == "partial_profit" else "price_stop_loss"
    entry = event["price_open"]
    level = entry + (event[target] - entry) * event["level"] / 100.0
    is_rise = event[target] > entry
    for sent_s, price in prices:
        if (price >= level) if is_rise else (price <= level):
            return sent_s if sent_s <= event["at_s"] else None
    return None
