"""tickd: an asyncio trading daemon. `from daemon import Strategy, Signal, ...` is its public face.

Names are looked up when they are first used, so that a strategy's import stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from daemon.app.api import HOMES

if TYPE_CHECKING:
    from daemon.adapters.storage.persist import (
        PersistBase,
        PersistPartialAdapter,
        PersistRiskAdapter,
        PersistScheduleAdapter,
        PersistSignalAdapter,
        use_persist_partial_adapter,
        use_persist_risk_adapter,
        use_persist_schedule_adapter,
        use_persist_signal_adapter,
    )
    from daemon.app.backtest_run import (
        Backtest,
        BacktestRun,
    )
    from daemon.app.defaults import (
        RulesError,
        get_config,
        get_default_config,
        set_config,
    )
    from daemon.app.history import (
        add_history,
    )
    from daemon.app.listeners import (
        listen_backtest_progress,
        listen_done_backtest,
        listen_done_backtest_once,
        listen_done_live,
        listen_done_live_once,
        listen_error,
        listen_exit,
        listen_partial_loss,
        listen_partial_loss_once,
        listen_partial_profit,
        listen_partial_profit_once,
        listen_performance,
        listen_risk,
        listen_risk_once,
        listen_signal,
        listen_signal_backtest,
        listen_signal_backtest_once,
        listen_signal_live,
        listen_signal_live_once,
        listen_signal_once,
        listen_validation,
    )
    from daemon.app.live_run import (
        Live,
        LiveRun,
        LiveRunError,
    )
    from daemon.app.registry import (
        ExchangeSchema,
        RegistrationError,
        UnknownNameError,
        add_exchange,
        add_frame,
        add_risk,
        add_strategy,
        list_exchanges,
        list_frames,
        list_risks,
        list_strategies,
    )
    from daemon.app.running import (
        get_average_price,
        get_candles,
        get_date,
        get_mode,
    )
    from daemon.core.candles import (
        Candle,
        Candles,
    )
    from daemon.core.events import (
        DoneContract,
        ErrorContract,
        ExitContract,
        PartialLossContract,
        PartialProfitContract,
        PerformanceContract,
        ProgressBacktestContract,
        RiskContract,
        SignalActive,
        SignalCancelled,
        SignalClosed,
        SignalIdle,
        SignalOpened,
        SignalScheduled,
        TickResult,
    )
    from daemon.core.frame import (
        Frame,
        FrameError,
    )
    from daemon.core.params import (
        ParameterError,
        Params,
    )
    from daemon.core.pnl import (
        ProfitLoss,
    )
    from daemon.core.risk import (
        ActivePosition,
        RiskPayload,
        RiskProfile,
        RiskRejectedError,
        RiskValidation,
    )
    from daemon.core.rules import (
        Rules,
    )
    from daemon.core.signal import (
        Signal,
        SignalRow,
    )
    from daemon.core.statistics import (
        BacktestStatistics,
    )
    from daemon.core.strategy import (
        HistoryError,
        Strategy,
        View,
    )
    from daemon.research.columns import (
        CandleError,
    )
    from daemon.research.plan import (
        BacktestError,
    )
    from daemon.research.result import (
        BacktestResult,
    )

__all__ = [
    "ActivePosition",
    "Backtest",
    "BacktestError",
    "BacktestResult",
    "BacktestRun",
    "BacktestStatistics",
    "Candle",
    "CandleError",
    "Candles",
    "DoneContract",
    "ErrorContract",
    "ExchangeSchema",
    "ExitContract",
    "Frame",
    "FrameError",
    "HistoryError",
    "Live",
    "LiveRun",
    "LiveRunError",
    "ParameterError",
    "Params",
    "PartialLossContract",
    "PartialProfitContract",
    "PerformanceContract",
    "PersistBase",
    "PersistPartialAdapter",
    "PersistRiskAdapter",
    "PersistScheduleAdapter",
    "PersistSignalAdapter",
    "ProfitLoss",
    "ProgressBacktestContract",
    "RegistrationError",
    "RiskContract",
    "RiskPayload",
    "RiskProfile",
    "RiskRejectedError",
    "RiskValidation",
    "Rules",
    "RulesError",
    "Signal",
    "SignalActive",
    "SignalCancelled",
    "SignalClosed",
    "SignalIdle",
    "SignalOpened",
    "SignalRow",
    "SignalScheduled",
    "Strategy",
    "TickResult",
    "UnknownNameError",
    "View",
    "add_exchange",
    "add_frame",
    "add_history",
    "add_risk",
    "add_strategy",
    "get_average_price",
    "get_candles",
    "get_config",
    "get_date",
    "get_default_config",
    "get_mode",
    "list_exchanges",
    "list_frames",
    "list_risks",
    "list_strategies",
    "listen_backtest_progress",
    "listen_done_backtest",
    "listen_done_backtest_once",
    "listen_done_live",
    "listen_done_live_once",
    "listen_error",
    "listen_exit",
    "listen_partial_loss",
    "listen_partial_loss_once",
    "listen_partial_profit",
    "listen_partial_profit_once",
    "listen_performance",
    "listen_risk",
    "listen_risk_once",
    "listen_signal",
    "listen_signal_backtest",
    "listen_signal_backtest_once",
    "listen_signal_live",
    "listen_signal_live_once",
    "listen_signal_once",
    "listen_validation",
    "set_config",
    "use_persist_partial_adapter",
    "use_persist_risk_adapter",
    "use_persist_schedule_adapter",
    "use_persist_signal_adapter",
]


def __getattr__(name: str) -> object:
    """Return a public name from its home. Raises AttributeError for any other."""
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'daemon' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
