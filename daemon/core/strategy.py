"""The author's side: what a strategy is, what it is shown, and what it may override."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from inspect import isasyncgenfunction, isgeneratorfunction, signature
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, ParamSpec, Protocol

from daemon.core.candles import INTERVAL_MS, SIGNAL_INTERVALS, Candles
from daemon.core.events import TickResult
from daemon.core.params import Params
from daemon.core.signal import Signal, SignalRow

if TYPE_CHECKING:
    from daemon.core.spaces import Space

P = ParamSpec("P")

HISTORY_MAX = 100_000
"""Most candles of one interval that a strategy may declare."""


class View(Protocol):
    """What a strategy sees at one moment. Nothing later than the moment can be asked for."""

    @property
    def symbol(self) -> str:
        """The market, as in "BTC/USDT"."""
        ...

    @property
    def price(self) -> float:
        """The volume-weighted average price now (quote units)."""
        ...

    @property
    def now_ms(self) -> int:
        """Market time, UTC epoch ms."""
        ...

    @property
    def params(self) -> Params:
        """The strategy's parameters: its own defaults under those of the configuration."""
        ...

    def candles(self, interval: str, limit: int) -> Candles:
        """Return the last `limit` closed candles of `interval`, oldest first.

        Never contains the forming candle. Raises HistoryError when the strategy did not declare
        as many in `history`, naming the setting, or when the market does not have them yet.
        """
        ...


class HistoryError(LookupError):
    """A strategy asked for candles that it did not declare or that do not exist yet."""


Answer = Signal | Mapping[str, object] | None


class Strategy:
    """Base of every strategy: override `get_signal`, and any callback that you need.

    `interval` says how often `get_signal` is asked (1m 3m 5m 15m 30m 1h). `history` declares
    the candles that it reads, as {"1h": 200}; they are there before its first call. `risk_name`
    and `risk_list` name the risk profiles that must all allow a signal. One instance is made per
    symbol, with the parameters from the configuration over the class's own `params`. `spaces`
    says what a search may try for them, as {"fast": Int(5, 30)}.
    """

    strategy_name: ClassVar[str] = ""
    interval: ClassVar[str] = "5m"
    history: ClassVar[Mapping[str, int]] = MappingProxyType({})
    params: Mapping[str, object] = Params()
    spaces: ClassVar[Mapping[str, "Space"]] = MappingProxyType({})
    risk_name: ClassVar[str] = ""
    risk_list: ClassVar[tuple[str, ...]] = ()
    note: ClassVar[str] = ""

    def get_signal(self, view: View) -> Answer | Awaitable[Answer]:
        """Return a Signal to open or schedule a position, or None. May be async.

        Registration refuses a class that does not override it.
        """

    def on_tick(self, symbol: str, result: TickResult, backtest: bool) -> object:
        """Called after every tick, last of all callbacks."""

    def on_open(self, symbol: str, row: SignalRow, price: float, backtest: bool) -> object:
        """Called when a position was opened at `price`."""

    def on_active(self, symbol: str, row: SignalRow, price: float, backtest: bool) -> object:
        """Called at every live tick of an open position, and once after a restart."""

    def on_idle(self, symbol: str, price: float, backtest: bool) -> object:
        """Called at every tick without a signal."""

    def on_close(self, symbol: str, row: SignalRow, price: float, backtest: bool) -> object:
        """Called when the position was closed at `price`."""

    def on_schedule(self, symbol: str, row: SignalRow, price: float, backtest: bool) -> object:
        """Called when a signal began to wait for its entry price, and once after a restart."""

    def on_cancel(self, symbol: str, row: SignalRow, price: float, backtest: bool) -> object:
        """Called when a waiting signal was dropped."""

    def on_partial_profit(
        self, symbol: str, row: SignalRow, price: float, percent: float, backtest: bool
    ) -> object:
        """Called at every tick in profit; `percent` is the way to the target."""

    def on_partial_loss(
        self, symbol: str, row: SignalRow, price: float, percent: float, backtest: bool
    ) -> object:
        """Called at every tick in loss; `percent` is negative."""

    def on_write(self, symbol: str, row: SignalRow | None, backtest: bool) -> object:
        """Called after the open position (or None) was written."""


_CALLBACKS = tuple(name for name in vars(Strategy) if name.startswith("on_"))


def strategy_faults(strategy: type[Strategy]) -> Iterator[str]:
    """Yield why a class cannot run as a strategy, in words."""
    if strategy.get_signal is Strategy.get_signal:
        yield "does not override get_signal"
    elif not takes(strategy.get_signal, 2):
        yield "get_signal must take one argument beside self, the view"
    yield from _call_faults(strategy)
    yield from _interval_faults(strategy.interval)
    # An author's class is not type-checked: its attributes may be anything.
    risk_list: object = strategy.risk_list
    if not isinstance(risk_list, tuple | list) or not all(
        isinstance(name, str) for name in risk_list
    ):
        yield 'risk_list must be names as in ("calm", "small")'
    if strategy.spaces is not Strategy.spaces:
        # Few strategies have any, and each process loads this module.
        from daemon.core.spaces import space_faults  # noqa: PLC0415 - see above

        yield from space_faults(strategy.spaces, strategy.params)
    yield from _history_faults(strategy.history)


def instance_faults(made: Strategy) -> Iterator[str]:
    """Yield why an instance cannot run though its class can: what its `__init__` has set."""
    yield from _interval_faults(made.interval)
    yield from _history_faults(made.history)
    for name in ("get_signal", *_CALLBACKS):
        if not callable(getattr(made, name)):
            yield f"{name} is {type(getattr(made, name)).__name__}, and is to be called"


def _call_faults(strategy: type[Strategy]) -> Iterator[str]:
    for name in ("get_signal", *_CALLBACKS):
        own: object = getattr(strategy, name)
        if isgeneratorfunction(own) or isasyncgenfunction(own):
            yield f"{name} has a yield, so that calling it would run nothing: return instead"
    for name in _CALLBACKS:
        own, parameters = getattr(strategy, name), signature(getattr(Strategy, name)).parameters
        if callable(own) and not takes(own, len(parameters)):
            yield f"{name} must take ({', '.join(parameters)})"


def _interval_faults(interval: object) -> Iterator[str]:
    if not isinstance(interval, str) or interval not in SIGNAL_INTERVALS:
        known = ", ".join(SIGNAL_INTERVALS)
        yield f"interval is {interval!r}: use one of {known}"


def _history_faults(history: object) -> Iterator[str]:
    if not isinstance(history, Mapping):
        yield 'history must be a table as in {"1h": 200}'
        return
    for interval, count in history.items():
        if interval not in INTERVAL_MS:
            known = ", ".join(INTERVAL_MS)
            yield f"history has the unknown interval {interval!r}: use one of {known}"
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= HISTORY_MAX:
            yield f"history of {interval} must be a whole number from 1 to {HISTORY_MAX}"


def takes(function: Callable[P, object], count: int) -> bool:
    """Say whether `function` can be called with `count` arguments."""
    try:
        signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        # A function without a signature (built in C) can only be tried.
        return True
    return True
