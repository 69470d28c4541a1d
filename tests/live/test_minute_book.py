"""Moves that are hard to believe: how long they are doubted, and what stands of them."""

import asyncio
import math
from collections.abc import Callable

import pytest

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.rules import Rules
from daemon.live.minute_book import MinuteBook
from daemon.simulation.faults import Absurd
from tests.live.feed_stage import SYMBOL, Stage, a_fault, play, told_minutes, true_minutes

FROM_MS = 1_700_000_040_000
PriceAt = Callable[[int], float]


def rows_until(now_ms: int, price_at: PriceAt) -> list[Candle]:
    """Return eight minutes and what there is of the next; `price_at` takes a minute's number."""
    last = (now_ms - 1 - FROM_MS) // MINUTE_MS
    return [
        Candle(FROM_MS + number * MINUTE_MS, price, price, price, price, 60.0)
        for number in range(max(0, last - 8), last + 1)
        if (price := price_at(number))
    ]


def a_calm_book() -> tuple[MinuteBook, int]:
    """Return a book that knows eight minutes at 100, and the time."""
    now_ms = FROM_MS + 8 * MINUTE_MS + 20_000
    book = MinuteBook(Rules())
    book.take_rest(rows_until(now_ms, lambda _: 100.0), now_ms)
    assert book.price(now_ms) == 100.0
    return book, now_ms


def polled(book: MinuteBook, now_ms: int, price_at: PriceAt) -> tuple[int, list[float]]:
    """Return when a poll every ten seconds was first believed (ms), and the prices from then on."""
    believed_ms, prices = 0, []
    for at_ms in range(now_ms, now_ms + 15 * MINUTE_MS, 10_000):
        taken = book.take_rest(rows_until(at_ms, price_at), at_ms)
        price = book.price(at_ms)
        if taken is not None and price is not None:
            believed_ms = believed_ms or at_ms - now_ms
            prices.append(price)
    return believed_ms, prices


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_x9_a_move_that_lasts_is_believed_after_a_minute_and_never_averaged(factor: float) -> None:
    book, now_ms = a_calm_book()

    believed_ms, prices = polled(book, now_ms, lambda number: 100.0 * (1 if number < 8 else factor))

    assert MINUTE_MS <= believed_ms <= 2 * MINUTE_MS
    assert prices == pytest.approx([100.0 * factor] * len(prices))
    assert book.doubt == ""


def test_x9_a_lie_that_rest_repeats_for_less_than_a_minute_is_never_believed() -> None:
    book, now_ms = a_calm_book()
    for at_ms in range(now_ms, now_ms + 50_000, 5_000):
        lie = rows_until(at_ms, lambda number: 100.0 if number < 8 else 1_000.0)
        assert book.take_rest(lie, at_ms) is None
        assert "+900 %" in book.doubt

    truth_ms = now_ms + 50_000
    assert book.take_rest(rows_until(truth_ms, lambda _: 100.0), truth_ms) is not None

    assert book.doubt == ""
    assert book.begun_anew == ""
    assert book.price(truth_ms) == 100.0


def test_x9_behind_a_bad_minute_that_is_kept_for_ever_the_price_begins_anew() -> None:
    book, now_ms = a_calm_book()

    believed_ms, prices = polled(book, now_ms, lambda number: 1_000.0 if number == 8 else 100.0)

    assert MINUTE_MS <= believed_ms <= 3 * MINUTE_MS
    assert prices == pytest.approx([100.0] * len(prices))


def test_x9_a_bad_minute_in_the_first_answer_is_passed_too() -> None:
    book = MinuteBook(Rules())

    believed_ms, prices = polled(
        book, FROM_MS + 9 * MINUTE_MS, lambda number: 1_000.0 if number == 8 else 100.0
    )

    assert MINUTE_MS <= believed_ms <= 3 * MINUTE_MS
    assert prices == pytest.approx([100.0] * len(prices))


def test_x9_what_was_believed_is_reported_once_with_its_size() -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(600)
        assert stage.one.is_fresh()

    stage = play(scenario, a_fault(Absurd(factor=10.0), 101, 10_000))

    told = [text for where, text, symbol in stage.reports if where == "price"]
    assert len(told) == 2  # one for each symbol
    assert all("believed" in text and " %" in text for text in told)


@pytest.mark.parametrize("heal_s", [155.0, math.inf])
def test_x9_a_lie_of_half_a_minute_everywhere_moves_no_price(heal_s: float) -> None:
    """Nor where the exchange keeps the minute of the lie as it told it."""
    prices: list[float] = []

    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(90)
        stage.one.subscribe(prices.append)
        await asyncio.sleep(200)
        assert stage.one.is_fresh()

    stage = play(scenario, a_fault(Absurd(factor=10.0, heal_s=heal_s), 125, 155))

    assert max(prices) < 1.1 * min(prices)
    is_healed = told_minutes(stage) == true_minutes(stage, SYMBOL)
    assert is_healed == (heal_s < math.inf)


def test_an_answer_that_the_stream_has_overtaken_is_no_fault_but_a_stale_one_is() -> None:
    book, now_ms = a_calm_book()
    begun_ms = now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
    before = rows_until(begun_ms - 1000, lambda _: 100.0)
    told = book.take_stream(rows_until(begun_ms + 50, lambda _: 100.0)[-2:], begun_ms + 50)
    assert told is not None
    assert len(told) == 1

    overtaken = book.take_rest(before, begun_ms - 1000), book.fault
    stale = book.take_rest(before, begun_ms + 30_000), book.fault

    assert overtaken == (None, "")
    assert stale[0] is None
    assert "before what is known" in stale[1]
    assert book.price(begun_ms + 50) == 100.0
