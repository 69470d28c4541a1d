"""Everything that tickd tells: tick results, transitions and contracts, as frozen classes.

Tick results say what one tick of one (symbol, strategy) came to. Transitions are the facts that
must never be lost: each has an `id` that is a function of its inputs, so that a repeat after a
crash is recognised. Times are UTC epoch ms, percents percent points, prices quote units.
"""

from dataclasses import dataclass
from typing import Literal

from daemon.core.pnl import ProfitLoss
from daemon.core.signal import Key, Signal, SignalRow
from daemon.core.states import CancelReason, CloseReason


class Keyed:
    """What every event of a task answers under the seeds' names."""

    __slots__ = ()
    key: Key
    at_ms: int

    @property
    def symbol(self) -> str:
        return self.key.symbol

    @property
    def strategy_name(self) -> str:
        return self.key.strategy_name

    @property
    def exchange_name(self) -> str:
        return self.key.exchange_name

    @property
    def timestamp(self) -> int:
        return self.at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalIdle(Keyed):
    """There is no signal."""

    key: Key
    current_price: float
    at_ms: int
    backtest: bool = False
    signal: None = None
    action: Literal["idle"] = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalActive(Keyed):
    """A signal is open or waits; both percents are 0 while it waits.

    `percent_tp` and `percent_sl` are the progress from entry towards the target or the stop,
    0..100; `revenue_percent` is the gain (or, negative, the loss) on the basis of the levels.
    """

    key: Key
    signal: SignalRow
    current_price: float
    percent_tp: float
    percent_sl: float
    revenue_percent: float
    at_ms: int
    backtest: bool = False
    action: Literal["active"] = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalScheduled(Keyed):
    """A signal was made and waits for its entry price."""

    id: str
    key: Key
    signal: SignalRow
    current_price: float
    at_ms: int
    backtest: bool = False
    action: Literal["scheduled"] = "scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalOpened(Keyed):
    """A position was opened; `current_price` is its entry price."""

    id: str
    key: Key
    signal: SignalRow
    current_price: float
    at_ms: int
    backtest: bool = False
    action: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalClosed(Keyed):
    """A position was closed; `current_price` is the closing price before costs."""

    id: str
    key: Key
    signal: SignalRow
    current_price: float
    close_reason: CloseReason
    close_timestamp: int
    pnl: ProfitLoss
    at_ms: int
    backtest: bool = False
    action: Literal["closed"] = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCancelled(Keyed):
    """A waiting signal ended without a position."""

    id: str
    key: Key
    signal: SignalRow
    current_price: float
    reason: CancelReason
    close_timestamp: int
    at_ms: int
    backtest: bool = False
    action: Literal["cancelled"] = "cancelled"


TickResult = (
    SignalIdle | SignalScheduled | SignalOpened | SignalActive | SignalClosed | SignalCancelled
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialProfitContract(Keyed):
    """An open signal reached a profit `level` (10, 20 ... 100) for the first time.

    `revenue_percent` follows the configured basis; `progress_percent` is the way to the target,
    `price_percent` the change of price. Costs are excluded.
    """

    id: str
    key: Key
    data: SignalRow
    current_price: float
    level: int
    revenue_percent: float
    progress_percent: float
    price_percent: float
    at_ms: int
    backtest: bool = False
    kind: Literal["partial_profit"] = "partial_profit"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialLossContract(Keyed):
    """An open signal reached a loss `level` (10, 20 ... 100) for the first time.

    `loss_percent` and the two other percents are negative; costs are excluded.
    """

    id: str
    key: Key
    data: SignalRow
    current_price: float
    level: int
    loss_percent: float
    progress_percent: float
    price_percent: float
    at_ms: int
    backtest: bool = False
    kind: Literal["partial_loss"] = "partial_loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskContract(Keyed):
    """A risk profile refused a signal. `comment` is the reason, `note` the rule's own note."""

    id: str
    key: Key
    pending_signal: Signal | SignalRow
    risk_name: str
    current_price: float
    active_position_count: int
    comment: str
    note: str
    at_ms: int
    backtest: bool = False
    kind: Literal["risk"] = "risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorContract(Keyed):
    """Something went wrong and the daemon goes on: `error` and `validation` carry it.

    `where` names the part (get_signal, callback, listener, feed, storage ...), `error` the class,
    `message` the text with secrets removed.
    """

    id: str
    key: Key
    where: str
    error: str
    message: str
    at_ms: int
    backtest: bool = False
    kind: Literal["error"] = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitContract(Keyed):
    """Something ended a run: a fatal error, told once."""

    id: str
    key: Key
    where: str
    error: str
    message: str
    at_ms: int
    backtest: bool = False
    kind: Literal["exit"] = "exit"


SignalTransition = (
    SignalScheduled
    | SignalOpened
    | SignalClosed
    | SignalCancelled
    | PartialProfitContract
    | PartialLossContract
)
"""What `step` makes: facts that follow from a change of state."""

Transition = SignalTransition | RiskContract | ErrorContract | ExitContract
"""Everything durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneContract:
    """A run has ended. In a walker `strategy_name` is the walker's; `frame_name` in backtests."""

    exchange_name: str
    strategy_name: str
    symbol: str
    backtest: bool
    frame_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressBacktestContract:
    """How far a backtest has come: told before each moment, and a last time at 1.0.

    `processed_frames` of `total_frames` moments are behind it; `progress` is their ratio, 0..1.
    """

    exchange_name: str
    strategy_name: str
    symbol: str
    total_frames: int
    processed_frames: int
    progress: float


PerformanceMetric = Literal[
    "live_tick",
    "backtest_total",
    "backtest_timeframe",
    "backtest_signal",
    "strategy_execution",
    "exchange_fetch",
    "risk_validation",
    "persistence_write",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceContract:
    """How long something took: `duration_ms` of machine time, at market time `timestamp`."""

    timestamp: int
    previous_timestamp: int | None
    metric_type: PerformanceMetric
    duration_ms: float
    key: Key
    backtest: bool = False


Announcement = (
    TickResult | Transition | DoneContract | PerformanceContract | ProgressBacktestContract
)
"""Everything that a listener may be handed."""


def name_of(event: Transition) -> str:
    """Return the name of a transition: scheduled, opened, partial_profit, risk, error ..."""
    match event:
        case SignalScheduled() | SignalOpened() | SignalClosed() | SignalCancelled():
            return event.action
        case _:
            return event.kind
