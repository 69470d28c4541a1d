"""When a strategy is asked in a run over history, and how: throttled, guarded, and by hand."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from contextvars import copy_context

from daemon.core.context import RUN_CONTEXT
from daemon.core.guard import OverrunError, Raised
from daemon.core.rules import Rules
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy
from daemon.core.throttle import next_ask_ms, signal_interval_ms
from daemon.core.validation import read_signal
from daemon.research.containment import Containment, Suspended
from daemon.research.view import HistoryView, Scene

_READ = (Signal, Raised)
"""In these there is no code of an author's: nothing else is looked at but in a guarded call."""

HUNG_IN_ROW_MAX = 3
"""After so many calls in a row that never came back, a strategy is asked no more."""


class Asker:
    """Asks one strategy. A call uses up its interval, whatever it comes to."""

    def __init__(self, strategy: Strategy, scene: Scene, rules: Rules, calls: Containment) -> None:
        self.count = 0
        self.hung_in_row = 0
        self.since_ms = 0
        self._scene = scene
        self.calls = calls
        self._align = rules.align
        self._get_signal = strategy.get_signal
        self.interval_ms = signal_interval_ms(strategy.interval)
        self.last_ms: int | None = None
        self._view: HistoryView | None = None

    @property
    def is_off(self) -> bool:
        """Say whether the strategy did not come back too often to be asked again."""
        return self.hung_in_row >= HUNG_IN_ROW_MAX

    def due_ms(self, now_ms: int) -> int:
        """Return the moment (UTC epoch ms) of the next call; `now_ms` means now."""
        return next_ask_ms(
            self.last_ms, self.interval_ms, now_ms, align=self._align, since_ms=self.since_ms
        )

    def moments_alike(self, grid: range, now_ms: int, last_ms: int) -> Sequence[range]:
        """Return the moments of `grid` at which calls that come to nothing follow one another.

        From `now_ms`, which is one, to `last_ms` (UTC epoch ms); at least that one.
        """
        interval_ms = self.interval_ms
        past_slot_ms = now_ms % interval_ms if self._align else 0
        stop_ms = min(last_ms + 1, grid.stop)
        if past_slot_ms == 0 and interval_ms % grid.step == 0:
            return (range(now_ms, max(stop_ms, now_ms + 1), interval_ms),)
        slot_ms = now_ms - past_slot_ms + interval_ms
        only = range(now_ms, now_ms + 1, interval_ms)
        if slot_ms < stop_ms and slot_ms in grid and interval_ms % grid.step == 0:
            return (only, range(slot_ms, stop_ms, interval_ms))
        return (only,)

    def begin(self, now_ms: int, price: float) -> object:
        """Ask, and return the answer, None, a `Raised`, or `Suspended`, which `finish` awaits."""
        return self.begin_each([(now_ms, price)], ())

    def begin_each(self, moments: Iterable[tuple[int, float]], heard_by: Sequence[Sized]) -> object:
        """Ask at each (time, price) for as long as the answer is None; return the first other one.

        `last_ms` says when that was. After a call it ends, with None, where somebody's turn is due
        or anybody is in one of the lists `heard_by`.
        """
        count = self.count
        views = self._views(moments, heard_by)
        outcome = copy_context().run(self.calls.begin_each, self._get_signal, views)
        if outcome is None or self.count > count + 1:
            self.hung_in_row = 0
        return outcome

    def _views(
        self, moments: Iterable[tuple[int, float]], heard_by: Sequence[Sized]
    ) -> Iterator[HistoryView]:
        """Yield what the strategy sees at each moment, as the context of the call that follows."""
        scene, enter, calls = self._scene, RUN_CONTEXT.set, self.calls
        for now_ms, price in moments:
            self.last_ms = now_ms
            self.count += 1
            self._view = view = HistoryView(scene, price, now_ms)
            enter(view)
            yield view
            if calls.is_turn_due or any(heard_by):
                return

    async def finish(self, outcome: object) -> object:
        """Return the `Signal`, None or the `Raised` that `outcome` of `begin` comes to."""
        # Its type and not isinstance, which would ask an answer: a foreign __class__ may raise.
        if type(outcome) is Suspended:
            # What goes on later is still the call of its own moment.
            with _as_context(self._view):
                outcome = await self.calls.finish(outcome)
        if outcome is not None and type(outcome) not in _READ:
            read = self.calls.guarded(read_signal, outcome)
            outcome = read if isinstance(read, Raised) else read.value
        is_hung = type(outcome) is Raised and issubclass(
            type(outcome.cause), OverrunError | TimeoutError
        )
        self.hung_in_row = self.hung_in_row + 1 if is_hung else 0
        return outcome


@contextmanager
def _as_context(view: HistoryView | None) -> Iterator[None]:
    assert view is not None, "what waits has been asked"
    token = RUN_CONTEXT.set(view)
    try:
        yield
    finally:
        RUN_CONTEXT.reset(token)
