"""A small world for runs over history: markets of a few minutes and strategies by the clock."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from daemon.core.candles import Candle
from daemon.core.events import Announcement
from daemon.core.frame import Frame
from daemon.core.risk import RiskProfile
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.strategy import Strategy, View
from daemon.core.subjects import Subjects
from daemon.research.backtest import Backtest
from daemon.research.columns import Minutes, minutes_of
from daemon.research.containment import Limits
from daemon.research.lane import Told
from daemon.research.plan import Job, Plan
from daemon.research.result import BacktestResult
from tests.core.samples import KEY, MINUTE, RULES, T0

PLAIN = replace(RULES, align=False)
BASE = 5
"""So many quiet minutes come before the first one that a test speaks of."""

QUIET = (99.9, 100.1)
QUICK = Limits(stretch_s=0.1, answer_s=0.2)


def a_market(*spans: tuple[float, float]) -> list[Candle]:
    """Quiet minutes at 100, then one minute for each (low, high); all close at 100."""
    rows = [Candle(T0 + (index - BASE) * MINUTE, 100, 100, 100, 100, 1.0) for index in range(BASE)]
    for index, (low, high) in enumerate(spans):
        rows.append(Candle(T0 + index * MINUTE, 100, high, low, 100, 1.0))
    return rows


class ByTheClock(Strategy):
    """Returns what `answers` holds for a moment; notes when it was asked."""

    strategy_name = "by_the_clock"
    interval = "1m"

    def __init__(self, answers: Mapping[int, object], asked: list[int]) -> None:
        self.answers = answers
        self.asked = asked

    async def get_signal(self, view: View) -> object:  # type: ignore[override]  # nonsense too
        """Return the answer for now; nonsense is allowed."""
        self.asked.append(view.now_ms)
        answer = self.answers.get(view.now_ms)
        return answer() if callable(answer) else answer


class EveryMinute(ByTheClock):
    """The same, by another name."""


class EveryFive(ByTheClock):
    """Asked each five minutes."""

    interval: ClassVar[str] = "5m"


@dataclass
class Run:
    """A run and what was heard of it."""

    backtest: Backtest
    told: list[Told] = field(default_factory=list)
    heard: list[Announcement] = field(default_factory=list)

    @property
    def result(self) -> BacktestResult:
        return self.backtest.result()


def a_job(
    make: Callable[[], Strategy],
    minutes: Minutes,
    *,
    symbol: str = KEY.symbol,
    name: str = KEY.strategy_name,
    risk_names: tuple[str, ...] = (),
) -> Job:
    key = Key(exchange_name=KEY.exchange_name, symbol=symbol, strategy_name=name)
    return Job(key=key, make=make, minutes=minutes, risk_names=risk_names)


def a_plan(
    *jobs: Job,
    rules: Rules = PLAIN,
    profiles: Sequence[RiskProfile] = (),
    frame_minutes: str = "1m",
    start_ms: int = T0,
) -> Plan:
    end_ms = max(job.minutes.end_ms for job in jobs)
    frame = Frame(frame_name="test", interval=frame_minutes, start_ms=start_ms, end_ms=end_ms)
    return Plan(jobs=jobs, frame=frame, rules=rules, profiles=tuple(profiles), limits=QUICK)


async def ran_on(plan: Plan, subjects: Subjects | None = None) -> Run:
    run = Run(Backtest(plan, subjects))
    async for told in run.backtest.run():
        run.told.append(told)
    return run


def ran(
    make: Callable[[], Strategy],
    *spans: tuple[float, float],
    rules: Rules = PLAIN,
    subjects: Subjects | None = None,
) -> Run:
    plan = a_plan(a_job(make, minutes_of(a_market(*spans))), rules=rules)
    return asyncio.run(ran_on(plan, subjects))


def hearing(heard: list[Announcement]) -> Subjects:
    """Return emitters of which everything is heard but progress and measurements."""
    subjects = Subjects()
    for subject in (subjects.signal_backtest, subjects.error, subjects.validation, subjects.risk):
        subject.subscribe(heard.append)
    subjects.partial_profit.subscribe(heard.append)
    subjects.partial_loss.subscribe(heard.append)
    subjects.done_backtest.subscribe(heard.append)
    return subjects
