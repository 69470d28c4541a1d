"""Watches the event loop: how late it runs, and who holds it up.

A thread looks on while the loop cannot: it names the task whose code was running and the line it
was at, which the loop itself could only learn when it is over.
"""

import asyncio
import threading
from collections.abc import Callable

from daemon.live.containment import Containment, place_of_main_thread
from daemon.ports import Meter

BEAT_S = 0.3
"""Each beat wakes a process that might sleep: five a second were a tenth of what it costs."""


class LoopMonitor:
    """`lag_s` is the newest lag of the loop; `beat_s` the loop's time of its last sign of life."""

    def __init__(
        self,
        meter: Meter,
        containment: Containment,
        report: Callable[[str], None],
        threshold_s: float = 0.5,
    ) -> None:
        self.lag_s = 0.0
        self._meter = meter
        self._containment = containment
        self._report = report
        self._threshold_s = threshold_s
        self._loop = asyncio.get_running_loop()
        self.beat_s = self._loop.time()
        self._culprit = ""
        self._is_over = threading.Event()

    async def run(self) -> None:
        """Beat until cancelled."""
        watcher = threading.Thread(target=self._watch, name="tickd-loop-monitor", daemon=True)
        watcher.start()
        try:
            while True:
                await self.beat()
        finally:
            self._is_over.set()

    async def beat(self) -> None:
        """Sleep one beat, and measure by how much the loop overslept it."""
        due_s = self._loop.time() + BEAT_S
        await asyncio.sleep(BEAT_S)
        self.beat_s = self._loop.time()
        self._containment.marks.beat()
        self.lag_s = max(0.0, self.beat_s - due_s)
        self._meter.observe("loop_lag", self.lag_s)
        if self.lag_s >= self._threshold_s:
            culprit = self._culprit or "unknown"
            self._report(f"the event loop was held up for {self.lag_s:.2f} s by {culprit}")
        self._culprit = ""

    def _watch(self) -> None:
        """Look on whenever a beat is late by half the threshold: then somebody holds the loop."""
        patience_s = BEAT_S + self._threshold_s / 2
        wait_s = patience_s
        while not self._is_over.wait(wait_s):
            silent_s = self._loop.time() - self.beat_s
            if silent_s >= patience_s and not self._culprit:
                holder = self._containment.holder or "the daemon itself"
                self._culprit = f"{holder} at {place_of_main_thread()}"
            wait_s = patience_s - silent_s if silent_s < patience_s else self._threshold_s / 2
