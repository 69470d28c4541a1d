"""What happened of late, in bounded memory, for whoever looks at the page.

It is a sink like any other: what the page shows costs no tick, and is lost when it is too much.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from daemon.core.candles import Candle
from daemon.core.events import (
    Announcement,
    DoneContract,
    PerformanceContract,
    ProgressBacktestContract,
    SignalActive,
    SignalClosed,
    SignalIdle,
)
from daemon.core.fields import Fields, flat_fields, log_name
from daemon.core.records import CandleEntry, Journaled, TransitionEntry

HAPPENINGS_MAX = 300
CLOSES_MAX = 5_000
MINUTES_MAX = 720
LINES_MAX = 300

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Numbered:
    """Something to tell, and its place in the order of all that was told (from 1)."""

    number: int
    told: Fields


class Recent:
    """The newest transitions, closes, minutes and log lines. Lines may come from any thread."""

    name = "page"

    def __init__(self) -> None:
        self._numbers = count(1)
        self._happenings: deque[Numbered] = deque(maxlen=HAPPENINGS_MAX)
        self._lines: deque[Numbered] = deque(maxlen=LINES_MAX)
        self._closes: deque[Fields] = deque(maxlen=CLOSES_MAX)
        self._closed_ids: set[str] = set()
        self._minutes: dict[str, deque[Candle]] = {}

    # -- What comes in -----------------------------------------------------------------------------

    def wants(self, event: Announcement) -> bool:
        """Say whether `event` is news for the page: a tick at which nothing happened is not."""
        quiet = (
            SignalIdle
            | SignalActive
            | PerformanceContract
            | ProgressBacktestContract
            | DoneContract
        )
        return not isinstance(event, quiet)

    async def send(self, events: Sequence[Announcement]) -> None:
        """Take what happened."""
        for event in events:
            self.take(event)

    def take(self, event: Announcement) -> None:
        """Take one thing that happened."""
        told: Fields = {"name": log_name(event), **flat_fields(event)}
        self._happenings.append(Numbered(next(self._numbers), told))
        if isinstance(event, SignalClosed):
            self._add_close(event)

    def on_minute(self, symbol: str, candle: Candle) -> None:
        """Take a final one-minute candle."""
        minutes = self._minutes.get(symbol)
        if minutes is None:
            minutes = self._minutes[symbol] = deque(maxlen=MINUTES_MAX)
        if not minutes or candle.timestamp > minutes[-1].timestamp:
            minutes.append(candle)

    def on_line(self, line: str) -> None:
        """Take a line of the log, without the colours that it has on a terminal."""
        self._lines.append(Numbered(next(self._numbers), {"line": _COLOURS.sub("", line)}))

    def remember(self, closes: Iterable[SignalClosed], entries: Iterable[Journaled]) -> None:
        """Put what the journal knows before what came since: older closes, events, candles."""
        since = list(self._closes)
        self._closes.clear()
        known, self._closed_ids = self._closed_ids, set()
        for close in closes:
            if close.signal.id not in known:
                self._add_close(close)
        self._closes.extend(since)
        self._closed_ids |= known
        told_ids = {each.told.get("id") for each in self._happenings}
        before: deque[Numbered] = deque(maxlen=HAPPENINGS_MAX - len(self._happenings))
        minutes: dict[str, deque[Candle]] = {}
        for journaled in entries:
            entry = journaled.entry
            if isinstance(entry, CandleEntry):
                minutes.setdefault(entry.symbol, deque(maxlen=MINUTES_MAX)).append(entry.candle)
            elif isinstance(entry, TransitionEntry):
                fresh = [event for event in entry.events if event.id not in told_ids]
                for event in fresh:
                    told: Fields = {"name": log_name(event), **flat_fields(event)}
                    before.append(Numbered(0, told))
        self._happenings.extendleft(reversed(before))
        for symbol, old in minutes.items():
            new = self._minutes.get(symbol, ())
            begun_ms = new[0].timestamp if new else None
            kept = [row for row in old if begun_ms is None or row.timestamp < begun_ms]
            self._minutes[symbol] = deque([*kept, *new], maxlen=MINUTES_MAX)

    # -- What the page asks ------------------------------------------------------------------------

    @property
    def closes(self) -> list[Fields]:
        """Return the closed trades, oldest first."""
        return list(self._closes)

    def happenings(self, after: int = -1) -> list[Numbered]:
        """Return what happened with a number above `after`, oldest first."""
        return [each for each in list(self._happenings) if each.number > after]

    def lines(self, after: int = -1) -> list[Numbered]:
        """Return the log's lines with a number above `after`, oldest first."""
        # Another thread may add one meanwhile; a deque that is copied at once does not mind.
        return [each for each in self._lines.copy() if each.number > after]

    def minutes(self, symbol: str) -> list[Candle]:
        """Return the final one-minute candles of `symbol`, oldest first."""
        return list(self._minutes.get(symbol, ()))

    def _add_close(self, event: SignalClosed) -> None:
        row = event.signal
        if row.id in self._closed_ids:
            return
        if len(self._closes) == CLOSES_MAX:
            self._closed_ids.discard(str(self._closes[0]["id"]))
        self._closed_ids.add(row.id)
        self._closes.append(
            {
                "id": row.id,
                "symbol": row.symbol,
                "strategy": row.strategy_name,
                "position": row.position,
                "opened_ms": row.pending_at,
                "closed_ms": event.at_ms,
                "price_open": row.price_open,
                "price_close": event.current_price,
                "price_take_profit": row.price_take_profit,
                "price_stop_loss": row.price_stop_loss,
                "reason": event.close_reason,
                "pnl_percent": event.pnl.pnl_percentage,
            }
        )
