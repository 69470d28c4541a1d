"""What an account would have made of a row of signals, sized by a rule: balance after each close.

Balances and profits are quote units, quantities base units, percents percent points. A position is
sized by what the account holds when it opens, so that profits of positions still open do not count.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import accumulate
from typing import assert_never

from daemon.core.events import SignalClosed
from daemon.core.sizing import (
    AtrBased,
    AtrBasedParams,
    FixedPercentage,
    FixedPercentageParams,
    KellyCriterion,
    KellyCriterionParams,
    SizingError,
    SizingParams,
    SizingSchema,
    position_size,
)
from daemon.core.trade_figures import TradeTally, ratio

KELLY_SIGNALS_MIN = 20
"""With fewer signals closed before it, nobody knows a win rate to stake by."""

AtrAt = Callable[[SignalClosed], float | None]
"""Tells the average true range (quote units) that was known when the position opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedTrade:
    """One position as the account held it; `balance` is what the account held after its close."""

    signal_id: str
    close_timestamp: int
    quantity: float
    notional: float
    pnl: float
    balance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an account came to.

    `drawdown_percent` (not negative) is the deepest fall from a peak, in percent of that peak,
    counted at closes. `leverage_max` is the largest position by the balance that it opened on.
    `unsized_count` signals got no position: nothing to size them by, or nothing left;
    `first_fault` says why the first of them did not.
    """

    sizing_name: str
    balance_start: float
    balance_end: float
    return_percent: float
    drawdown_percent: float
    leverage_max: float
    trades: tuple[SizedTrade, ...]
    unsized_count: int
    first_fault: str


def running_pnl(closed: Iterable[SignalClosed]) -> list[float]:
    """Return the running sum of PnL (percent points) after each of `closed`, oldest first."""
    return list(accumulate(event.pnl.pnl_percentage for event in closed))


def falls(equity: Iterable[float], start: float = 0.0) -> list[float]:
    """Return how far each value stands below the highest one before it, as zero or less."""
    peak, below = start, []
    for value in equity:
        peak = max(peak, value)
        below.append(value - peak)
    return below


def account_of(
    closed: Iterable[SignalClosed],
    sizing: SizingSchema,
    balance: float,
    atr_at: AtrAt | None = None,
) -> Account:
    """Return what an account that starts with `balance` makes of `closed`, sized by `sizing`.

    They may overlap, and be of any number of symbols. Raises SizingError for a balance that is no
    positive number, or a sizing by range without `atr_at`.
    """
    if not 0 < balance < float("inf"):
        raise SizingError(f"balance must be a positive number, not {balance!r}")
    if isinstance(sizing.method, AtrBased) and atr_at is None:
        raise SizingError(f"sizing {sizing.sizing_name!r} needs candles to tell a range from")
    book = _Book(sizing=sizing, balance=balance, atr_at=atr_at)
    for event in sorted(closed, key=lambda each: (each.signal.pending_at, each.close_timestamp)):
        book.settle(event.signal.pending_at)
        book.open(event)
    book.settle(None)
    return Account(
        sizing_name=sizing.sizing_name,
        balance_start=balance,
        balance_end=book.balance,
        return_percent=(book.balance / balance - 1) * 100,
        drawdown_percent=_drawdown_percent([balance, *(each.balance for each in book.trades)]),
        leverage_max=book.leverage_max,
        trades=tuple(book.trades),
        unsized_count=book.unsized_count,
        first_fault=book.first_fault,
    )


@dataclass(slots=True, kw_only=True)
class _Book:
    """An account on its way through time."""

    sizing: SizingSchema
    balance: float
    atr_at: AtrAt | None
    trades: list[SizedTrade] = field(default_factory=list)
    leverage_max: float = 0.0
    unsized_count: int = 0
    first_fault: str = ""
    _known: TradeTally = field(default_factory=TradeTally)
    # By close time, then by number of opening: the event and its quantity.
    _open: list[tuple[int, int, SignalClosed, float]] = field(default_factory=list)
    _number: int = 0

    def open(self, event: SignalClosed) -> None:
        """Size `event` by what is known when it opens; its result is known at its close."""
        quantity = self._quantity(event)
        if quantity > 0:
            notional = quantity * event.signal.price_open
            self.leverage_max = max(self.leverage_max, notional / self.balance)
        self._number += 1
        heappush(self._open, (event.close_timestamp, self._number, event, quantity))

    def settle(self, until_ms: int | None) -> None:
        """Close what closes by `until_ms`; None closes all."""
        while self._open and (until_ms is None or self._open[0][0] <= until_ms):
            _, _, event, quantity = heappop(self._open)
            self._known.add(event)
            if quantity <= 0:
                continue
            # PnL is percent of the entry after costs.
            staked = quantity * event.pnl.price_open
            pnl = staked * event.pnl.pnl_percentage / 100
            self.balance += pnl
            self.trades.append(
                SizedTrade(
                    signal_id=event.signal.id,
                    close_timestamp=event.close_timestamp,
                    quantity=quantity,
                    notional=quantity * event.signal.price_open,
                    pnl=pnl,
                    balance=self.balance,
                )
            )

    def _quantity(self, event: SignalClosed) -> float:
        if self.balance <= 0:
            return self._unsized("the account is empty")
        try:
            params = self._params(event)
            return position_size(self.sizing, params).quantity
        except SizingError as error:
            return self._unsized(str(error))

    def _params(self, event: SignalClosed) -> SizingParams:
        price_open, stop = event.signal.price_open, event.signal.price_stop_loss
        match self.sizing.method:
            case FixedPercentage():
                return FixedPercentageParams(
                    balance=self.balance, price_open=price_open, price_stop_loss=stop
                )
            case KellyCriterion():
                rate, win_loss = self._odds()
                return KellyCriterionParams(
                    balance=self.balance,
                    price_open=price_open,
                    win_rate=rate,
                    win_loss_ratio=win_loss,
                )
            case AtrBased():
                atr = None if self.atr_at is None else self.atr_at(event)
                if atr is None or atr <= 0:
                    raise SizingError("no average true range was known when the position opened")
                return AtrBasedParams(balance=self.balance, price_open=price_open, atr=atr)
            case _:
                assert_never(self.sizing.method)

    def _odds(self) -> tuple[float, float]:
        """Return win rate (0..1) and win by loss of the signals closed so far."""
        known = self._known
        win, loss = known.avg_win, known.avg_loss
        win_loss = None if win is None or loss is None else ratio(win, -loss)
        if known.count < KELLY_SIGNALS_MIN or win_loss is None:
            raise SizingError(
                f"fewer than {KELLY_SIGNALS_MIN} signals, or no win and loss among them, had"
                " closed before: no odds were known"
            )
        return known.win_count / known.count, win_loss

    def _unsized(self, why: str) -> float:
        self.unsized_count += 1
        self.first_fault = self.first_fault or why
        return 0.0


def _drawdown_percent(balances: Iterable[float]) -> float:
    peak, deepest = 0.0, 0.0
    for balance in balances:
        peak = max(peak, balance)
        deepest = max(deepest, (peak - balance) / peak * 100)
    return deepest
