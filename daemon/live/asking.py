"""Whether a strategy may be asked now: its throttle, its circuit breaker, its lost threads."""

from dataclasses import dataclass

from daemon.core.throttle import next_ask_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much a strategy may fail before it is left alone, and for how long (seconds).

    `final_s` is how long its turn waits until the minute before is known to be over.
    """

    failures_in_row_max: int = 5
    circuit_reset_s: float = 300.0
    leaked_threads_max: int = 3
    final_s: float = 2.5


class Asking:
    """The memory of one strategy's calls; not persisted, so a restart asks at the next slot."""

    def __init__(self, interval_ms: int, patience: Patience, *, align: bool, since_ms: int) -> None:
        self._interval_ms = interval_ms
        self._patience = patience
        self._align = align
        self._since_ms = since_ms
        self.last_ms: int | None = None
        self.failures = 0
        self.leaked = 0
        self._closed_until_s = 0.0
        self._awaited_ms = 0
        self.ripe_s = 0.0

    def due_ms(self, now_ms: int) -> int:
        """Return the market time (ms) of the next call; at most `now_ms` means now."""
        # A clock that was put right since may show a time before the start.
        self._since_ms = min(self._since_ms, now_ms)
        return next_ask_ms(
            self.last_ms,
            self._interval_ms,
            now_ms,
            align=self._align,
            since_ms=self._since_ms,
        )

    def begin(self, now_ms: int) -> None:
        """Use up the interval: whatever the call comes to, the next one waits for the next."""
        self.last_ms = now_ms
        self.ripe_s = 0.0

    def is_ripe(self, minute_ms: int, now_s: float) -> bool:
        """Say whether the wait for the minute before `minute_ms` to be final has been long enough.

        A backtest shows a strategy the minute that has just ended, so live waits until the
        exchange has told all of it; not for ever, for where nothing is traded nothing is told.
        `ripe_s` is the machine time at which the wait is over.
        """
        if self._awaited_ms != minute_ms:
            self._awaited_ms, self.ripe_s = minute_ms, now_s + self._patience.final_s
        return now_s >= self.ripe_s

    def succeeded(self) -> None:
        """Note an answer that was an answer, a signal or none."""
        self.failures = 0

    def failed(self, now_s: float) -> bool:
        """Note a failure; return True when it opens the circuit."""
        self.failures += 1
        if self.failures < self._patience.failures_in_row_max:
            return False
        # Each failure past the limit shuts it again: one trial call at a time.
        self._closed_until_s = now_s + self._patience.circuit_reset_s
        return True

    def is_circuit_open(self, now_s: float) -> bool:
        """Say whether the strategy is left alone after too many failures in a row."""
        return now_s < self._closed_until_s

    @property
    def is_off(self) -> bool:
        """Say whether it lost too many threads to be asked again before a restart."""
        return self.leaked >= self._patience.leaked_threads_max
