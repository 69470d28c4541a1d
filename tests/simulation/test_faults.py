"""A fault plan is asked, never run: windows, targets, dice and what each kind shows."""

import math
import random  # noqa: TID251  # the plan takes its dice as an argument

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS, Candle
from daemon.simulation.faults import (
    Absurd,
    BrokenFrame,
    ClockSkew,
    CloseSocket,
    Effect,
    Fault,
    FaultClock,
    FaultPlan,
    Frozen,
    Gap,
    LostReply,
    Moment,
    NotANumber,
    SilentSocket,
    Status,
    Target,
    Timeout,
)

START_MS = 1_700_000_040_000
KLINES = Target("/api/v3/klines", "BTC/USDT")


def a_plan(effect: Effect, **when_and_where: object) -> FaultPlan:
    return FaultPlan(faults=(Fault(effect=effect, **when_and_where),), seed=3)  # type: ignore[arg-type]  # by keyword


def at(elapsed_s: float, speed: float = 1.0) -> Moment:
    return Moment(START_MS + round(elapsed_s * 1000), START_MS, speed)


def minutes(count: int) -> list[Candle]:
    return [Candle(START_MS + i * MINUTE_MS, 10.0, 12.0, 9.0, 11.0, 1.0) for i in range(count)]


def test_a_fault_is_due_inside_its_window_only() -> None:
    plan = a_plan(Timeout(), start_s=10, stop_s=20)

    answers = [plan.reply(KLINES, at(second), random.Random(1)) for second in (9.9, 10, 19.9, 20)]

    assert answers == [None, Timeout(), Timeout(), None]


def test_a_window_may_count_market_seconds() -> None:
    on_market = a_plan(LostReply(), start_s=60, stop_s=120, clock=FaultClock.MARKET)
    on_server = a_plan(LostReply(), start_s=60, stop_s=120)

    a_market_minute = at(60, speed=60.0)

    assert on_market.reply(KLINES, a_market_minute, random.Random(1)) == LostReply()
    assert on_server.reply(KLINES, a_market_minute, random.Random(1)) is None
    assert on_server.reply(KLINES, at(3600, speed=60.0), random.Random(1)) == LostReply()


def test_paths_and_symbols_are_patterns() -> None:
    plan = a_plan(CloseSocket(code=1001), path="*@kline_*", symbol="BTC/*")
    rng = random.Random(1)

    assert plan.frame(Target("btcusdt@kline_1m", "BTC/USDT"), at(1), rng) == CloseSocket(code=1001)
    assert plan.frame(Target("btcusdt@trade", "BTC/USDT"), at(1), rng) is None
    assert plan.frame(Target("ethusdt@kline_1m", "ETH/USDT"), at(1), rng) is None


def test_the_first_fault_that_is_due_wins_and_frames_do_not_take_replies() -> None:
    plan = FaultPlan(
        faults=(
            Fault(effect=BrokenFrame()),
            Fault(effect=Status(status=418)),
            Fault(effect=Timeout()),
        )
    )

    assert plan.reply(KLINES, at(0), random.Random(1)) == Status(status=418)
    assert plan.frame(KLINES, at(0), random.Random(1)) == BrokenFrame()
    assert FaultPlan().frame(KLINES, at(0), random.Random(1)) is None


def test_dice_follow_the_seed() -> None:
    plan = a_plan(SilentSocket(), probability=0.3)

    def fates(seed: int) -> list[bool]:
        rng = random.Random(seed)
        return [plan.frame(KLINES, at(1), rng) is not None for _ in range(1000)]

    assert fates(5) == fates(5)
    assert fates(5) != fates(6)
    assert 200 < sum(fates(5)) < 400


def test_a_gap_hides_the_minutes_it_touches_until_it_heals() -> None:
    plan = a_plan(Gap(heal_s=1000), start_s=90, stop_s=150)
    rows = minutes(4)

    assert plan.rows(KLINES, rows, at(300)) == [rows[0], rows[3]]
    assert plan.rows(KLINES, rows, at(1000)) == rows


def test_absurd_and_nan_candles_stay_with_their_minute() -> None:
    tenfold = a_plan(Absurd(factor=10.0), start_s=60, stop_s=61)
    hundredth = a_plan(Absurd(factor=0.01), start_s=60, stop_s=61)
    nothing = a_plan(NotANumber(), start_s=60, stop_s=61)

    assert tenfold.rows(KLINES, minutes(2), at(1e6))[1][1:5] == (100.0, 120.0, 90.0, 110.0)
    assert hundredth.rows(KLINES, minutes(2), at(1e6))[1].high == 0.12
    shown = nothing.rows(KLINES, minutes(2), at(1e6))
    assert [math.isnan(row.close) for row in shown] == [False, True]


def test_a_told_price_is_the_close_of_its_minute() -> None:
    plan = a_plan(Absurd(factor=10.0), start_s=60, stop_s=120)

    assert plan.price(KLINES, 5.0, at(59)) == 5.0
    assert plan.price(KLINES, 5.0, at(61)) == 50.0


def test_a_frozen_market_shows_the_moment_at_which_it_froze() -> None:
    plan = a_plan(Frozen(), start_s=10, stop_s=30)

    assert plan.visible_ms(KLINES, at(9)) == START_MS + 9_000
    assert plan.visible_ms(KLINES, at(29)) == START_MS + 10_000
    assert plan.visible_ms(KLINES, at(30)) == START_MS + 30_000
    assert plan.visible_ms(KLINES, at(25 * 60, speed=60.0)) == START_MS + 600_000


def test_skews_add_up() -> None:
    plan = FaultPlan(
        faults=(Fault(effect=ClockSkew(skew_ms=5000)), Fault(effect=ClockSkew(skew_ms=-1000)))
    )

    assert plan.skew_ms(Target("/api/v3/time"), at(0)) == 4000


@given(seed=st.integers(0, 99), cut=st.integers(0, 30))
def test_a_candle_is_hit_by_its_own_time_whatever_is_asked_with_it(seed: int, cut: int) -> None:
    plan = FaultPlan(faults=(Fault(effect=Gap(), probability=0.5),), seed=seed)
    rows = minutes(30)

    whole = plan.rows(KLINES, rows, at(3600))

    another = FaultPlan(faults=plan.faults, seed=seed + 1).rows(KLINES, rows, at(3600))
    assert another != whole
    assert plan.rows(KLINES, rows[cut:], at(7200)) == [row for row in whole if row in rows[cut:]]
