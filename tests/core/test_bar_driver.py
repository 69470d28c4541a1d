"""The core carries a driver over bars that holds no rule of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.core.candles import Candle
from daemon.core.events import (
    ErrorContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
)
from daemon.core.risk import RiskProfile, RiskValidation
from daemon.core.risk_limits import max_loss_per_day
from daemon.core.rules import Rules
from daemon.core.signal import Signal
from daemon.core.states import Idle
from daemon.core.vwap import vwap
from tests.core.bar_driver import Ask, BarRun
from tests.core.samples import MINUTE, RULES, T0, WORST, a_desk, a_signal

if TYPE_CHECKING:
    from daemon.core.results import Callback

PLAIN = replace(RULES, align=False)
BASE = 5
"""So many minutes come before the first one that a test speaks of."""


def a_market(*spans: tuple[float, float]) -> list[Candle]:
    """Quiet minutes at 100, then one minute for each (low, high); all close at 100."""
    rows = [Candle(T0 + (index - BASE) * MINUTE, 100, 100, 100, 100, 1.0) for index in range(BASE)]
    for index, (low, high) in enumerate(spans):
        rows.append(Candle(T0 + index * MINUTE, 100, high, low, 100, 1.0))
    return rows


def once(signal: Signal, at_index: int = 0) -> Ask:
    """Return `signal` at one moment and nothing at any other."""

    def ask(rows: Sequence[Candle], _price: float) -> object:
        return signal if rows[-1].timestamp == T0 + (at_index - 1) * MINUTE else None

    return ask


def ran(
    ask: Ask, *spans: tuple[float, float], rules: Rules = PLAIN, interval: str = "1m"
) -> BarRun:
    return BarRun(desk=a_desk(rules=rules), ask=ask, interval=interval).run(a_market(*spans), BASE)


def told(run: BarRun) -> list[tuple[str, int]]:
    """Return each transition with its minute."""
    names = {
        SignalScheduled: "scheduled",
        SignalOpened: "opened",
        SignalClosed: "closed",
        SignalCancelled: "cancelled",
        RiskContract: "risk",
        ErrorContract: "error",
    }
    return [
        (names[type(event)], (event.at_ms - T0) // MINUTE)
        for event in run.events
        if type(event) in names
    ]


QUIET = (99.9, 100.1)


def test_an_immediate_signal_is_judged_from_the_bar_that_it_was_made_on() -> None:
    run = ran(once(a_signal()), (99.9, 102.0), QUIET)

    assert told(run) == [("opened", 0), ("closed", 1)]
    opened, closed = run.events
    assert isinstance(opened, SignalOpened)
    assert isinstance(closed, SignalClosed)
    assert (opened.signal.scheduled_at, opened.signal.pending_at) == (T0, T0)
    assert (closed.close_reason, closed.current_price) == ("take_profit", 102.0)
    assert closed.close_timestamp == T0 + MINUTE


def test_a_waiting_signal_opens_when_its_bar_is_known_and_is_judged_from_the_next() -> None:
    """The bar that reached the entry went on to the target: that is not counted."""
    waiting = a_signal(price_open=99.8)

    run = ran(once(waiting), QUIET, (99.8, 102.5), QUIET, (100, 102.0), QUIET)

    assert told(run) == [("scheduled", 0), ("opened", 2), ("closed", 4)]
    opened = run.events[1]
    assert isinstance(opened, SignalOpened)
    assert (opened.signal.scheduled_at, opened.signal.pending_at) == (T0, T0 + 2 * MINUTE)
    assert opened.current_price == 99.8


def test_time_expires_at_a_bars_open_and_the_run_goes_on_at_that_frame() -> None:
    short_lived = replace(a_signal(), minute_estimated_time=3)
    run = ran(lambda _rows, _price: short_lived, *[QUIET] * 7)

    assert told(run) == [
        ("opened", 0),
        ("closed", 3),
        ("opened", 3),
        ("closed", 6),
        ("opened", 6),
        ("closed", 7),
    ]
    assert run.asked == [T0, T0 + 3 * MINUTE, T0 + 6 * MINUTE]
    closes = [event for event in run.events if isinstance(event, SignalClosed)]
    assert {event.close_reason for event in closes} == {"time_expired"}
    assert closes[0].current_price == vwap(a_market(*[QUIET] * 3))


def test_a_close_within_a_bar_goes_on_at_the_next_frame() -> None:
    run = ran(lambda _rows, _price: a_signal(), (99.9, 102.0), (99.9, 102.0), QUIET)

    assert run.asked == [T0, T0 + MINUTE, T0 + 2 * MINUTE]


def test_waiting_times_out_at_a_bars_open() -> None:
    quick = replace(PLAIN, schedule_await_minutes=2)

    run = ran(once(a_signal(price_open=99.5)), *[QUIET] * 2, (90.0, 110.0), QUIET, rules=quick)

    assert told(run) == [("scheduled", 0), ("cancelled", 2)]


def test_the_end_of_data_closes_at_the_last_price_or_cancels() -> None:
    is_open = ran(once(a_signal()), QUIET, (99.5, 100.1))
    waits = ran(once(a_signal(price_open=99.5)), QUIET, QUIET)

    closed, cancelled = is_open.events[-1], waits.events[-1]
    assert isinstance(closed, SignalClosed)
    assert (closed.close_reason, closed.at_ms) == ("time_expired", T0 + 2 * MINUTE)
    assert closed.current_price == vwap(a_market(QUIET, (99.5, 100.1)))
    assert isinstance(cancelled, SignalCancelled)
    assert (cancelled.reason, cancelled.at_ms) == ("data_end", T0 + 2 * MINUTE)
    assert is_open.state == waits.state == Idle()


def test_bars_whose_order_decides_are_counted_and_a_second_run_takes_the_worst() -> None:
    spans = [QUIET, (98.0, 103.0), QUIET]

    best, worst = (ran(once(a_signal()), *spans, rules=rules) for rules in (PLAIN, WORST))

    assert (best.ambiguous_bars, worst.ambiguous_bars) == (1, 1)
    closed = [event for run in (best, worst) for event in run.events[-1:]]
    reasons = [event.close_reason for event in closed if isinstance(event, SignalClosed)]
    assert reasons == ["take_profit", "stop_loss"]
    assert ran(once(a_signal()), QUIET, (99.9, 103.0)).ambiguous_bars == 0


def test_a_strategy_is_asked_at_its_interval_and_not_while_it_holds_a_signal() -> None:
    spans = [*[QUIET] * 12, (99.0, 100.1), *[QUIET] * 8]

    run = ran(once(a_signal(), 5), *spans, interval="5m")

    assert [(at_ms - T0) // MINUTE for at_ms in run.asked] == [0, 5, 13, 18]
    assert told(run) == [("opened", 5), ("closed", 13)]


def test_aligned_it_is_asked_at_multiples_of_the_interval() -> None:
    """It holds a signal at the turn in minute 10, which it makes up for when it is free again."""
    spans = [*[QUIET] * 12, (99.0, 100.1), *[QUIET] * 8]

    run = ran(once(a_signal(), 5), *spans, rules=RULES, interval="5m")

    assert [(at_ms - T0) // MINUTE for at_ms in run.asked] == [0, 5, 13, 15, 20]
    assert told(run) == [("opened", 5), ("closed", 13)]


def test_frames_may_be_wider_than_the_interval() -> None:
    run = BarRun(desk=a_desk(rules=PLAIN), ask=lambda *_: None, frame_minutes=7)
    run.run(a_market(*[QUIET] * 20), BASE)

    assert [(at_ms - T0) // MINUTE for at_ms in run.asked] == [0, 7, 14]


def test_a_strategy_never_sees_the_minute_that_it_trades_in() -> None:
    seen: list[int] = []

    def ask(rows: Sequence[Candle], _price: float) -> None:
        seen.append(rows[-1].timestamp)

    run = ran(ask, *[QUIET] * 5)

    assert [at_ms - MINUTE for at_ms in run.asked] == seen


def test_what_a_strategy_does_wrong_uses_up_its_turn_and_is_told() -> None:
    def ask(rows: Sequence[Candle], _price: float) -> object:
        minute = (rows[-1].timestamp - T0) // MINUTE + 1
        return {0: 1 / 0 if minute == 0 else "nonsense"}.get(minute, "nonsense")

    run = ran(ask, QUIET, QUIET)

    errors = [event for event in run.events if isinstance(event, ErrorContract)]
    assert errors == run.events
    assert [event.error for event in errors[-2:]] == ["ZeroDivisionError", "InvalidSignalError"]
    assert len({event.id for event in run.events}) == len(run.events)


def a_refusing_run(validate: Callable[[object], str | None], *, price_open: float) -> BarRun:
    profile = RiskProfile(risk_name="calm", validations=(RiskValidation(validate=validate),))
    desk = a_desk(profile, rules=PLAIN)
    run = BarRun(desk=desk, ask=once(a_signal(price_open=price_open)))
    return run.run(a_market(QUIET, (99.5, 100.1), QUIET), BASE)


def test_a_refusal_at_activation_is_idle_and_the_run_goes_on() -> None:
    answers = iter([None, "not now"])

    run = a_refusing_run(lambda _: next(answers, None), price_open=99.6)

    assert told(run) == [("scheduled", 0), ("risk", 2)]
    assert [result.action for result in run.results if result.at_ms == T0 + 2 * MINUTE] == [
        "idle",
        "idle",
    ]
    assert run.asked[-1] == T0 + 2 * MINUTE


def test_a_broken_rule_is_told_beside_its_refusal() -> None:
    run = a_refusing_run(lambda _: str(1 / 0), price_open=99.6)

    assert told(run) == [("risk", 0), ("error", 0)]
    assert isinstance(run.events[1], ErrorContract)
    assert run.events[1].where == "validation"


def test_the_losses_of_a_day_reach_the_limits() -> None:
    profile = RiskProfile(risk_name="calm", validations=(max_loss_per_day(1.0),))
    run = BarRun(desk=a_desk(profile, rules=PLAIN), ask=lambda *_: a_signal())

    run.run(a_market((99.0, 100.1), QUIET), BASE)

    assert told(run)[-2:] == [("closed", 1), ("risk", 1)]


def test_callbacks_are_those_of_a_fast_forward() -> None:
    heard: list[Callback] = []
    run = BarRun(desk=a_desk(rules=PLAIN), ask=once(a_signal()), hears=heard.append)

    run.run(a_market(QUIET, (99.6, 100.1), (100.0, 102.0), QUIET), BASE)

    assert [callback.name for callback in heard] == [
        "on_open",
        "on_tick",
        "on_partial_loss",
        "on_close",
        "on_tick",
        "on_idle",
        "on_tick",
    ]
    assert all(callback.arguments[-1] is True for callback in heard)


def test_everything_is_stamped_as_history() -> None:
    run = ran(lambda *_: a_signal(), (99.9, 102.0), (98.0, 100.1), QUIET)

    assert run.events
    assert all(event.backtest for event in run.events)
    assert all(result.backtest for result in run.results)
