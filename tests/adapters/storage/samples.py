"""Records and folders for the storage tests: each helper names only what matters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.adapters.storage.opening import Storage, StorageOptions, open_storage
from daemon.adapters.storage.persist import PersistClasses
from daemon.adapters.storage.schema import CursorRecord, Identity, Record
from daemon.core.candles import Candle
from daemon.core.events import SignalClosed, SignalOpened, SignalScheduled, Transition
from daemon.core.pnl import ProfitLoss
from daemon.core.records import (
    CandleEntry,
    PartialRecord,
    RiskRecord,
    ScheduleRecord,
    SignalLevels,
    SignalRecord,
    TransitionEntry,
    TruthKind,
)
from daemon.core.risk import ActivePosition, DayClose, TradeHistory
from daemon.core.signal import Key, SignalRow, activated
from daemon.core.states import Active, tick

SANDBOX = Identity(exchange="sandbox", mode="signal")
NOW_MS = 1_795_000_000_123


def now_ms() -> int:
    return NOW_MS


def a_key(symbol: str = "BTC/USDT", strategy_name: str = "breakout") -> Key:
    return Key(exchange_name="sandbox", symbol=symbol, strategy_name=strategy_name)


KEY = a_key()


def a_row(key: Key = KEY, number: int = 1) -> SignalRow:
    return SignalRow(
        id=f"{number:020x}",
        label="",
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        exchange_name=key.exchange_name,
        position="long",
        price_open=100.0 + number,
        price_take_profit=110.5 + number,
        price_stop_loss=95.25 + number,
        minute_estimated_time=60,
        note="why",
        scheduled_at=60_000 * number,
        pending_at=60_000 * number,
        is_scheduled=True,
    )


def an_opened(key: Key = KEY, number: int = 1) -> SignalOpened:
    row = activated(a_row(key, number), 60_000 * number)
    return SignalOpened(
        id=f"{row.id}-opened", key=key, signal=row, current_price=row.price_open, at_ms=1
    )


def a_closed(key: Key = KEY, number: int = 1) -> SignalClosed:
    row = activated(a_row(key, number), 60_000 * number)
    return SignalClosed(
        id=f"{row.id}-closed",
        key=key,
        signal=row,
        current_price=110.5,
        close_reason="take_profit",
        close_timestamp=2,
        pnl=ProfitLoss(pnl_percentage=1.5, price_open=100.0, price_close=101.5),
        at_ms=2,
    )


def an_active(key: Key = KEY, number: int = 1) -> SignalRecord:
    row = activated(a_row(key, number), 60_000 * number)
    return SignalRecord(
        key=key,
        state=Active(signal=row, profit_levels=(10, 20)),
        history=TradeHistory(closes=(DayClose(at_ms=5, pnl_percentage=-0.5),), last_loss_at=5),
        last_signal_id=row.id,
        outbox=(an_opened(key, number),),
    )


def an_idle(key: Key = KEY, number: int = 1) -> SignalRecord:
    return SignalRecord(
        key=key, last_signal_id=a_row(key, number).id, outbox=(a_closed(key, number),)
    )


def a_waiting(key: Key = KEY, number: int = 1) -> ScheduleRecord:
    row = a_row(key, number)
    told = SignalScheduled(
        id=f"{row.id}-scheduled", key=key, signal=row, current_price=101.0, at_ms=1
    )
    return ScheduleRecord(key=key, signal=row, outbox=(told,))


def a_risk(symbol: str = "BTC/USDT") -> RiskRecord:
    position = ActivePosition(
        signal=a_row(), strategy_name="breakout", exchange_name="sandbox",
        symbol=symbol, open_timestamp=3,
    )  # fmt: skip
    return RiskRecord(risk_name="main", symbol=symbol, positions=(position,))


def a_partial(symbol: str = "BTC/USDT", level: int = 10) -> PartialRecord:
    levels = SignalLevels(signal_id=a_row().id, profit_levels=(level,))
    return PartialRecord(symbol=symbol, signals=(levels,))


EVERY_RECORD: tuple[Record, ...] = (
    an_active(),
    an_idle(),
    a_waiting(),
    ScheduleRecord(key=KEY),
    a_risk(),
    a_partial(),
    CursorRecord(sink="telegram", number=41),
)


def a_write(
    seq: int, *events: Transition, key: Key = KEY, file: TruthKind = "signal"
) -> TransitionEntry:
    return TransitionEntry(
        key=key,
        events=events or (an_opened(key),),
        at_ms=seq,
        observation=tick(seq, 100.5),
        file=file,
        seq=seq,
    )


def a_candle(minute: int, symbol: str = "BTC/USDT") -> CandleEntry:
    return CandleEntry(symbol=symbol, candle=Candle(minute * 60_000, 1.5, 2.5, 0.5, 1.25, 10.0))


@asynccontextmanager
async def a_storage(
    path: Path, *, segment_bytes_max: int = 1 << 24, classes: PersistClasses | None = None
) -> AsyncIterator[Storage]:
    """Open a folder as the daemon does: off the loop."""
    options = StorageOptions(
        identity=SANDBOX, segment_bytes_max=segment_bytes_max, classes=classes or PersistClasses()
    )
    storage = await asyncio.to_thread(open_storage, path, options, now_ms)
    try:
        yield storage
    finally:
        await asyncio.to_thread(storage.close)
