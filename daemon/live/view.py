"""What a live strategy sees: the market up to this moment, as it declared to need it."""

from collections.abc import Mapping
from dataclasses import dataclass

from daemon.core.candles import Candles
from daemon.core.params import Params
from daemon.core.strategy import HistoryError
from daemon.core.vwap import NoPriceError
from daemon.live.feed import SymbolFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """Everything is copied at one moment: a worker thread may read it at leisure."""

    symbol: str
    price: float
    now_ms: int
    params: Params
    history: Mapping[str, Candles]

    def candles(self, interval: str, limit: int) -> Candles:
        """Return the last `limit` closed candles of `interval`, oldest first.

        Raises HistoryError when the strategy did not declare as many.
        """
        window = self.history.get(interval)
        if window is None or limit > len(window):
            raise HistoryError(
                f"candles({interval!r}, {limit}) were not declared: "
                f'set history = {{"{interval}": {limit}}} on the strategy'
            )
        return window[len(window) - limit :]


def look(feed: SymbolFeed, declared: Mapping[str, int], params: Params, now_ms: int) -> LiveView:
    """Return what a strategy with the history `declared` sees of `feed` at `now_ms`.

    Raises NoPriceError without a price, HistoryError while candles are missing.
    """
    return LiveView(
        symbol=feed.symbol,
        price=price_of(feed),
        now_ms=now_ms,
        params=params,
        history={name: feed.closed(name, limit) for name, limit in declared.items()},
    )


def price_of(feed: SymbolFeed) -> float:
    """Return the price of `feed` (quote units). Raises NoPriceError before the first one."""
    if feed.price is None:
        raise NoPriceError(f"{feed.symbol} has no price yet")
    return feed.price
