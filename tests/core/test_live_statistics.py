"""Records of runs: what is counted, what is listed, and that nothing is cut silently."""

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.collector import gathered
from daemon.core.events import Announcement, SignalActive, SignalCancelled, SignalOpened
from daemon.core.live_statistics import (
    LiveCollector,
    PartialCollector,
    RiskCollector,
    ScheduleCollector,
    live_statistics,
    partial_statistics,
    risk_statistics,
    schedule_statistics,
)
from daemon.core.moments import Moments
from tests.core.some_events import (
    AT_MS,
    KEY,
    a_cancelled,
    a_closed,
    a_loss_level,
    a_profit_level,
    a_refusal,
    a_row,
    a_scheduled,
    an_active,
    an_idle,
    an_opened,
    every_event,
)
from tests.core.trades import a_key, trades

EVENTS = st.lists(st.sampled_from(every_event()), max_size=60)


def a_waiting(number: int) -> Announcement:
    return a_scheduled(row=replace(a_row(), id=f"s{number}", is_scheduled=True))


def reached(number: int, *, waited_ms: int = 120_000) -> SignalOpened:
    row = replace(a_row(), id=f"s{number}", scheduled_at=AT_MS, pending_at=AT_MS + waited_ms)
    return an_opened(row=row)


def given_up(number: int, *, waited_ms: int = 600_000) -> SignalCancelled:
    row = replace(a_row(), id=f"s{number}", scheduled_at=AT_MS - waited_ms)
    return replace(a_cancelled(), signal=row)


def test_idle_ticks_in_a_row_count_once() -> None:
    stats = live_statistics([an_idle(at_ms=AT_MS + tick) for tick in range(5)])

    assert stats.total_events == 1
    assert stats.event_list == (an_idle(at_ms=AT_MS + 4),)


def test_ticks_of_an_open_signal_count_once() -> None:
    ticks = [an_active(at_ms=AT_MS + tick) for tick in range(5)]
    last = an_idle(at_ms=AT_MS + 9)
    events: list[Announcement] = [an_idle(), an_opened(), *ticks, a_closed(), last]

    stats = live_statistics(events)

    actions = [event.action for event in stats.event_list]
    assert actions == ["idle", "closed", "active", "opened", "idle"]
    assert stats.event_list[2] == ticks[-1]
    assert (stats.total_events, stats.total_closed) == (5, 1)


def test_another_signal_is_another_event() -> None:
    other = replace(an_active(), signal=replace(a_row(), id="s9"))

    assert live_statistics([an_active(), other]).total_events == 2


def test_several_tasks_may_share_a_collector() -> None:
    eth = a_key("ETH/USDT")
    events = [an_idle(at_ms=AT_MS + tick, key=key) for tick in range(9) for key in (KEY, eth)]

    stats = live_statistics(events)

    assert stats.total_events == 2
    assert {event.key for event in stats.event_list} == {KEY, eth}


def test_a_live_record_lists_the_newest_and_its_figures_cover_all() -> None:
    collector = LiveCollector(events_max=3)

    stats = gathered(collector, trades(1.0, 2.0, -1.0, 4.0))

    assert [event.id for event in stats.event_list if event.action == "closed"] == [
        "e3",
        "e2",
        "e1",
    ]
    assert (stats.total_events, stats.total_closed, stats.total_pnl) == (4, 4, 6.0)


def test_live_without_closes_has_no_figures() -> None:
    stats = live_statistics([an_idle()])

    assert (stats.win_rate, stats.avg_pnl, stats.total_closed) == (None, None, 0)


def test_what_became_of_scheduled_signals() -> None:
    """Of four, two reached their entry (after 2 and 4 minutes) and one was given up (after 10)."""
    stats = schedule_statistics(
        [
            a_waiting(1),
            reached(1, waited_ms=120_000),
            a_waiting(2),
            given_up(2),
            a_waiting(3),
            reached(3, waited_ms=240_000),
            a_waiting(4),
        ]
    )

    assert (stats.total_events, stats.total_scheduled) == (7, 4)
    assert (stats.total_opened, stats.total_cancelled) == (2, 1)
    assert (stats.activation_rate, stats.cancellation_rate) == (50.0, 25.0)
    assert (stats.avg_activation_time, stats.avg_wait_time) == (3.0, 10.0)


def test_a_signal_that_opened_at_once_was_never_scheduled() -> None:
    at_once = an_opened(row=replace(a_row(), scheduled_at=AT_MS, pending_at=AT_MS))

    stats = schedule_statistics([at_once])

    assert (stats.total_events, stats.total_opened, stats.activation_rate) == (0, 0, None)


def test_a_signal_scheduled_before_the_sample_is_left_out_of_the_rates() -> None:
    """A daemon that restarts with a waiting signal must not tell of 200 %."""
    stats = schedule_statistics([reached(7), a_waiting(8), reached(8)])

    assert (stats.total_scheduled, stats.total_opened) == (1, 2)
    assert stats.activation_rate == 100.0


def test_partial_levels_are_counted_by_side() -> None:
    stats = partial_statistics([a_profit_level(), a_loss_level(), a_profit_level(), an_idle()])

    assert (stats.total_events, stats.total_profit, stats.total_loss) == (3, 2, 1)
    assert stats.event_list == (a_profit_level(), a_loss_level(), a_profit_level())


def test_refusals_are_counted_by_symbol_and_strategy() -> None:
    eth = replace(a_refusal(), key=a_key("ETH/USDT"))

    stats = risk_statistics([a_refusal(), eth, a_refusal(), a_closed()])

    assert stats.total_rejections == 3
    assert stats.by_symbol == {"BTC/USDT": 2, "ETH/USDT": 1}
    assert stats.by_strategy == {"breakout": 3}
    assert stats.event_list == (a_refusal(), eth, a_refusal())


@given(EVENTS)
def test_a_collector_says_the_same_at_the_end_as_the_whole_sequence(
    events: list[Announcement],
) -> None:
    """Asking in between changes nothing."""
    pairs = (
        (LiveCollector(), live_statistics),
        (ScheduleCollector(), schedule_statistics),
        (PartialCollector(), partial_statistics),
        (RiskCollector(), risk_statistics),
    )
    for collector, whole in pairs:
        for event in events:
            collector.add(event)
            collector.statistics()

        assert collector.statistics() == whole(events)


@given(EVENTS, st.integers(1, 5))
def test_a_shorter_list_changes_no_figure(events: list[Announcement], newest: int) -> None:
    short = gathered(LiveCollector(events_max=newest), events)
    long = live_statistics(events)

    assert short.event_list == long.event_list[:newest]
    assert replace(short, event_list=()) == replace(long, event_list=())


@given(st.lists(st.sampled_from([1, 2]), min_size=1, max_size=40))
def test_live_events_stay_in_order(picks: list[int]) -> None:
    keys = {1: KEY, 2: a_key("ETH/USDT")}
    events: list[SignalActive] = [
        an_active(at_ms=AT_MS + tick, key=keys[pick]) for tick, pick in enumerate(picks)
    ]

    stats = live_statistics(events)

    times = [event.at_ms for event in stats.event_list]
    assert times == sorted(times, reverse=True)
    assert stats.total_events == len(set(picks))


def test_records_travel_between_processes() -> None:
    """A walk on several cores sends them."""
    for record in (
        risk_statistics([a_refusal()]),
        live_statistics([an_idle()]),
    ):
        assert pickle.loads(pickle.dumps(record)) == record


def test_averages_of_times_are_of_all_events() -> None:
    moments = Moments()
    events = [given_up(number, waited_ms=60_000 * number) for number in range(1, 300)]
    for number in range(1, 300):
        moments.add(number)

    stats = schedule_statistics(events)

    assert stats.avg_wait_time == pytest.approx(moments.average)
    assert (len(stats.event_list), stats.total_events) == (250, 299)
