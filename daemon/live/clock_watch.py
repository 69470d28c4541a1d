"""Watches market time: the machine's clock may be set, stand still, or be wrong from the start.

No step of a clock may end a position. Whatever happens to time, no price decides until the
exchange has confirmed it, and the exchange's own time has the last word about what time it is.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from daemon.core.errors import RejectedError, TransientError
from daemon.ports import CheckedClock, MarketData, Meter

LOOK_EVERY_S = 1.0
LATE_S = 3.0
"""A look that comes so late means that nothing ran here: stopped, paused, starved."""

ASK_EVERY_S = 300.0
ASK_AGAIN_S = 10.0
UNSURE_MS_MAX = 5_000.0


@dataclass(frozen=True, slots=True)
class Skew:
    """How far the exchange's time is ahead of ours, give or take half the round trip (ms)."""

    ahead_ms: float
    unsure_ms: float

    def is_within(self, limit_ms: float) -> bool:
        """Say whether both times may be as near to each other as `limit_ms`."""
        return abs(self.ahead_ms) <= limit_ms + self.unsure_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Whom to tell: `doubt` lets every price wait to be confirmed, `report` reaches a person."""

    doubt: Callable[[str], None]
    report: Callable[[str], None]
    meter: Meter


class ClockWatch:
    """Call `agree` once the exchange can be reached, and `run` for as long as the daemon does."""

    def __init__(
        self, clock: CheckedClock, data: MarketData, alarm: Alarm, *, skew_ms_max: int
    ) -> None:
        self._clock = clock
        self._data = data
        self._alarm = alarm
        self._skew_ms_max = skew_ms_max
        self._loop = asyncio.get_running_loop()
        self._must_ask = asyncio.Event()
        self.ahead_s = 0.0
        """How far the exchange's time was ahead of ours at the last comparison."""

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_looking(), name="clock looks")
            group.create_task(self._keep_agreeing(), name="clock questions")

    async def agree(self) -> bool:
        """Compare our time with the exchange's and follow the exchange; say whether it is known.

        An exchange that does not tell its time is judged by its candles, which are not believed
        where they lie in our future and decide nothing where they lie in our past.
        """
        try:
            skew = await self._measure()
            if skew.is_within(self._skew_ms_max):
                return skew.unsure_ms <= UNSURE_MS_MAX
            # One answer may be one server's mistake.
            again = await self._measure()
        except TransientError:
            return False
        except RejectedError:
            return True
        apart_ms = abs(again.ahead_ms - skew.ahead_ms)
        if apart_ms > self._skew_ms_max + skew.unsure_ms + again.unsure_ms:
            return False
        self._follow(round(again.ahead_ms))
        return True

    def look(self, late_s: float) -> None:
        """See what has happened to time since the last look, which came `late_s` too late."""
        told = self._clock.disturbance()
        if told:
            self._alarm.meter.count("clock_steps")
            self._alarm.report(f"{told}: no price decides until the exchange has confirmed it")
        elif late_s >= LATE_S:
            told = f"nothing ran for {late_s:.1f} s"  # the loop's own monitor reports that
        if told:
            self._alarm.doubt(f"{told}: waiting for the exchange to confirm the price")
            self._must_ask.set()

    async def _keep_looking(self) -> None:
        while True:
            due_s = self._loop.time() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            self.look(self._loop.time() - due_s)

    async def _keep_agreeing(self) -> None:
        wait_s = ASK_EVERY_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._must_ask.wait()
            self._must_ask.clear()
            wait_s = ASK_EVERY_S if await self.agree() else ASK_AGAIN_S

    async def _measure(self) -> Skew:
        asked_ms = self._clock.now_ms()
        told_ms = await self._data.server_time_ms()
        unsure_ms = (self._clock.now_ms() - asked_ms) / 2.0
        skew = Skew(told_ms - asked_ms - unsure_ms, unsure_ms)
        self.ahead_s = skew.ahead_ms / 1000.0
        return skew

    def _follow(self, ahead_ms: int) -> None:
        self._clock.correct(ahead_ms)
        self._alarm.meter.count("clock_steps")
        side = "behind" if ahead_ms > 0 else "ahead of"
        told = f"the machine's time was {abs(ahead_ms) / 1000.0:.1f} s {side} the exchange's"
        self._alarm.report(f"{told}, which counts from now on: let NTP set this machine's clock")
        self._alarm.doubt(f"{told}: waiting for the exchange to confirm the price")
