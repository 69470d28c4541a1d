"""What each strategy holds: memory that hangs on it, and tasks that it has started.

Looked at once a minute, each strategy in its turn; a growth is told once for each doubling.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import log2

from daemon.core.guard import Returned
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.live.ownership import foreign_task_name, title_of
from daemon.live.status import Slot
from daemon.live.weighing import Weight, weigh
from daemon.live.workers import Workers
from daemon.ports import StrategyHolding

TURN_S = 60.0
WEIGHING_S_MAX = 10.0

TOLD_BYTES = 64 * 1024 * 1024
"""What holds less is nobody's worry; from there on each doubling is told."""

Report = Callable[[Key, str], None]


class HoldingsWatch:
    """`holdings` is what each strategy held when it was last looked at."""

    def __init__(
        self, slots: Callable[[], Iterable[Slot]], workers: Workers, report: Report
    ) -> None:
        self._slots = slots
        self._workers = workers
        self._report = report
        self._by_name: dict[str, StrategyHolding] = {}
        self._told: dict[str, int] = {}

    @property
    def holdings(self) -> tuple[StrategyHolding, ...]:
        """Return them in the order of the configuration."""
        return tuple(self._by_name.values())

    async def run(self) -> None:
        """Look at one strategy after the other until cancelled."""
        while True:
            by_name = self._strategies()
            for gone in self._by_name.keys() - by_name.keys():
                del self._by_name[gone]
            for name, slots in by_name.items():
                await asyncio.sleep(TURN_S / len(by_name))
                await self.look(name, slots)
            if not by_name:
                await asyncio.sleep(TURN_S)

    async def look(self, name: str, slots: Sequence[Slot]) -> None:
        """Find out what the tasks of one strategy hold together."""
        made = [slot.runner.strategy for slot in slots if slot.runner is not None]
        theirs = {foreign_task_name(str(slot.key)) for slot in slots}
        before = self._by_name.get(name) or StrategyHolding(name=name, memory_bytes=0, tasks=0)
        holding = replace(
            before, tasks=sum(title_of(task) in theirs for task in asyncio.all_tasks())
        )
        outcome = await self._workers.call(partial(_weigh, made), timeout_s=WEIGHING_S_MAX)
        if isinstance(outcome, Returned) and isinstance(outcome.value, Weight):
            holding = replace(holding, memory_bytes=outcome.value.total_bytes)
            self._tell(slots[0].key, outcome.value)
        self._by_name[name] = holding

    def _strategies(self) -> dict[str, list[Slot]]:
        by_name: dict[str, list[Slot]] = {}
        for slot in self._slots():
            by_name.setdefault(slot.key.strategy_name, []).append(slot)
        return by_name

    def _tell(self, key: Key, weight: Weight) -> None:
        doublings = int(log2(max(1.0, weight.total_bytes / TOLD_BYTES))) + 1
        level = doublings if weight.total_bytes >= TOLD_BYTES else 0
        if level > self._told.get(key.strategy_name, 0):
            mebibytes = weight.total_bytes // 1024 // 1024
            most = weight.largest_bytes // 1024 // 1024
            self._report(
                key,
                f"it holds about {mebibytes} MiB, {most} of them by {weight.largest}: does it"
                " let go of what it needs no more?",
            )
        self._told[key.strategy_name] = level


def _weigh(made: Sequence[Strategy]) -> Weight:
    return weigh(_roots(made))


def _roots(made: Sequence[Strategy]) -> Iterator[tuple[str, object]]:
    """Yield whatever a strategy can keep something on, each with its name in the code."""
    for strategy in made:
        yield from ((f"self.{name}", value) for name, value in _kept(strategy))
    kinds = {kind for strategy in made for kind in type(strategy).__mro__}
    own = sorted(kinds - {*Strategy.__mro__}, key=lambda kind: kind.__qualname__)
    for kind in own:
        yield from ((f"{kind.__name__}.{name}", value) for name, value in _kept(kind))
    for module in dict.fromkeys(kind.__module__ for kind in own):
        yield from _kept(sys.modules.get(module))


def _kept(owner: object) -> list[tuple[str, object]]:
    kept: object = getattr(owner, "__dict__", {})
    items = list(kept.items()) if hasattr(kept, "items") else []
    return [(name, value) for name, value in items if not name.startswith("__")]
