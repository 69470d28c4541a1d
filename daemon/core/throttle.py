"""When a strategy may be asked for a signal."""

from daemon.core.candles import INTERVAL_MS, SIGNAL_INTERVALS


def signal_interval_ms(interval: str) -> int:
    """Return the length of a signal interval in ms. Raises ValueError, naming the known ones."""
    if interval not in SIGNAL_INTERVALS:
        known = ", ".join(SIGNAL_INTERVALS)
        raise ValueError(f"unknown signal interval {interval!r}: use one of {known}")
    return INTERVAL_MS[interval]


def next_ask_ms(
    last_ms: int | None,
    interval_ms: int,
    now_ms: int,
    *,
    align: bool,
    since_ms: int | None = None,
) -> int:
    """Return the market time (ms) from which the next call is allowed; `now_ms` means at once.

    Plain, a call is allowed when the interval has passed since the last one. Aligned, calls
    happen at the first tick at or after each multiple of the interval since the epoch: live then
    asks when a backtest asks, and a crash loop cannot ask at every start. `since_ms` is when the
    caller came up: before its first call, a multiple after that is its turn, an earlier one was
    not. Without it the caller comes up now.
    """
    if last_ms is not None and last_ms > now_ms:
        # The clock was set back: time that has not come yet must not block the strategy.
        return now_ms
    if not align:
        return now_ms if last_ms is None else max(now_ms, last_ms + interval_ms)
    slot_ms = now_ms // interval_ms * interval_ms
    if last_ms is None:
        born_ms = now_ms if since_ms is None else min(since_ms, now_ms)
        return now_ms if born_ms <= slot_ms else slot_ms + interval_ms
    return now_ms if last_ms < slot_ms else slot_ms + interval_ms
