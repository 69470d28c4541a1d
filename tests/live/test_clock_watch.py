"""The watch on the clock alone: when it asks, whom it believes, and what it tells."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from daemon.app.config.sections import ExchangeSection
from daemon.core.candles import Candle
from daemon.core.errors import RejectedError, TransientError
from daemon.live.clock_watch import Alarm, ClockWatch
from daemon.ports import MinuteUpdate
from daemon.simulation.loop import run_virtual
from tests.live.scene import START_MS, AMeter


@dataclass
class Watched:
    """A watch on a clock that a test holds, and an exchange that tells what it is told to."""

    now_ms: int = START_MS
    answers: list[int | TransientError | RejectedError] = field(default_factory=list)
    answer_s: float = 0.0
    happened: str = ""
    doubts: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    meter: AMeter = field(default_factory=AMeter)
    speed: float = 1.0

    def watch(self) -> ClockWatch:
        alarm = Alarm(doubt=self.doubts.append, report=self.reports.append, meter=self.meter)
        return ClockWatch(_Clock(self), _Exchange(self), alarm, skew_ms_max=1000)


class _Clock:
    speed = 1.0

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._begun_s = asyncio.get_running_loop().time()

    def now_ms(self) -> int:
        passed_s = asyncio.get_running_loop().time() - self._begun_s
        return self._watched.now_ms + round(passed_s * 1000)

    def disturbance(self) -> str:
        happened, self._watched.happened = self._watched.happened, ""
        return happened

    def correct(self, by_ms: int) -> None:
        self._watched.now_ms += by_ms


class _Exchange:
    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        raise RejectedError("no candles here")

    def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        raise RejectedError("no stream here")

    async def server_time_ms(self) -> int:
        await asyncio.sleep(self._watched.answer_s)
        answer = self._watched.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def agree(watched: Watched) -> bool:
    async def main() -> bool:
        return await watched.watch().agree()

    return run_virtual(main())


@pytest.mark.parametrize("ahead_ms", [0, 999, -1000])
def test_a_small_skew_is_let_be(ahead_ms: int) -> None:
    watched = Watched(answers=[START_MS + ahead_ms])

    assert agree(watched)
    assert watched.now_ms == START_MS
    assert watched.reports == []


def test_x12_a_skew_that_two_answers_show_is_followed() -> None:
    watched = Watched(answers=[START_MS - 5_000, START_MS - 5_100])

    assert agree(watched)
    assert watched.now_ms == START_MS - 5_100
    assert len(watched.reports) == len(watched.doubts) == 1


def test_x12_the_newest_skew_can_be_read() -> None:
    watched = Watched(answers=[START_MS + 700, START_MS + 700])

    async def main() -> list[float]:
        watch = watched.watch()
        before_s = watch.ahead_s
        await watch.agree()
        return [before_s, watch.ahead_s]

    assert run_virtual(main()) == [0.0, 0.7]


def test_x12_one_odd_answer_is_not_believed() -> None:
    watched = Watched(answers=[START_MS + 86_400_000, START_MS])

    assert not agree(watched)
    assert watched.now_ms == START_MS
    assert watched.doubts == []


def test_a_slow_answer_is_not_taken_for_a_skew() -> None:
    """Half the round trip may lie on either way: this answer is right, if it took 1.5 s back."""
    watched = Watched(answers=[START_MS + 100], answer_s=1.6)

    assert agree(watched)
    assert watched.now_ms == START_MS


def test_an_answer_that_took_too_long_settles_nothing() -> None:
    watched = Watched(answers=[START_MS], answer_s=30.0)

    assert not agree(watched)


def test_an_exchange_that_cannot_tell_is_asked_again_and_one_that_never_can_is_not() -> None:
    assert not agree(Watched(answers=[TransientError("down")]))
    assert agree(Watched(answers=[RejectedError("does not tell its time")]))


def test_t4_after_a_stop_of_the_process_its_prices_are_doubted() -> None:
    """What held the loop up is told by its own monitor."""
    watched = Watched(answers=[START_MS])

    async def main() -> None:
        watch = watched.watch()
        watch.look(2.9)
        assert watched.doubts == []
        watch.look(8.0)

    run_virtual(main())

    assert watched.doubts == [
        "nothing ran for 8.0 s: waiting for the exchange to confirm the price"
    ]
    assert watched.reports == []


def test_in_peace_the_exchange_is_asked_for_its_time_every_five_minutes() -> None:
    watched = Watched(answers=[START_MS + minutes * 300_000 for minutes in range(1, 100)])

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3_601):
                await watched.watch().run()

    run_virtual(main())

    assert 99 - len(watched.answers) == 12
    assert watched.reports == watched.doubts == []


def test_x12_a_clock_is_followed_from_half_a_second_on_unless_told_otherwise() -> None:
    assert ExchangeSection().clock_skew_max_ms == 500
