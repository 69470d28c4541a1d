"""The author's side: what a strategy is, what it is shown, and what it may override."""

from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import ClassVar, Protocol

from daemon.core.candles import Candles
from daemon.core.events import TickResult
from daemon.core.params import Params
from daemon.core.signal import Signal, SignalRow


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
    symbol, with the parameters from the configuration over the class's own `params`.
    """

    strategy_name: ClassVar[str] = ""
    interval: ClassVar[str] = "5m"
    history: ClassVar[Mapping[str, int]] = MappingProxyType({})
    params: Mapping[str, object] = Params()
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
