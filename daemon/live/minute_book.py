"""The newest one-minute candles of one symbol: which are final, which one still forms.

A book takes rows from a stream and from REST and judges them; it asks nobody and awaits nothing.
REST is the truth: it fills what the stream missed, and a move too large to be believed stands
only when REST shows it for a minute. The price then begins anew behind it: no average is made of
prices from both sides.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.rules import Rules
from daemon.core.trust import (
    fill_gaps,
    find_fault,
    find_row_fault,
    flat_between,
    is_jump,
    jump_percent,
)
from daemon.core.vwap import vwap

EARLY_ROWS_MAX = 16
CONFIRM_MS = MINUTE_MS
"""For so long (market time) REST must show a move that is hard to believe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far the exchange's time may be from ours (market time).

    A candle may begin `future_ms` ahead of our clock; a stream whose newest candle ended more
    than `late_ms` ago is behind, and may be about to skip something.
    """

    future_ms: int = MINUTE_MS
    late_ms: int = 10_000


class Step(Enum):
    """What became of one row of a stream."""

    TAKEN = "taken"
    OLD = "old"
    GAP = "gap"


class MinuteBook:
    """Rows go in by `take_stream` and `take_rest`; final candles come out of them, once each.

    `fault` says in words for a person why the last rows were not believed, "" if they were.
    `doubt` does from a move over the believable until REST has shown it for a minute, or no more;
    nothing may be decided meanwhile. `begun_anew` says behind which move the last answer made the
    price begin anew, "" if it did not.
    """

    def __init__(self, rules: Rules, tolerance: Tolerance = Tolerance()) -> None:
        self._rules = rules
        self._tolerance = tolerance
        self._final: deque[Candle] = deque(maxlen=rules.avg_price_candles_count)
        self._early: dict[int, Candle] = {}
        self._doubted_ms = 0
        self._window_ms = 0
        self._is_line_new = True
        self.doubt = ""
        self.begun_anew = ""
        self.forming: Candle | None = None
        self.needs_rest = True
        self.fault = ""
        self.filled_count = 0

    @property
    def last_final(self) -> Candle | None:
        return self._final[-1] if self._final else None

    @property
    def final_until_ms(self) -> int:
        """Return the time before which every minute is final; 0 before the first rows."""
        return self.forming.timestamp if self.forming is not None else 0

    def price(self, now_ms: int) -> float | None:
        """Return the VWAP of the candles that have begun before `now_ms`, None without any."""
        first_ms = self._window_ms
        rows = [
            row
            for row in (*self._final, self.forming)
            if row and first_ms <= row.timestamp < now_ms
        ]
        return vwap(rows, self._rules.avg_price_candles_count) if rows else None

    def line_lost(self) -> None:
        """Let REST fill what the line may have missed, now and when a new line begins to tell."""
        self.needs_rest = True
        self.line_paused()

    def line_paused(self) -> None:
        """Ask REST once more if the stream goes on in another minute than it stopped in."""
        self._is_line_new = True
        self._early.clear()

    def start_anew(self) -> None:
        """Forget every candle: more is missing than can be filled."""
        self._final.clear()
        self._early.clear()
        self.forming = None
        self.needs_rest = True

    def take_stream(self, rows: Sequence[Candle], now_ms: int) -> list[Candle] | None:
        """Take what a stream told; return the candles that became final.

        None if it is not believed, is old news, or must wait until REST has filled a gap.
        """
        self.fault = ""
        if not rows or rows[-1].timestamp + MINUTE_MS + self._tolerance.late_ms < now_ms:
            self.line_paused()
            return None
        final: list[Candle] = []
        step = Step.OLD
        for row in rows:
            self.fault = self._find_fault(row, now_ms)
            if self.fault:
                self.needs_rest = True
                return None
            step = self._advance(row, final)
        return final if step is Step.TAKEN else None

    def take_rest(self, rows: Sequence[Candle], now_ms: int) -> list[Candle] | None:
        """Take an answer to what was asked at `now_ms`; return the candles that became final.

        None if it is not believed, or knows less than the stream of a minute that has just begun.

        The answer must reach back to the last final candle, else the minutes between count as
        minutes without a trade.
        """
        self.begun_anew = ""
        fault = find_fault(
            rows, self._rules, interval_ms=MINUTE_MS, latest_ms=now_ms + self._tolerance.future_ms
        )
        if fault is None and not rows:
            fault = "the exchange has no candles"
        if fault is None and self.forming and rows[-1].timestamp < self.forming.timestamp:
            if self.forming.timestamp > now_ms - self._tolerance.late_ms:
                # It was on its way, or made, when the stream told that a new minute had begun.
                self.fault = ""
                return None
            fault = f"the answer ends at {rows[-1].timestamp}, before what is known"
        self.fault = fault or self._find_jump(rows, now_ms)
        if self.fault:
            return None
        return self._adopt(rows)

    def _find_fault(self, row: Candle, now_ms: int) -> str:
        fault = find_row_fault(row, MINUTE_MS)
        if fault is None and row.timestamp > now_ms + self._tolerance.future_ms:
            fault = f"begins {(row.timestamp - now_ms) / 1000:.0f} s in the future"
        if fault is not None:
            return f"the candle at {row.timestamp} {fault}"
        last = self.last_final
        if last is None or row.timestamp <= last.timestamp:
            return ""
        return self._doubt_of(last, row, now_ms) if is_jump(last, row, self._rules) else ""

    def _find_jump(self, rows: Sequence[Candle], now_ms: int) -> str:
        """Return words for the newest move that is not to be believed yet, "" if there is none."""
        last = self.last_final
        # Compared with what we know: an answer may lie about the last final minute as well.
        news = [row for row in rows if last is None or row.timestamp > last.timestamp]
        jumps = [
            (before, row)
            for before, row in zip((last, *news), news, strict=False)
            if before and is_jump(before, row, self._rules)
        ]
        if not jumps:
            self.doubt = ""
            return ""
        before, row = jumps[-1]
        doubt = self._doubt_of(before, row, now_ms)
        waited_ms = now_ms - self._doubted_ms
        if waited_ms < CONFIRM_MS or rows[-1].timestamp <= row.timestamp:
            return doubt
        self.begun_anew = (
            f"price moved {_percents(jumps)} in a minute, and REST shows it still after"
            f" {waited_ms / 1000:.0f} s: believed, and averaged only from behind it on"
        )
        self.doubt, self._window_ms = "", row.timestamp + MINUTE_MS
        return ""

    def _doubt_of(self, before: Candle, row: Candle, now_ms: int) -> str:
        """Decide nothing until REST has shown a move for a minute, and return it in words."""
        if not self.doubt or now_ms < self._doubted_ms:
            self._doubted_ms = now_ms
        self.needs_rest = True
        percent = _percents([(before, row)])
        self.doubt = f"price moved {percent} in a minute: waiting for REST to confirm it for one"
        return self.doubt

    def _keep_for_later(self, row: Candle) -> None:
        """Keep a row that came while REST is asked: its minute may end before the answer."""
        self._early[row.timestamp] = row
        while len(self._early) > EARLY_ROWS_MAX:
            del self._early[min(self._early)]

    def _advance(self, row: Candle, final: list[Candle]) -> Step:
        """Move on by one row of a stream."""
        forming = self.forming
        if forming is None or self.needs_rest or self._is_after_gap(row, forming):
            self.needs_rest = True
            self._keep_for_later(row)
            return Step.GAP
        if row.timestamp == forming.timestamp + MINUTE_MS:
            self._final.append(forming)
            final.append(forming)
        elif row.timestamp < forming.timestamp or row.volume < forming.volume:
            # A minute's volume only grows: less of it is a row that came late, or twice.
            return Step.OLD
        self.forming, self._is_line_new = row, False
        return Step.TAKEN

    def _is_after_gap(self, row: Candle, forming: Candle) -> bool:
        """Say whether the stream may have missed something between what is known and `row`.

        Each row tells its whole minute: a new line that goes on in the same one has missed none.
        """
        step_ms = row.timestamp - forming.timestamp
        return step_ms > (0 if self._is_line_new else MINUTE_MS)

    def _adopt(self, rows: Sequence[Candle]) -> list[Candle]:
        """Make an answer's rows ours: all but the last are final."""
        last = self.last_final
        if last is not None:
            rows = [row for row in rows if row.timestamp > last.timestamp]
            if rows:
                missing = flat_between(last, rows[0].timestamp, MINUTE_MS)
                self.filled_count += len(missing)
                rows = [*missing, *rows]
        whole, filled = fill_gaps(rows, MINUTE_MS)
        self.filled_count += filled
        final = whole[:-1]
        self._final.extend(final)
        newest = whole[-1] if whole else self.forming
        assert newest is not None
        self.forming = self._later_of(newest)
        self.needs_rest = False
        early, self._early = self._early, {}
        if early and min(early) <= newest.timestamp:
            self._is_line_new = False  # it told before REST was asked: both meet without a gap
        for timestamp in sorted(early):
            self._advance(early[timestamp], final)
        return final

    def _later_of(self, told: Candle) -> Candle:
        """Return REST's row or the stream's of the same minute, whichever has seen more trades."""
        known = self.forming
        if known is None or known.timestamp != told.timestamp or known.volume <= told.volume:
            return told
        return known


def _percents(jumps: Sequence[tuple[Candle, Candle]]) -> str:
    """Return moves for people: "+900 %, then -90 %"."""
    return ", then ".join(f"{jump_percent(before, row):+.0f} %" for before, row in jumps)
