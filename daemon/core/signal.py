"""Signals: what an author's strategy returns, and the row that the lifecycle carries."""

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from daemon.core.pnl import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What `get_signal` returns. Prices in quote units, the life in whole minutes.

    Without `price_open` it opens at the current price; with it, it waits until the market
    reaches that price. `id` is kept as a label only.
    """

    position: Position
    price_take_profit: float
    price_stop_loss: float
    minute_estimated_time: int
    price_open: float | None = None
    note: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Which task: one strategy on one symbol of one exchange."""

    exchange_name: str
    symbol: str
    strategy_name: str

    def __str__(self) -> str:
        return f"{self.symbol}/{self.strategy_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """A validated signal with its identity and times (UTC epoch ms).

    `scheduled_at` is when it was created, `pending_at` when the position became active; while it
    waits for its entry price the two are equal and `is_scheduled` is true.
    """

    id: str
    label: str
    symbol: str
    strategy_name: str
    exchange_name: str
    position: Position
    price_open: float
    price_take_profit: float
    price_stop_loss: float
    minute_estimated_time: int
    note: str
    scheduled_at: int
    pending_at: int
    is_scheduled: bool

    @property
    def key(self) -> Key:
        """Return the task that this signal belongs to."""
        return _key_of(self.exchange_name, self.symbol, self.strategy_name)


@lru_cache(maxsize=4096)
def _key_of(exchange_name: str, symbol: str, strategy_name: str) -> Key:
    # Every event asks for it: the same few keys again and again.
    return Key(exchange_name=exchange_name, symbol=symbol, strategy_name=strategy_name)


def activated(row: SignalRow, at_ms: int) -> SignalRow:
    """Return `row` as a position that became active at `at_ms`."""
    return replace(row, pending_at=at_ms, is_scheduled=False)


IdKind = Literal["signal", "risk", "error", "exit", "order"]


def make_id(kind: IdKind, key: Key, at_ms: int, detail: str = "") -> str:
    """Return the id of a thing of `kind` that `key` made at `at_ms`: 20 hex digits.

    The same inputs give the same id, so that whatever is repeated after a crash is recognised.
    """
    exchange, symbol, strategy = key.exchange_name, key.symbol, key.strategy_name
    at = str(at_ms)
    # A length before each part keeps "A_B"+"C" and "A"+"B_C" apart.
    text = (
        f"{len(kind)}:{kind}{len(exchange)}:{exchange}{len(symbol)}:{symbol}"
        f"{len(strategy)}:{strategy}{len(at)}:{at}{len(detail)}:{detail}"
    )
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
