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
    from daemon.app.backtest_run import Backtest, BacktestRun
    from daemon.app.defaults import RulesError, get_config, get_default_config, set_config
    from daemon.app.dump_signal import dump_signal
    from daemon.app.history import add_history
    from daemon.app.kept_reports import Heat, Partial, Performance, Risk, Schedule, keep_reports
    from daemon.app.listeners import (
        listen_backtest_progress,
        listen_done_backtest,
        listen_done_backtest_once,
        listen_done_live,
        listen_done_live_once,
        listen_done_walker,
        listen_done_walker_once,
        listen_error,
        listen_exit,
        listen_optimizer_progress,
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
        listen_walker,
        listen_walker_complete,
        listen_walker_once,
        listen_walker_progress,
    )
    from daemon.app.live_run import Live, LiveRun, LiveRunError
    from daemon.app.optimizer_run import Optimizer, OptimizerSchema, add_optimizer, list_optimizers
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
    from daemon.app.running import get_average_price, get_candles, get_date, get_mode
    from daemon.app.search_run import Search
    from daemon.app.search_schema import SearchSchema, add_search, list_searches
    from daemon.app.sizing import PositionSize, add_sizing, list_sizings
    from daemon.app.walker_run import Walker, WalkerRun
    from daemon.app.walker_schema import Variant, WalkerSchema, add_walker, list_walkers, variants
    from daemon.core.candles import Candle, Candles
    from daemon.core.errors import WorkerError
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
    from daemon.core.frame import Frame, FrameError
    from daemon.core.params import ParameterError, Params
    from daemon.core.pnl import ProfitLoss
    from daemon.core.research_events import (
        ProgressOptimizerContract,
        ProgressWalkerContract,
        WalkerCompleteContract,
        WalkerContract,
        WalkerStopContract,
    )
    from daemon.core.risk import (
        ActivePosition,
        RiskPayload,
        RiskProfile,
        RiskRejectedError,
        RiskValidation,
    )
    from daemon.core.rules import Rules
    from daemon.core.search import SearchResult, StudyError
    from daemon.core.signal import Signal, SignalRow
    from daemon.core.sizing import (
        AtrBased,
        FixedPercentage,
        KellyCriterion,
        SizingError,
        SizingSchema,
    )
    from daemon.core.spaces import Choice, Float, Int, SpaceError
    from daemon.core.statistics import BacktestStatistics
    from daemon.core.strategy import HistoryError, Strategy, View
    from daemon.core.walker_statistics import WalkerStatistics
    from daemon.research.columns import CandleError
    from daemon.research.optimizer import (
        Message,
        OptimizerCallbacks,
        OptimizerError,
        OptimizerStrategy,
        Source,
        SourceRequest,
        TrainRange,
    )
    from daemon.research.plan import BacktestError
    from daemon.research.result import BacktestResult
    from daemon.research.walk_forward import WalkForward, WindowError
    from daemon.research.walker import WalkerCallbacks, WalkerResult

__all__ = [
    "ActivePosition",
    "AtrBased",
    "Backtest",
    "BacktestError",
    "BacktestResult",
    "BacktestRun",
    "BacktestStatistics",
    "Candle",
    "CandleError",
    "Candles",
    "Choice",
    "DoneContract",
    "ErrorContract",
    "ExchangeSchema",
    "ExitContract",
    "FixedPercentage",
    "Float",
    "Frame",
    "FrameError",
    "Heat",
    "HistoryError",
    "Int",
    "KellyCriterion",
    "Live",
    "LiveRun",
    "LiveRunError",
    "Message",
    "Optimizer",
    "OptimizerCallbacks",
    "OptimizerError",
    "OptimizerSchema",
    "OptimizerStrategy",
    "ParameterError",
    "Params",
    "Partial",
    "PartialLossContract",
    "PartialProfitContract",
    "Performance",
    "PerformanceContract",
    "PersistBase",
    "PersistPartialAdapter",
    "PersistRiskAdapter",
    "PersistScheduleAdapter",
    "PersistSignalAdapter",
    "PositionSize",
    "ProfitLoss",
    "ProgressBacktestContract",
    "ProgressOptimizerContract",
    "ProgressWalkerContract",
    "RegistrationError",
    "Risk",
    "RiskContract",
    "RiskPayload",
    "RiskProfile",
    "RiskRejectedError",
    "RiskValidation",
    "Rules",
    "RulesError",
    "Schedule",
    "Search",
    "SearchResult",
    "SearchSchema",
    "Signal",
    "SignalActive",
    "SignalCancelled",
    "SignalClosed",
    "SignalIdle",
    "SignalOpened",
    "SignalRow",
    "SignalScheduled",
    "SizingError",
    "SizingSchema",
    "Source",
    "SourceRequest",
    "SpaceError",
    "Strategy",
    "StudyError",
    "TickResult",
    "TrainRange",
    "UnknownNameError",
    "Variant",
    "View",
    "WalkForward",
    "Walker",
    "WalkerCallbacks",
    "WalkerCompleteContract",
    "WalkerContract",
    "WalkerResult",
    "WalkerRun",
    "WalkerSchema",
    "WalkerStatistics",
    "WalkerStopContract",
    "WindowError",
    "WorkerError",
    "add_exchange",
    "add_frame",
    "add_history",
    "add_optimizer",
    "add_risk",
    "add_search",
    "add_sizing",
    "add_strategy",
    "add_walker",
    "dump_signal",
    "get_average_price",
    "get_candles",
    "get_config",
    "get_date",
    "get_default_config",
    "get_mode",
    "keep_reports",
    "list_exchanges",
    "list_frames",
    "list_optimizers",
    "list_risks",
    "list_searches",
    "list_sizings",
    "list_strategies",
    "list_walkers",
    "listen_backtest_progress",
    "listen_done_backtest",
    "listen_done_backtest_once",
    "listen_done_live",
    "listen_done_live_once",
    "listen_done_walker",
    "listen_done_walker_once",
    "listen_error",
    "listen_exit",
    "listen_optimizer_progress",
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
    "listen_walker",
    "listen_walker_complete",
    "listen_walker_once",
    "listen_walker_progress",
    "set_config",
    "use_persist_partial_adapter",
    "use_persist_risk_adapter",
    "use_persist_schedule_adapter",
    "use_persist_signal_adapter",
    "variants",
]


def __getattr__(name: str) -> object:
    """Return a public name from its home. Raises AttributeError for any other.

    And MissingLibraryError, in one line, where it needs libraries that are not installed.
    """
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'daemon' has no attribute {name!r}")
    try:
        module = import_module(home)
    except ModuleNotFoundError:
        # Only here: an import of a strategy stays light.
        from daemon.app.extras import research_libraries  # noqa: PLC0415

        # Once more, now with words for a library that is not installed.
        with research_libraries(name):
            module = import_module(home)
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
