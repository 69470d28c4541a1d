"""Fetching history: exactly what is missing, whatever the exchange does on the way."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon.adapters.candles.names import Series
from daemon.adapters.candles.store import CandleStore
from daemon.app.candle_fetch import CandleFetcher, Fetched, Wanted
from daemon.core.candles import DAY_MS, Candle
from daemon.core.columns import Span
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TransientError,
    UntrustedDataError,
)
from daemon.ports import MinuteUpdate
from daemon.simulation.loop import run_virtual
from tests.adapters.candles.samples import FEBRUARY
from tests.core.samples import MINUTE

BTC = Series("binance", "BTC/USDT")
T0 = FEBRUARY - 1000 * MINUTE
NOW = FEBRUARY + 60 * DAY_MS
HOUR = 60 * MINUTE


@dataclass
class ScriptedExchange:
    """Tells candles of the minutes `begin_ms` to `end_ms`, except `missing` and `broken` ones.

    With `window` it tells only candles within so many minutes of the first one asked for, as many
    exchanges do; without, the next ones there are. `errors` are raised first.
    """

    begin_ms: int = T0
    end_ms: int = NOW
    page: int = 1000
    is_windowed: bool = False
    missing: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    errors: list[Exception] = field(default_factory=list)
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        assert since_ms is not None
        self.asked.append((interval, since_ms, limit))
        if self.errors:
            raise self.errors.pop(0)
        step_ms = MINUTE if interval == "1m" else DAY_MS
        limit = min(limit, self.page)
        first_ms = max(since_ms, self.begin_ms // step_ms * step_ms)
        stop_ms = self.end_ms
        if self.is_windowed:
            stop_ms = min(stop_ms, since_ms + limit * step_ms)
        rows = []
        for at_ms in range(first_ms, stop_ms, step_ms):
            span = range(max(at_ms, self.begin_ms), min(at_ms + step_ms, self.end_ms), MINUTE)
            if self.missing.issuperset(span):
                continue
            rows.append(Candle(at_ms, 100.0, 101.0, 99.0, 100.0 + at_ms // MINUTE % 7 / 10, 1.0))
            if len(rows) == limit:
                break
        if any(row.timestamp in self.broken for row in rows):
            raise UntrustedDataError("a broken candle")
        return rows

    def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        raise NotImplementedError

    async def server_time_ms(self) -> int:
        return NOW


@dataclass
class Stage:
    """A store, an exchange, and what was told on the way."""

    store: CandleStore
    exchange: ScriptedExchange
    done: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def fetch(self, start_ms: int, stop_ms: int, *, again: bool = False, now: int = NOW) -> Fetched:
        self.done.clear()
        self.exchange.asked.clear()

        async def run() -> Fetched:
            fetcher = CandleFetcher(
                self.exchange, CandleStore(self.store.root), now, self.done.append,
                self.waits.append,
            )  # fmt: skip
            wanted = Wanted(series=BTC, span=Span(start_ms, stop_ms), again=again)
            with self.store.writing(BTC):
                return await fetcher.run(wanted)

        return run_virtual(run())

    def stamps(self) -> list[int]:
        stamps: list[int] = CandleStore(self.store.root).read(BTC).rows.timestamp.tolist()
        return stamps


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(CandleStore(tmp_path), ScriptedExchange())


def minutes(start_ms: int, stop_ms: int) -> list[int]:
    return list(range(start_ms, stop_ms, MINUTE))


def test_what_is_wanted_is_fetched_once(stage: Stage) -> None:
    stop_ms = T0 + 2500 * MINUTE

    first = stage.fetch(T0, stop_ms)
    pages = len(stage.exchange.asked)
    second = stage.fetch(T0, stop_ms)

    assert (first.new, pages) == (2500, 3)
    assert (second.new, stage.exchange.asked) == (0, [])
    assert stage.stamps() == minutes(T0, stop_ms)
    assert sum(stage.done) == 2500


def test_only_what_is_missing_is_asked_for(stage: Stage) -> None:
    stage.fetch(T0 + HOUR, T0 + 2 * HOUR)

    told = stage.fetch(T0, T0 + 3 * HOUR)

    assert told.new == 120
    assert [since for _, since, _ in stage.exchange.asked] == [T0, T0 + 2 * HOUR]
    assert stage.stamps() == minutes(T0, T0 + 3 * HOUR)


def test_what_the_exchange_does_not_have_is_asked_for_again_only_on_request(stage: Stage) -> None:
    stage.exchange.missing = set(minutes(T0 + HOUR, T0 + 2 * HOUR))
    stage.fetch(T0, T0 + 3 * HOUR)

    stage.exchange.missing = set()
    quiet = stage.fetch(T0, T0 + 3 * HOUR)
    again = stage.fetch(T0, T0 + 3 * HOUR, again=True)

    assert (quiet.new, again.new) == (0, 60)
    assert stage.stamps() == minutes(T0, T0 + 3 * HOUR)


@pytest.mark.parametrize("is_windowed", [False, True])
@pytest.mark.parametrize("page", [100, 300, 1000])
def test_every_candle_is_found_behind_gaps_of_any_length(
    tmp_path: Path, page: int, is_windowed: bool
) -> None:
    gaps = minutes(T0 + 130 * MINUTE, T0 + 1500 * MINUTE) + minutes(T0 + 1700 * MINUTE, NOW)
    there = set(minutes(FEBRUARY + 55 * DAY_MS + 7 * HOUR, FEBRUARY + 55 * DAY_MS + 8 * HOUR))
    exchange = ScriptedExchange(page=page, is_windowed=is_windowed, missing=set(gaps) - there)
    stage = Stage(CandleStore(tmp_path), exchange)

    # It is asked from long before its market began.
    stage.fetch(T0 - 400 * DAY_MS, FEBRUARY + 56 * DAY_MS)

    wanted = set(minutes(T0, FEBRUARY + 56 * DAY_MS)) - exchange.missing
    assert stage.stamps() == sorted(wanted)
    assert len(exchange.asked) < 1000


def test_the_minute_that_is_not_over_is_left_alone_and_asked_for_later(stage: Stage) -> None:
    now_ms = T0 + HOUR + 30_000
    stage.exchange.missing = {T0 + 57 * MINUTE, T0 + 59 * MINUTE}

    stage.fetch(T0, T0 + 2 * HOUR, now=now_ms)
    stage.exchange.missing = set()
    later = stage.fetch(T0, T0 + 2 * HOUR, now=now_ms + HOUR)

    assert later.new == 61
    assert stage.stamps() == [
        at_ms for at_ms in minutes(T0, T0 + 2 * HOUR) if at_ms != T0 + 57 * MINUTE
    ]


def test_candles_that_cannot_be_believed_are_left_out_and_counted(stage: Stage) -> None:
    broken = {T0 + 400 * MINUTE, T0 + 401 * MINUTE}
    stage.exchange.broken = broken

    told = stage.fetch(T0, T0 + 1200 * MINUTE)

    assert told == Fetched(new=1198, broken=2)
    assert set(stage.stamps()) == set(minutes(T0, T0 + 1200 * MINUTE)) - broken


def test_an_exchange_of_which_nothing_can_be_believed_ends_the_run(stage: Stage) -> None:
    stage.exchange.broken = set(minutes(T0, NOW))

    with pytest.raises(TransientError, match="10 candles in a row"):
        stage.fetch(T0, T0 + DAY_MS)


def test_the_exchange_is_waited_for_when_it_says_so(stage: Stage) -> None:
    stage.exchange.errors = [RateLimitedError("slow down", 120.0), RateLimitedError("still", 60.0)]

    told = stage.fetch(T0, T0 + HOUR)

    assert told.new == 60
    assert stage.waits == [120.0, 60.0]


def test_a_ban_of_hours_ends_the_run(stage: Stage) -> None:
    stage.exchange.errors = [RateLimitedError("banned", 86_400.0)]

    with pytest.raises(TransientError, match="banned; all until 2025-01-31 07:20 UTC is kept"):
        stage.fetch(T0, T0 + HOUR)


def test_what_came_before_a_failure_is_kept_and_the_next_run_goes_on_from_there(
    stage: Stage,
) -> None:
    async def fails_at_the_third(
        symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        if len(stage.exchange.asked) == 2:
            raise TransientError("the network is away")
        return await ScriptedExchange.candles(stage.exchange, symbol, interval, since_ms, limit)

    stage.exchange.candles = fails_at_the_third  # type: ignore[method-assign]  # one instance
    with pytest.raises(TransientError, match="run it again to go on from there"):
        stage.fetch(T0, T0 + 5000 * MINUTE)
    kept = stage.stamps()
    del stage.exchange.candles
    told = stage.fetch(T0, T0 + 5000 * MINUTE)

    assert kept == minutes(T0, T0 + 2000 * MINUTE)
    assert told.new == 3000
    assert stage.exchange.asked[0][1] == T0 + 2000 * MINUTE


def test_an_exchange_without_days_is_searched_in_small_steps(stage: Stage) -> None:
    stage.exchange.is_windowed = True
    stage.exchange.missing = set(minutes(T0, T0 + 250 * MINUTE))
    ask = stage.exchange.candles

    async def no_days(
        symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        if interval == "1d":
            raise RejectedError("there are no candles of 1d")
        return await ask(symbol, interval, since_ms, min(limit, 100))

    stage.exchange.candles = no_days  # type: ignore[method-assign]  # one instance

    told = stage.fetch(T0, T0 + 400 * MINUTE)

    assert told.new == 150
