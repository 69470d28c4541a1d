"""What a backtest comes to, as records: the same inputs give the same ones, byte for byte."""

from dataclasses import dataclass

from daemon.core.events import ErrorContract
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.statistics import BacktestStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """How often something went wrong at one place: in get_signal, a callback, a listener ..."""

    where: str
    error: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """Which candles a run was made on; times in UTC epoch ms, `end_ms` when the last one is over.

    `filled_count` of the minutes were missing and stand flat at the close before them.
    """

    start_ms: int
    end_ms: int
    minute_count: int
    filled_count: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneResult:
    """What one (symbol, strategy) came to.

    `ask_count` are the calls of get_signal. `warm_up_moments` were passed over because the
    declared history was not there yet. `is_given_up` says that the strategy did not come back
    too often to be asked on. `worst_case` is the same run with the worst order in the bars that
    leave open what came first; None if there were none, or if the run itself takes the worst.
    """

    key: Key
    statistics: BacktestStatistics
    ask_count: int
    opened_count: int
    cancelled_count: int
    refused_count: int
    ambiguous_bar_count: int
    warm_up_moments: int
    is_given_up: bool
    error_counts: tuple[ErrorCount, ...]
    first_errors: tuple[ErrorContract, ...]
    data: DataFacts
    worst_case: BacktestStatistics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """What a backtest came to. No durations are in it; `is_complete` is false until its end."""

    frame_name: str
    interval: str
    start_ms: int
    end_ms: int
    is_complete: bool
    rules: Rules
    lanes: tuple[LaneResult, ...]
