"""Streams by name, and the law of candles: each is told of as closed exactly once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS
from daemon.simulation.faults import Fault, FaultPlan, Frozen, Moment
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.market import KlineQuery, klines
from daemon.simulation.server.questions import names_of
from daemon.simulation.server.scene import Scene
from daemon.simulation.server.streams import Kind, Stream, find_stream, news
from tests.simulation.server.conftest import START_MS

MARKET = GeneratedMarket(default_specs(), 7, START_MS)
NAMES = names_of(MARKET)
CANDLES = Stream(Kind.KLINE, "BTCUSDT", "BTC/USDT", "1m")


def a_scene(now_ms: int, plan: FaultPlan | None = None) -> Scene:
    moment = Moment(now_ms, START_MS)
    return Scene(market=MARKET, path="", plan=plan or FaultPlan(), moment=moment)


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("btcusdt@kline_1m", CANDLES),
        ("btcusdt@kline_12h", Stream(Kind.KLINE, "BTCUSDT", "BTC/USDT", "12h")),
        ("ethusdt@trade", Stream(Kind.TRADE, "ETHUSDT", "ETH/USDT")),
        ("ethusdt@aggTrade", Stream(Kind.AGGREGATE_TRADE, "ETHUSDT", "ETH/USDT")),
        ("ethusdt@bookTicker", Stream(Kind.BOOK_TICKER, "ETHUSDT", "ETH/USDT")),
        ("ethusdt@miniTicker", Stream(Kind.MINI_TICKER, "ETHUSDT", "ETH/USDT")),
        ("ethusdt@ticker", Stream(Kind.TICKER, "ETHUSDT", "ETH/USDT")),
    ],
)
def test_a_stream_is_found_by_binance_s_name(text: str, stream: Stream) -> None:
    assert find_stream(text, NAMES) == stream


@pytest.mark.parametrize(
    "text",
    ["0", "", "BTCUSDT@trade", "btcusdt", "btcusdt@kline", "btcusdt@kline_7m", "xusdt@trade"],
)
def test_what_the_sandbox_does_not_have_is_not_found(text: str) -> None:
    assert find_stream(text, NAMES) is None


SPANS_MS = st.sampled_from([MINUTE_MS // 2, MINUTE_MS]) | st.integers(1, 4 * MINUTE_MS)


@given(st.lists(SPANS_MS, min_size=1, max_size=30))
def test_each_closed_candle_is_told_of_once_and_each_push_ends_with_the_newest(
    steps_ms: list[int],
) -> None:
    since_ms = START_MS + MINUTE_MS // 2
    closed: list[int] = []

    for step_ms in steps_ms:
        now_ms = since_ms + step_ms
        told = [message["k"] for message in news(a_scene(now_ms), CANDLES, since_ms)]
        closed += [candle["t"] for candle in told if candle["x"]]
        newest = klines(MARKET, KlineQuery(symbol="BTC/USDT", interval="1m", limit=1), now_ms)
        assert told[-1]["t"] == newest[0].timestamp
        assert float(told[-1]["c"]) == newest[0].close
        since_ms = now_ms

    minutes = range(START_MS, since_ms - MINUTE_MS + 1, MINUTE_MS)
    assert closed == list(minutes)


@given(st.lists(st.integers(1, 90_000), min_size=1, max_size=30))
def test_each_trade_is_told_of_once(steps_ms: list[int]) -> None:
    start_ms = since_ms = START_MS + 12_345
    stream = Stream(Kind.TRADE, "BTCUSDT", "BTC/USDT")
    told: list[int] = []

    for step_ms in steps_ms:
        now_ms = since_ms + step_ms
        told += [message["t"] for message in news(a_scene(now_ms), stream, since_ms)]
        since_ms = now_ms

    made = MARKET.trades("BTC/USDT", start_ms, since_ms, since_ms)
    assert told == [trade.id for trade in made]


def test_an_array_holds_all_pairs_in_one_message() -> None:
    stream = find_stream("!miniTicker@arr", NAMES)
    assert stream is not None

    messages = list(news(a_scene(START_MS + MINUTE_MS), stream, START_MS))

    assert [row["s"] for row in messages[0]] == list(NAMES)
    assert len(messages) == 1


def test_a_frozen_market_tells_the_same_candle_again_and_again() -> None:
    plan = FaultPlan(faults=(Fault(effect=Frozen(), start_s=90.0),))
    frozen_ms = START_MS + 90_000

    before = list(news(a_scene(frozen_ms - 1, plan), CANDLES, frozen_ms - 1_000))
    during = [
        list(news(a_scene(now_ms, plan), CANDLES, now_ms - 1_000))
        for now_ms in range(frozen_ms, frozen_ms + 3 * MINUTE_MS, 1_000)
    ]

    assert before[-1]["k"]["t"] == START_MS + MINUTE_MS
    assert all(messages == during[0] for messages in during)
    assert during[0][0]["k"]["t"] == START_MS + MINUTE_MS
