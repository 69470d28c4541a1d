"""The feed in virtual time: prices as the market has them, whatever the exchange does."""

import asyncio
import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS
from daemon.core.strategy import HistoryError
from daemon.core.vwap import vwap
from daemon.simulation.faults import (
    CloseSocket,
    SilentSocket,
    Timeout,
)
from daemon.simulation.market import KlineQuery, klines
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

if TYPE_CHECKING:
    from collections.abc import Callable

# -- The price -------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_price_is_the_vwap_of_what_has_begun_and_was_told(seed: int) -> None:
    prices: list[tuple[float, float]] = []

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(1)
        stage.one.subscribe(lambda price: prices.append((price, stage.expected_price())))
        await asyncio.sleep(150)

    play(scenario, seed=seed)

    assert len(prices) >= 148
    # At the turn itself the market already knows the new minute's first trade, the feed does not.
    wrong = [pair for pair in prices if not math.isclose(*pair, rel_tol=1e-12)]
    assert len(wrong) <= 3


def test_the_turn_of_a_minute_is_told_without_a_message() -> None:
    """A row of a minute that is about to begin counts from the moment on at which it has begun."""
    prices: list[tuple[int, float]] = []
    silent = a_fault(SilentSocket(), 39.9, 45, path=STREAM)

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(39.5)  # 59.5 s into the minute
        book = stage.one.book
        last = book.forming
        assert last is not None
        early = last._replace(timestamp=last.timestamp + MINUTE_MS, volume=10 * last.volume)
        stage.one.take_stream([early])
        before = stage.one.price
        assert before == vwap([*list(book._final)], 5)
        stage.one.subscribe(lambda price: prices.append((stage.clock.now_ms(), price)))
        await asyncio.sleep(0.6)
        assert stage.one.price != before

    play(scenario, silent)

    assert [at_ms - START_MS for at_ms, _ in prices] == [60_001]


def test_a_quiet_feed_asks_nothing_after_its_start() -> None:
    symbols = [f"C{number}/USDT" for number in range(40)]

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(900)

    stage = play(scenario, symbols=symbols)

    assert stage.data.since(0) <= len(symbols) + 2
    assert stage.data.since(60) == 0
    assert stage.data.lines == 1
    assert stage.reports == []


def test_all_listeners_of_a_symbol_share_one_feed() -> None:
    heard = [0] * 10

    async def scenario(stage: Stage) -> None:
        def listen(number: int) -> None:
            def on_price(_: float) -> None:
                heard[number] += 1

            ends.append(stage.one.subscribe(on_price))

        ends: list[Callable[[], None]] = []
        for number in range(10):
            listen(number)
        await asyncio.sleep(10)
        ends[0]()
        before = heard[0]
        await asyncio.sleep(10)
        assert heard[0] == before

    stage = play(scenario)

    assert min(heard[1:]) >= 18
    assert stage.data.since(0, SYMBOL) == 1


# -- Faults of the stream --------------------------------------------------------------------------


def test_x10_a_silent_symbol_is_polled_and_the_line_made_anew() -> None:
    silent = a_fault(SilentSocket(), 100, 400, symbol=SYMBOL)
    fresh: list[bool] = []

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(95)
        fresh.extend(await watch_freshness(stage, 305))
        await asyncio.sleep(130)

    stage = play(scenario, silent)

    assert all(fresh)
    assert stage.data.lines >= 2
    assert ("stream", SYMBOL) in {(where, symbol) for where, _, symbol in stage.reports}
    assert stage.data.since(100, SYMBOL) >= 300 / stage.feed.pace.quiet_s
    assert stage.data.since(420) <= 5  # the stream is believed again
    assert told_minutes(stage) == true_minutes(stage, SYMBOL)


def test_x10_silence_is_noticed_within_two_quiet_ticks() -> None:
    """Ten seconds without a word are two of the intervals at which every task ticks."""

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(130)

    stage = play(scenario, a_fault(SilentSocket(), 100, 400))

    first = min(at_s for _, _, at_s in stage.data.requests if at_s > 100)
    assert first <= 112


def test_x10_a_silent_symbol_does_not_disturb_another() -> None:
    heard: list[float] = []

    async def scenario(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        stage.feed.of(OTHER).subscribe(lambda _: heard.append(loop.time()))
        await asyncio.sleep(200)

    play(scenario, a_fault(SilentSocket(), 50, 400, symbol=SYMBOL))

    gaps = [after - before for before, after in pairwise(heard)]
    assert max(gaps) <= 3.0


@pytest.mark.parametrize("seconds", [1, 30, 59, 61, 300])
def test_x10_what_a_lost_line_missed_is_filled_by_rest(seconds: int) -> None:
    cut = a_fault(CloseSocket(), 70, 70 + seconds)

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(60)
        assert all(await watch_freshness(stage, seconds + 60))
        await asyncio.sleep(120)

    stage = play(scenario, cut)

    assert told_minutes(stage) == true_minutes(stage, SYMBOL)
    assert len(told_minutes(stage)) >= 3
    assert {where for where, _, _ in stage.reports} == {"stream"}
    assert len(stage.reports) <= 2


def test_x10_repeated_and_late_rows_change_nothing() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(130)
        book, price = stage.one.book, stage.one.price
        last, forming = book.last_final, book.forming
        assert last is not None
        assert forming is not None
        for row in (last, last._replace(close=1.0, low=1.0), forming._replace(volume=0.0)):
            stage.one.take_stream([row])
        assert (book.last_final, book.forming, stage.one.price) == (last, forming, price)
        await asyncio.sleep(60)

    stage = play(scenario)

    assert told_minutes(stage) == true_minutes(stage, SYMBOL)


# -- Doubt and history -----------------------------------------------------------------------------


def test_t4_after_a_doubt_nothing_is_fresh_until_rest_has_answered() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(30.35)
        stage.feed.doubt("the machine slept")
        assert not stage.one.is_fresh()
        assert stage.one.reason == "the machine slept"
        await asyncio.sleep(3)
        assert stage.one.is_fresh()

    stage = play(scenario)

    assert stage.data.since(30, SYMBOL) == 1


def test_t4_an_answer_to_an_older_question_does_not_end_a_doubt() -> None:
    """A machine that slept may find an answer in its socket that is eight hours old."""
    slow = a_fault(Timeout(delay_s=4.0), 30, 31, path=REST)
    trusted: list[tuple[float, bool]] = []

    async def scenario(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(30.1)
        stage.feed.doubt("the clock was set")
        await asyncio.sleep(0.8)  # the question is on its way
        stage.feed.doubt("the machine slept")
        for _ in range(80):
            await asyncio.sleep(0.1)
            trusted.append((loop.time(), stage.one.is_fresh()))

    stage = play(scenario, slow)

    asked_s = [at_s for symbol, _, at_s in stage.data.requests if symbol == SYMBOL and at_s > 30]
    assert len(asked_s) == 2
    first_s = next(at_s for at_s, is_fresh in trusted if is_fresh)
    assert asked_s[0] < 30.9
    assert 34 < asked_s[1] <= first_s


def test_history_is_fetched_once_and_grows_by_itself() -> None:
    async def scenario(stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(stage.one.need("5m", 30))
                group.create_task(stage.one.need("1h", 20))
                group.create_task(stage.one.need("1m", 50))
        asked = len(stage.data.requests)
        assert asked <= 2 + 2 * 3
        for _ in range(3 * 60 * 2):
            await asyncio.sleep(30)
            assert_true_history(stage, "5m", 30)
            assert_true_history(stage, "1h", 20)
            assert_true_history(stage, "1m", 50)
        assert len(stage.data.requests) == asked

    play(scenario)


def assert_true_history(stage: Stage, interval: str, limit: int) -> None:
    told = list(stage.one.closed(interval, limit))
    now_ms = stage.clock.now_ms()
    query = KlineQuery(symbol=SYMBOL, interval=interval, limit=limit + 1)
    true = klines(stage.market, query, now_ms)[:-1]
    assert [row.timestamp for row in told] == [row.timestamp for row in true]
    for mine, theirs in zip(told, true, strict=True):
        assert mine[1:5] == theirs[1:5]
        assert mine.volume == pytest.approx(theirs.volume)


def test_what_was_not_declared_is_named() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.one.need("5m", 30)
        stage.one.closed("5m", 30)
        with pytest.raises(HistoryError, match=re.escape('history = {"5m": 31}')):
            stage.one.closed("5m", 31)
        with pytest.raises(HistoryError, match=re.escape('history = {"1h": 5}')):
            stage.one.closed("1h", 5)
        with pytest.raises(HistoryError, match="a limit is 0 or more"):
            stage.one.closed("5m", -1)
        with pytest.raises(ValueError, match="7m"):
            await stage.one.need("7m", 5)

    play(scenario)


def test_history_waits_for_an_exchange_that_cannot_be_asked() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(5)
        async with asyncio.timeout(200):
            await stage.one.need("1h", 5)
        assert asyncio.get_running_loop().time() >= 60
        assert_true_history(stage, "1h", 5)

    play(scenario, a_fault(Timeout(delay_s=60), 3, 60, path=REST))
