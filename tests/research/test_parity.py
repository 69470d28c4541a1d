"""Journals of live trading beside a backtest: each kind of difference, and its cause."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from daemon.core.candles import Candle
from daemon.core.events import SignalCancelled, SignalClosed, SignalOpened, Transition
from daemon.core.orders import fill_at_rule_price
from daemon.core.records import CandleEntry, JournalEntry, RunEntry, TransitionEntry
from daemon.core.risk import RiskDesk
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal
from daemon.core.states import Idle, Observation, Proposal, State, tick
from daemon.core.strategy import Strategy, View
from daemon.core.trader import Desk, advance, propose
from daemon.core.validation import Moment
from daemon.research.columns import minutes_of
from daemon.research.parity import Cast, Comparison, Parity, compared
from daemon.research.parity_facts import Difference
from daemon.research.parity_record import record_of
from tests.core.samples import MINUTE

T0 = 1_700_001_000_000
"""The turn of a half hour."""

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="buyer")
RULES = Rules(schedule_await_minutes=10)


class Buyer(Strategy):
    """Buys at every half hour."""

    strategy_name = "buyer"
    interval = "30m"
    offset = 0.0

    def get_signal(self, view: View) -> Signal | None:
        if view.now_ms < T0 + 20 * MINUTE:
            return None
        return Signal(
            position="long",
            price_open=view.price * (1 - self.offset) if self.offset else None,
            price_take_profit=view.price * 1.02,
            price_stop_loss=view.price * 0.99,
            minute_estimated_time=15,
        )


class Waiter(Buyer):
    """Waits for a price one half percent below."""

    offset = 0.005


def flat(count: int = 110) -> list[Candle]:
    return [Candle(T0 + n * MINUTE, 100.0, 100.0, 100.0, 100.0, 1.0) for n in range(count)]


def with_wick(rows: list[Candle], minute: int, low: float, high: float) -> list[Candle]:
    """A minute that touched both and traded nothing there: no average moves."""
    changed = rows[minute]._replace(low=low, high=high, volume=0.0)
    return [*rows[:minute], changed, *rows[minute + 1 :]]


def a_journal(
    strategy: type[Strategy], rows: Sequence[Candle], ticks: Sequence[Observation]
) -> list[JournalEntry]:
    """Trade `ticks` as live does, asked at the first one of each half hour; return the journal."""
    entries: list[JournalEntry] = [RunEntry(version="1", config_hash="x", at_ms=T0)]
    entries += [CandleEntry(symbol=KEY.symbol, candle=row) for row in rows]
    desk = Desk(key=KEY, rules=RULES, risk=RiskDesk(), risk_names=(), broker=fill_at_rule_price)
    state: State = Idle()
    slot, one = -1, strategy()
    for seen in ticks:
        if not isinstance(state, Idle):
            after = advance(state, seen, desk)
        elif seen.at_ms // (30 * MINUTE) > slot:
            slot = seen.at_ms // (30 * MINUTE)
            answer = one.get_signal(a_view(seen))
            if answer is None:
                continue
            moment = Moment(key=KEY, at_ms=seen.at_ms, price=seen.price)
            proposal = propose(answer, moment, desk)
            assert isinstance(proposal, Proposal)
            after = advance(state, proposal, desk)
        else:
            continue
        state = after.state
        if after.events:
            events: tuple[Transition, ...] = after.events
            entries.append(
                TransitionEntry(key=KEY, events=events, at_ms=seen.at_ms, observation=seen)
            )
    return entries


def a_view(seen: Observation) -> View:
    class Seen:
        symbol, price, now_ms = KEY.symbol, seen.price, seen.at_ms

    return Seen()  # type: ignore[return-value]  # all that these strategies look at


def ticks_at(price: float = 100.0, late_ms: int = 0, count: int = 110) -> list[Observation]:
    return [tick(T0 + n * MINUTE + late_ms, price) for n in range(count)]


def parity_of(entries: Sequence[JournalEntry], make: Callable[[], Strategy]) -> Parity:
    record = record_of(entries)
    comparison = Comparison(
        record=record,
        minutes={KEY.symbol: minutes_of(record.candles[KEY.symbol], "fill")},
        casts=(Cast(key=KEY, make=make),),
        rules=RULES,
    )
    return asyncio.run(compared(comparison))


def told(parity: Parity) -> list[tuple[str, str]]:
    return [(one.where, one.cause) for one in parity.differences]


def the_only(parity: Parity) -> Difference:
    assert len(parity.differences) == 1, parity.differences
    return parity.differences[0]


def test_a_live_run_that_saw_what_bars_see_has_no_difference() -> None:
    parity = parity_of(a_journal(Buyer, flat(), ticks_at()), Buyer)

    (lane,) = parity.lanes
    assert parity.differences == ()
    assert (lane.signal_count, lane.lateness_ms) == (3, (0, 0))
    assert lane.live.closed_count == 3
    assert lane.backtest == lane.live


def test_a_wick_that_no_average_saw_is_told_as_such() -> None:
    rows = with_wick(flat(), 35, 98.5, 102.5)
    parity = parity_of(a_journal(Buyer, rows, ticks_at()), Buyer)

    one = the_only(parity)
    assert (one.where, one.cause) == ("exit", "vwap")
    assert one.live.startswith("closed time_expired")
    assert one.backtest.startswith("closed take_profit")
    live, backtest = parity.lanes[0].live, parity.lanes[0].backtest
    assert live is not None
    assert backtest is not None
    assert live.pnl_percentage != backtest.pnl_percentage


def test_a_wick_at_which_only_a_backtest_enters_is_told_as_such() -> None:
    rows = with_wick(flat(), 35, 99.2, 100.0)
    parity = parity_of(a_journal(Waiter, rows, ticks_at()), Waiter)

    one = next(one for one in parity.differences if one.cause == "vwap")
    assert one.where == "entry"
    assert one.live.startswith("cancelled timeout")
    assert one.backtest.startswith("opened")


def test_a_signal_made_late_at_another_price_is_latency() -> None:
    """Within the minute its price stands a little higher."""
    rows = [row._replace(high=100.4, low=99.9) for row in flat()]
    rows = [row._replace(high=100.0, low=100.0) if n % 30 else row for n, row in enumerate(rows)]
    ticks = ticks_at()
    ticks[30] = tick(T0 + 30 * MINUTE + 20_000, 100.01)
    parity = parity_of(a_journal(Buyer, rows, ticks), Buyer)

    one = parity.differences[0]
    assert (one.where, one.cause) == ("signal", "latency")
    assert "asked 20.0 s later, at 100.01" in one.why
    assert parity.lanes[0].lateness_ms[1] == 20_000


def test_prices_that_the_final_candles_do_not_give_are_other_data() -> None:
    ticks = ticks_at()
    ticks[32] = tick(ticks[32].at_ms, 98.0)
    parity = parity_of(a_journal(Buyer, flat(), ticks), Buyer)

    one = the_only(parity)
    assert (one.where, one.cause) == ("exit", "data")
    assert "98" in one.why


def test_minutes_that_the_journal_lacks_are_data_too() -> None:
    ticks = ticks_at()
    ticks[40] = tick(ticks[40].at_ms, 98.0)
    entries = a_journal(Buyer, flat(), ticks)
    gone = [
        entry
        for entry in entries
        if not (
            isinstance(entry, CandleEntry) and 39 <= (entry.candle.timestamp - T0) // MINUTE <= 41
        )
    ]

    assert ("exit", "data") in told(parity_of(gone, Buyer))


def test_a_strategy_that_answers_otherwise_when_asked_again_is_named() -> None:
    class Changed(Buyer):
        """Was edited after the journal had been written."""

        def get_signal(self, view: View) -> Signal | None:
            signal = super().get_signal(view)
            return signal and replace(signal, minute_estimated_time=99)

    parity = parity_of(a_journal(Buyer, flat(), ticks_at()), Changed)

    assert set(told(parity)) == {("signal", "strategy")}
    assert len(parity.differences) == 3


def test_a_signal_that_live_did_not_make_is_a_difference() -> None:
    entries = [
        entry
        for entry in a_journal(Buyer, flat(), ticks_at())
        if not isinstance(entry, TransitionEntry) or entry.at_ms >= T0 + 60 * MINUTE
    ]
    parity = parity_of(entries, Buyer)

    one = the_only(parity)
    assert (one.where, one.live, one.cause) == ("signal", "no signal", "unknown")
    assert one.at_ms == T0 + 30 * MINUTE


def test_time_in_which_the_daemon_was_down_is_not_asked_about() -> None:
    entries = a_journal(Buyer, flat(), ticks_at())
    before = [
        entry
        for entry in entries
        if isinstance(entry, RunEntry | CandleEntry)
        and (isinstance(entry, RunEntry) or entry.candle.timestamp < T0 + 20 * MINUTE)
    ]
    later = [entry for entry in entries if entry not in before]
    cut = [entry for entry in later if _at(entry) >= T0 + 50 * MINUTE]
    again = RunEntry(version="1", config_hash="x", at_ms=T0 + 50 * MINUTE)

    parity = parity_of([*before, again, *cut], Buyer)

    assert parity.differences == ()


def _at(entry: JournalEntry) -> int:
    return entry.candle.timestamp if isinstance(entry, CandleEntry) else entry.at_ms


def test_a_facts_minute_is_no_more_than_a_minute() -> None:
    """Live sees the stop within the minute; bars know it when the minute is over."""
    rows = flat()
    for n in range(33, 60):
        rows[n] = rows[n]._replace(open=98.0, high=98.0, low=98.0, close=98.0, volume=1e6)
    ticks = ticks_at()
    ticks[33] = tick(T0 + 33 * MINUTE + 7_000, 98.9)
    ticks[34:60] = [tick(T0 + n * MINUTE, 98.0) for n in range(34, 60)]
    parity = parity_of(a_journal(Buyer, rows, ticks), Buyer)

    assert ("exit", "minute") in told(parity)


@pytest.mark.parametrize("kind", [SignalOpened, SignalClosed, SignalCancelled])
def test_the_journals_of_these_tests_hold_what_they_speak_of(kind: type[object]) -> None:
    rows = with_wick(flat(), 35, 99.2, 100.0)
    journals = (partial(a_journal, Buyer), partial(a_journal, Waiter))

    events = [
        event
        for make in journals
        for entry in make(rows, ticks_at())
        if isinstance(entry, TransitionEntry)
        for event in entry.events
    ]

    assert any(isinstance(event, kind) for event in events)
