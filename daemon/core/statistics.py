"""Statistics of a run over history: its closed signals.

The collector is fed by a driver with every event as it is emitted, and a function does the same to
a whole sequence.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from daemon.core.collector import NEWEST_MAX, gathered
from daemon.core.events import Announcement, SignalClosed
from daemon.core.trade_figures import TradeFigures, TradeTally


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestStatistics(TradeFigures):
    """How a strategy fared over history. `signal_list` holds the newest signals, newest first."""

    signal_list: tuple[SignalClosed, ...]
    total_signals: int


class BacktestCollector:
    """Gathers closed signals, oldest first."""

    def __init__(self, *, signals_max: int = NEWEST_MAX) -> None:
        self._tally = TradeTally()
        self._newest: deque[SignalClosed] = deque(maxlen=signals_max)

    def add(self, event: Announcement) -> None:
        """Take `event` into account if it is a closed signal."""
        if isinstance(event, SignalClosed):
            self._tally.add(event)
            self._newest.append(event)

    def statistics(self) -> BacktestStatistics:
        """Return the figures of everything added so far."""
        tally = self._tally
        return BacktestStatistics(
            signal_list=tuple(reversed(self._newest)),
            total_signals=tally.count,
            **tally.figures(),
        )


def backtest_statistics(events: Iterable[Announcement]) -> BacktestStatistics:
    """Return the figures of the closed signals among `events`, which are in order of emission."""
    return gathered(BacktestCollector(), events)
