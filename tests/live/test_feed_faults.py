"""Prices stay true or grow stale, whatever the exchange answers: bad data, refusals, outages."""

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS
from daemon.simulation.faults import (
    Absurd,
    CloseSocket,
    Effect,
    Fault,
    Frozen,
    Gap,
    LostReply,
    NotANumber,
    SilentSocket,
    Status,
    Timeout,
)
from tests.live.feed_stage import (
    OTHER,
    REST,
    START_MS,
    STREAM,
    SYMBOL,
    Stage,
    a_fault,
    play,
    told_minutes,
    true_minutes,
    watch_freshness,
)

# -- Faults of the data ----------------------------------------------------------------------------


def test_x9_a_frozen_market_grows_stale_and_recovers() -> None:
    ages: list[tuple[float, bool, str]] = []

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(100)
        for _ in range(400):
            await asyncio.sleep(1)
            ages.append((stage.one.age_ms(), stage.one.is_fresh(), stage.one.reason))

    stage = play(scenario, a_fault(Frozen(), 100, 400))

    # The frozen minute can prove a price until its end, and that may be sixty seconds old.
    stale = [number for number, (_, fresh, _) in enumerate(ages, start=1) if not fresh]
    assert 60 <= stale[0] <= 121
    assert stale == list(range(stale[0], stale[-1] + 1))
    assert stale[-1] <= 310
    assert told_minutes(stage) == true_minutes(stage, SYMBOL)


@pytest.mark.parametrize("factor", [10.0, 0.01, 1.6, 0.4])
def test_x9_an_absurd_price_on_the_stream_alone_moves_nothing(factor: float) -> None:
    prices: list[float] = []
    doubts: set[str] = set()

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(90)
        stage.one.subscribe(prices.append)
        for _ in range(1500):
            await asyncio.sleep(0.1)
            if not stage.one.is_fresh():
                doubts.add(stage.one.reason)

    stage = play(scenario, a_fault(Absurd(factor=factor), 100, 160, path=STREAM))

    assert max(prices) < 1.1 * min(prices)
    assert doubts
    assert all("waiting for REST to confirm" in doubt for doubt in doubts)
    assert told_minutes(stage) == true_minutes(stage, SYMBOL)


def test_x9_a_jump_that_rest_shows_too_is_believed() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(99)
        calm = stage.one.price
        assert calm is not None
        await asyncio.sleep(330)
        assert stage.one.is_fresh()
        assert stage.one.price is not None
        assert stage.one.price > 8 * calm
        await asyncio.sleep(600)
        assert stage.one.is_fresh()
        assert stage.one.price < 2 * calm

    play(scenario, a_fault(Absurd(factor=10.0), 101, 450))


def test_x9_nothing_is_decided_while_a_jump_waits_for_rest() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(103)
        before = stage.one.price
        assert await watch_freshness(stage, 75) == [False] * 75
        assert stage.one.price == before
        await asyncio.sleep(60)
        assert stage.one.is_fresh()

    play(
        scenario,
        a_fault(Absurd(factor=2.0), 101, 1_000),
        a_fault(Status(status=503), 98, 180, path=REST),
    )


def test_x9_not_a_number_on_the_stream_is_read_by_rest() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(95)
        assert all(await watch_freshness(stage, 200))

    stage = play(scenario, a_fault(NotANumber(), 100, 220, symbol=SYMBOL, path=STREAM))

    assert told_minutes(stage) == true_minutes(stage, SYMBOL)
    assert [symbol for _, text, symbol in stage.reports if "finite" in text]


def test_x9_not_a_number_everywhere_grows_stale_and_recovers() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(200)
        assert not stage.one.is_fresh()
        await asyncio.sleep(220)
        assert stage.one.is_fresh()

    stage = play(scenario, a_fault(NotANumber(heal_s=300), 100, 220))

    assert told_minutes(stage) == true_minutes(stage, SYMBOL)


def test_x9_minutes_that_a_venue_omits_are_filled_flat_and_counted() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(600)
        assert stage.one.is_fresh()
        assert stage.one.filled_count >= 3

    # Minutes 3, 4 and 5 after the start are told nowhere and never.
    stage = play(scenario, a_fault(Gap(), 161, 339, symbol=SYMBOL))

    told = {row.timestamp: row for row in told_minutes(stage)}
    assert sorted(told) == list(range(min(told), max(told) + 1, MINUTE_MS))
    for minute in (3, 4, 5):
        before = told[START_MS + 2 * MINUTE_MS]
        row = told[START_MS + minute * MINUTE_MS]
        assert row[1:] == (before.close,) * 4 + (0.0,)


def test_x9_a_candle_from_the_future_is_not_believed() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(30)
        forming = stage.one.book.forming
        assert forming is not None
        price = stage.one.price
        fault = stage.one.take_stream(
            [forming._replace(timestamp=forming.timestamp + 60 * MINUTE_MS)]
        )
        assert "future" in fault
        assert stage.one.price == price
        await asyncio.sleep(5)
        assert stage.one.is_fresh()

    play(scenario)


# -- Faults of REST --------------------------------------------------------------------------------


def test_x7_a_429_quiets_all_requests_until_its_time() -> None:
    """The stream is silent too, so that every symbol wants to be asked for."""
    refused = a_fault(Status(status=429, retry_after_s=40.0), 100, 120, path=REST)
    silent = a_fault(SilentSocket(), 85, 400)

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(300)
        assert stage.one.is_fresh()

    stage = play(scenario, refused, silent)

    first = min(at_s for _, _, at_s in stage.data.requests if at_s >= 100)
    during = [at_s for _, _, at_s in stage.data.requests if first < at_s < first + 39]
    assert len(during) <= 1  # on its way already
    assert stage.data.since(first + 40) > 5


def test_x7_a_storm_of_429_passes_by_itself() -> None:
    storm = a_fault(Status(status=429, retry_after_s=5.0), 0, 300, path=REST)

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(290)
        assert stage.one.price is None
        assert "429" in stage.one.reason
        await asyncio.sleep(45)
        assert stage.one.is_fresh()

    stage = play(scenario, storm)

    assert stage.data.since(0) <= 300 / 5 * 2 + 10
    assert len(stage.reports) <= 3


def test_x8_an_outage_of_everything_passes_by_itself() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(300)
        assert not stage.one.is_fresh()
        assert "503" in stage.one.reason
        await asyncio.sleep(450)
        assert stage.one.is_fresh()

    stage = play(
        scenario,
        a_fault(CloseSocket(), 100, 700),
        a_fault(Status(status=503), 100, 700, path=REST),
    )

    assert told_minutes(stage) == true_minutes(stage, SYMBOL)
    assert len(stage.reports) <= 5


def test_a_start_without_rest_waits_and_says_why() -> None:
    async def scenario(stage: Stage) -> None:
        assert stage.one.reason == "waits for the first price"
        assert not stage.one.is_fresh()
        assert stage.one.age_ms() == math.inf
        await asyncio.sleep(60)
        assert "lost" in stage.one.reason or "cut" in stage.one.reason
        await asyncio.sleep(60)
        assert stage.one.reason == ""

    play(scenario, a_fault(LostReply(), 0, 80, path=REST))


def test_a_symbol_that_is_gone_disturbs_no_other() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(20)
        assert stage.one.is_fresh()
        assert "GONE/USDT" in stage.feed.of("GONE/USDT").reason
        await asyncio.sleep(100)

    stage = play(scenario, unknown=("GONE/USDT",))

    assert stage.data.since(20, SYMBOL) == 0  # streamed, not polled
    assert stage.data.since(0, "GONE/USDT") <= 4


def test_more_than_can_be_filled_begins_anew() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.one.need("5m", 10)
        await asyncio.sleep(100 + 70_000 + 120)
        assert stage.one.is_fresh()
        now_ms = stage.clock.now_ms()
        last = stage.one.closed("5m", 10)
        assert last.timestamp[-1] == now_ms // 300_000 * 300_000 - 300_000

    stage = play(
        scenario,
        a_fault(CloseSocket(), 100, 70_000),
        a_fault(Status(status=503), 100, 70_000, path=REST),
    )

    stamps = [row.timestamp for row in told_minutes(stage)]
    assert stamps == sorted(set(stamps))


# -- Whatever happens ------------------------------------------------------------------------------

EFFECTS: list[tuple[Effect, str]] = [
    (SilentSocket(), "*"),
    (CloseSocket(), "*"),
    (Status(status=503), REST),
    (Status(status=429, retry_after_s=20.0), REST),
    (Timeout(delay_s=8.0), REST),
    (LostReply(), REST),
    (NotANumber(), STREAM),
    (Absurd(factor=3.0), STREAM),
    (Frozen(), "*"),
]
effects = st.sampled_from(EFFECTS)


@st.composite
def bad_days(draw: st.DrawFn) -> Sequence[Fault]:
    faults = []
    for _ in range(draw(st.integers(1, 4))):
        effect, path = draw(effects)
        start_s = draw(st.integers(0, 500))
        length_s = draw(st.integers(1, 200))
        symbol = draw(st.sampled_from(["*", SYMBOL]))
        if symbol != "*" and path == "*" and isinstance(effect, CloseSocket):
            symbol = "*"
        probability = draw(st.sampled_from([1.0, 0.5]))
        faults.append(
            Fault(
                effect=effect,
                start_s=start_s,
                stop_s=start_s + length_s,
                symbol=symbol,
                path=path,
                probability=probability,
            )
        )
    return faults


@settings(max_examples=60)
@given(st.integers(0, 10_000), bad_days())
def test_on_a_bad_day_prices_are_true_or_stale_and_minutes_told_once(
    seed: int, faults: Sequence[Fault]
) -> None:
    wrong: list[tuple[float, float]] = []

    async def scenario(stage: Stage) -> None:
        for _ in range(7_200):
            await asyncio.sleep(0.1)
            price = stage.one.price if stage.one.is_fresh() else None
            if price is not None and not math.isclose(price, stage.expected_price(), rel_tol=0.03):
                wrong.append((asyncio.get_running_loop().time(), price))
        await asyncio.sleep(130)
        assert stage.one.is_fresh(), stage.one.reason

    stage = play(scenario, *faults, seed=seed)

    assert wrong == []
    for symbol in (SYMBOL, OTHER):
        assert told_minutes(stage, symbol) == true_minutes(stage, symbol)
        assert len(told_minutes(stage, symbol)) >= 5


def test_a_trouble_that_was_held_back_is_told_once_there_is_room_for_it() -> None:
    symbols = [f"C{number}/USDT" for number in range(8)]

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(400)

    # The stream is silent as well, so that REST is asked about every symbol.
    faults = (
        a_fault(SilentSocket(), 30, 400),
        a_fault(Status(status=503), 30, 400, path=REST),
    )
    stage = play(scenario, *faults, symbols=symbols)

    told = {symbol for where, _, symbol in stage.reports if where == "candles"}
    assert told >= set(symbols)
