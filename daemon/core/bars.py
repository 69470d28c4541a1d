"""History as observations: how a one-minute candle is judged, and what the end of data means."""

from collections.abc import Sequence
from typing import assert_never

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.states import (
    Active,
    Cancel,
    Close,
    Closing,
    Idle,
    Observation,
    Opening,
    Scheduled,
    State,
)
from daemon.core.vwap import vwap


def bar_at(rows: Sequence[Candle], index: int, count: int) -> Observation:
    """Return what the market did in the minute `rows[index]`.

    Its `price_start` is what a tick at the minute's open sees, the average of the `count` minutes
    before it; `price` is the average that ends with it. Raises NoPriceError for the first row,
    before which there is no price.
    """
    row = rows[index]
    first = max(0, index - count)
    return Observation(
        at_ms=row.timestamp,
        span_ms=MINUTE_MS,
        price_start=vwap(rows[first:index], count),
        price=vwap(rows[first : index + 1], count),
        low=row.low,
        high=row.high,
    )


def given_at_data_end(state: State, last: Observation) -> Close | Cancel | None:
    """Return what ends the signal of `state` when there is nothing after `last`, or None.

    An open one counts as expired at the last price; a waiting one is cancelled.
    """
    match state:
        case Active():
            return Close(reason="time_expired", at_ms=last.known_at_ms, price=last.price)
        case Scheduled():
            return Cancel(reason="data_end", at_ms=last.known_at_ms, price=last.price)
        case Idle() | Opening() | Closing():
            return None
        case _:
            assert_never(state)
