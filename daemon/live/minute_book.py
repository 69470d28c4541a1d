"""The newest one-minute candles of one symbol: which are final, which one still forms.

A book takes rows from a stream and from REST and judges them; it asks nobody and awaits nothing.
REST is the truth: it fills what the stream missed, and a move too large to be believed stands
only when REST shows it again.
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
    `doubt` does from a move over the believable until REST has shown it or not; nothing may be
    decided meanwhile. `believed` is the newest candle of such a move that stood.
    """

    def __init__(self, rules: Rules, tolerance: Tolerance = Tolerance()) -> None:
        self._rules = rules
        self._tolerance = tolerance
        self._final: deque[Candle] = deque(maxlen=rules.avg_price_candles_count)
        self._early: dict[int, Candle] = {}
        self._suspect_ms = 0
        self._is_line_new = True
        self.believed: Candle | None = None
        self.doubt = ""
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
        rows = [row for row in (*self._final, self.forming) if row and row.timestamp < now_ms]
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
        self.forming = self.believed = None
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
        """Take an answer; return the candles that became final, None if it is not believed.

        The answer must reach back to the last final candle, else the minutes between count as
        minutes without a trade.
        """
        fault = find_fault(
            rows, self._rules, interval_ms=MINUTE_MS, latest_ms=now_ms + self._tolerance.future_ms
        )
        if fault is None and not rows:
            fault = "the exchange has no candles"
        if fault is None and self.forming and rows[-1].timestamp < self.forming.timestamp:
            fault = f"the answer ends at {rows[-1].timestamp}, before what is known"
        self.fault = fault or self._find_jump(rows)
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
        if last is None or row.timestamp <= last.timestamp or self._is_believed(row):
            return ""
        return self._doubt_of(last, row) if is_jump(last, row, self._rules) else ""

    def _find_jump(self, rows: Sequence[Candle]) -> str:
        """Return words for the first move that no answer has shown before, "" if there is none."""
        last = self.last_final
        jumps = [
            (before, row)
            for before, row in zip((last, *rows), rows, strict=False)
            if before and not (last and row.timestamp <= last.timestamp)
            if is_jump(before, row, self._rules) and not self._is_believed(row)
        ]
        if not jumps:
            self.doubt = ""
            return ""
        before, row = jumps[-1]
        if self.doubt and self._suspect_ms == row.timestamp:
            self.doubt, self.believed = "", row
            return ""
        return self._doubt_of(before, row)

    def _doubt_of(self, before: Candle, row: Candle) -> str:
        """Decide nothing until REST has shown a move, and return it in words."""
        self._suspect_ms = row.timestamp
        percent = jump_percent(before, row)
        self.doubt = f"price moved {percent:+.0f} % in a minute: waiting for REST to confirm"
        return self.doubt

    def _is_believed(self, row: Candle) -> bool:
        """Say whether `row` belongs to a move that REST has shown twice."""
        known = self.believed
        if known is None or known.timestamp != row.timestamp:
            return False
        reach = self._rules.max_price_jump_percent / 100.0
        return row.high <= known.high * (1.0 + reach) and row.low >= known.low * (1.0 - reach)

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
        return told if self.believed is not None else known
