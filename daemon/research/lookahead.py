"""Whether a strategy knows the future: its decisions in worlds that differ only after a moment.

Everything that a strategy decided up to a moment must be the same whatever the market did
afterwards. What the engine hands over cannot break that; module-level memory, a file that the
strategy reads by itself, the wall clock or chance can, and show here.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import isawaitable

import numpy as np

from daemon.core.candles import MINUTE_MS
from daemon.core.guard import class_name
from daemon.core.signal import Signal
from daemon.core.strategy import Answer, Strategy, View
from daemon.research.backtest import Backtest
from daemon.research.columns import Floats, Minutes
from daemon.research.plan import Plan

JUMP_PERCENT = 5.0
"""How far the changed market steps away at once, so that even a flat one is changed."""

AMPLIFICATION = -3.0
"""The changed market goes the other way, and three times as far."""

DISTANCE_MAX = 3.0
"""How far it may get, as the logarithm of a price: a factor of twenty."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a strategy answered at a moment (UTC epoch ms), in words that tell answers apart."""

    at_ms: int
    answer: str

    @property
    def is_signal(self) -> bool:
        """Say whether the answer was a signal."""
        return self.answer != NOTHING and not self.is_failure

    @property
    def is_failure(self) -> bool:
        """Say whether it raised, or answered what is no signal."""
        return self.answer.startswith((RAISED, NONSENSE))


NOTHING = "nothing"
RAISED = "raised"
NONSENSE = "an object of the class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The first decision that is not the same: `before` and `after` the change, or None."""

    at_ms: int
    before: str
    after: str


# -- Another future --------------------------------------------------------------------------------


def changed_after(minutes: Minutes, at_ms: int, *, is_up: bool) -> Minutes:
    """Return `minutes` with every candle that opens at or after `at_ms` changed, and some gone.

    The market steps 5 % up or down, then goes the other way three times as far, with other
    volumes, and its last third is missing. All candles before the moment are the same. Raises
    ValueError unless at least one candle opens before the moment and one after it.
    """
    first = (at_ms - minutes.start_ms) // MINUTE_MS
    if not 0 < first < len(minutes):
        raise ValueError("a moment inside the data is needed: before it and after it a candle")
    stop = len(minutes) - (len(minutes) - first) // 3
    anchor = float(minutes.close[first - 1])
    level = np.log(anchor) + np.log1p((1 if is_up else -1) * JUMP_PERCENT / 100)

    def moved(column: Floats) -> Floats:
        distance = AMPLIFICATION * (np.log(column[first:stop]) - np.log(anchor))
        moved: Floats = np.exp(level + np.clip(distance, -DISTANCE_MAX, DISTANCE_MAX))
        return moved

    def joined(column: Floats, after: Floats) -> Floats:
        whole = np.concatenate((column[:first], after))
        whole.flags.writeable = False
        return whole

    return replace(
        minutes,
        open=joined(minutes.open, moved(minutes.open)),
        # The other way round: what was the highest is the lowest now.
        high=joined(minutes.high, moved(minutes.low)),
        low=joined(minutes.low, moved(minutes.high)),
        close=joined(minutes.close, moved(minutes.close)),
        volume=joined(minutes.volume, minutes.volume[first:stop] * 2.0 + 1.0),
    )


# -- Decisions -------------------------------------------------------------------------------------


async def decisions_of(plan: Plan) -> list[Decision]:
    """Run `plan`, of one job, and return what its strategy answered in the headline run."""
    taken: list[list[Decision]] = []
    job = plan.jobs[0]

    def make() -> Strategy:
        taken.append([])
        return recorded(job.make(), taken[-1].append)

    backtest = Backtest(replace(plan, jobs=(replace(job, make=make),)))
    async for _ in backtest.run():
        pass
    # A second pass, with the worst order in doubtful bars, has a strategy of its own.
    return taken[0]


def recorded(strategy: Strategy, note: Callable[[Decision], object]) -> Strategy:
    """Return `strategy` with each of its answers noted; what it raises is noted and passes."""
    ask = strategy.get_signal

    def get_signal(view: View) -> Answer | Awaitable[Answer]:
        now_ms, answer = view.now_ms, RAISED
        try:
            returned = ask(view)
            if isawaitable(returned):
                answer = ""
                return awaited(returned, now_ms)
            answer = answer_text(returned)
            return returned
        finally:
            if answer:
                note(Decision(now_ms, _or_raised(answer)))

    async def awaited(returned: Awaitable[Answer], now_ms: int) -> Answer:
        answer = RAISED
        try:
            value = await returned
            answer = answer_text(value)
            return value
        finally:
            note(Decision(now_ms, _or_raised(answer)))

    strategy.__dict__["get_signal"] = get_signal
    return strategy


def _or_raised(answer: str) -> str:
    """Return `answer`, or what is being raised in its place."""
    kind = sys.exc_info()[0]
    return f"raised {kind.__name__}" if answer == RAISED and kind is not None else answer


def answer_text(answer: object) -> str:
    """Return what tells `answer` from another one; nonsense is told by its kind alone."""
    match answer:
        case None:
            return NOTHING
        case Signal():
            named: Mapping[object, object] = {
                name: getattr(answer, name) for name in Signal.__dataclass_fields__
            }
        case Mapping():
            named = answer
        case _:
            return f"{NONSENSE} {class_name(answer)}"
    return ", ".join(
        f"{name}={value!r}"
        for name, value in sorted(named.items(), key=lambda pair: str(pair[0]))
        if value is not None
    )


def first_change(
    before: Sequence[Decision], after: Sequence[Decision], until_ms: int
) -> Change | None:
    """Return the first decision up to `until_ms` that is not the same in both, or None."""
    one = [decision for decision in before if decision.at_ms <= until_ms]
    two = [decision for decision in after if decision.at_ms <= until_ms]
    for old, new in zip(one, two, strict=False):
        if old != new:
            at_ms = min(old.at_ms, new.at_ms)
            return Change(
                at_ms=at_ms,
                before=old.answer if old.at_ms == at_ms else NOT_ASKED,
                after=new.answer if new.at_ms == at_ms else NOT_ASKED,
            )
    if len(one) == len(two):
        return None
    longer = max(one, two, key=len)
    left = longer[min(len(one), len(two))]
    told = (left.answer, NOT_ASKED) if longer is one else (NOT_ASKED, left.answer)
    return Change(at_ms=left.at_ms, before=told[0], after=told[1])


NOT_ASKED = "was not asked"


def cuts_of(decisions: Sequence[Decision], count: int) -> list[int]:
    """Return about `count` moments (UTC epoch ms) after which to change the future, ascending.

    Two thirds of them are moments of signals, where most is at stake, the others of silence;
    both spread over the run.
    """
    signals = [decision.at_ms for decision in decisions if decision.is_signal]
    silent = [decision.at_ms for decision in decisions if not decision.is_signal]
    share = min(len(signals), max(count - len(silent), -(-count * 2 // 3)))
    return sorted({*_spread(signals, share), *_spread(silent, count - share)})


def _spread(moments: Sequence[int], count: int) -> list[int]:
    count = min(count, len(moments))
    return [moments[number * len(moments) // count] for number in range(count)]
