"""Functions for use inside `get_signal` and callbacks: what is asked, of whom, and when."""

from datetime import UTC, datetime
from typing import Literal

from daemon.core.candles import Candles
from daemon.core.context import running


def get_date() -> datetime:
    """Return the market time of the running call, in UTC: never later than what is visible."""
    return datetime.fromtimestamp(running("get_date").at_ms / 1000, UTC)


def get_mode() -> Literal["live", "backtest"]:
    """Return in which mode the strategy runs."""
    return "backtest" if running("get_mode").backtest else "live"


def get_candles(interval: str, limit: int) -> Candles:
    """Return closed candles as `view.candles` does. Raises HistoryError."""
    return running("get_candles").view.candles(interval, limit)


def get_average_price() -> float:
    """Return the price of the running call (VWAP, quote units), as `view.price` does."""
    return running("get_average_price").view.price
