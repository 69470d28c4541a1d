"""When a strategy is asked in a run over history, and how: throttled, guarded, and by hand."""

from daemon.core.context import RUN_CONTEXT
from daemon.core.guard import OverrunError, Raised
from daemon.core.rules import Rules
from daemon.core.strategy import Strategy
from daemon.core.throttle import next_ask_ms, signal_interval_ms
from daemon.research.containment import Containment, Suspended
from daemon.research.view import HistoryView, Scene

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
        self._last_ms: int | None = None

    @property
    def is_off(self) -> bool:
        """Say whether the strategy did not come back too often to be asked again."""
        return self.hung_in_row >= HUNG_IN_ROW_MAX

    def due_ms(self, now_ms: int) -> int:
        """Return the moment (UTC epoch ms) of the next call; `now_ms` means now."""
        return next_ask_ms(
            self._last_ms, self.interval_ms, now_ms, align=self._align, since_ms=self.since_ms
        )

    def begin(self, now_ms: int, price: float) -> object:
        """Ask, and return the answer, None, a `Raised`, or `Suspended`, which `finish` awaits."""
        self._last_ms = now_ms
        self.count += 1
        view = HistoryView(self._scene, price, now_ms)
        token = RUN_CONTEXT.set(view)
        outcome = self.calls.begin(self._get_signal, view)
        RUN_CONTEXT.reset(token)
        if outcome is None:
            self.hung_in_row = 0
        return outcome

    async def finish(self, outcome: object) -> object:
        """Return the answer or the `Raised` that `outcome` of `begin` comes to."""
        if isinstance(outcome, Suspended):
            outcome = await self.calls.finish(outcome)
        is_hung = isinstance(outcome, Raised) and isinstance(
            outcome.cause, OverrunError | TimeoutError
        )
        self.hung_in_row = self.hung_in_row + 1 if is_hung else 0
        return outcome
