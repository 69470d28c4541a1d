"""Makes the runner of a (symbol, strategy): its strategy is made, however long that takes.

An author's `__init__` may load a model or read a file. It runs in a worker thread, holds up no
other task, and has as long as an answer of `get_signal` has; what is open is watched meanwhile.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from daemon.core.guard import Raised, describe
from daemon.core.states import Idle
from daemon.core.strategy import Strategy
from daemon.core.trader import Desk
from daemon.live.caretaker import Caretaker
from daemon.live.crew import Crew
from daemon.live.keeper import Keeper
from daemon.live.runner import Runner
from daemon.live.status import Slot
from daemon.live.symbol_feed import SymbolFeed
from daemon.live.workers import LeakedThreadError

PATIENCE_S = 1.0
"""So long what is open may do without being watched while its strategy is being made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerParts:
    """What a runner of one (symbol, strategy) works with, whoever its strategy is."""

    slot: Slot
    keeper: Keeper
    desk: Desk
    feed: SymbolFeed
    block: str
    fault: str = ""
    is_leaving: bool = False

    def runner_of(self, strategy: Strategy, crew: Crew) -> Runner:
        """Return the runner of `strategy`, in its slot and not running yet."""
        runner = Runner(strategy, self.feed, self.keeper, self.desk, crew)
        runner.block = self.block
        runner.is_leaving = self.is_leaving
        runner.opens_nothing = bool(self.fault)
        self.slot.runner = runner
        return runner


async def make_runner(
    make: Callable[[], Strategy], parts: RunnerParts, crew: Crew, ending: asyncio.Event
) -> Runner:
    """Return the runner of a task, watching only if its strategy is no good."""
    slot = parts.slot
    if parts.fault:
        slot.condition, slot.reason = "off", parts.fault
        return parts.runner_of(Caretaker(), crew)
    slot.condition, slot.reason = "starting", "its strategy is being made"
    made = await _made(make, parts, crew, ending)
    slot.condition, slot.reason = "running", ""
    if isinstance(made, Raised):
        crew.troubles.report("strategy", slot.key, made)
        slot.condition, slot.reason = "off", f"the strategy cannot be made: {made.message}"
    runner = parts.runner_of(made if isinstance(made, Strategy) else Caretaker(), crew)
    if ending.is_set():
        runner.end()
    return runner


async def _made(
    make: Callable[[], Strategy], parts: RunnerParts, crew: Crew, ending: asyncio.Event
) -> Strategy | Raised | None:
    """Return the strategy, or what its making raised, or None where the daemon ends meanwhile."""
    loop = asyncio.get_running_loop()
    making = loop.create_task(crew.containment.make(str(parts.slot.key), make), name="making")
    over = loop.create_task(ending.wait(), name="ending")
    try:
        await asyncio.wait({making, over}, timeout=PATIENCE_S, return_when="FIRST_COMPLETED")
        is_late = not making.done() and not over.done()
        if is_late and not isinstance(parts.keeper.held.state, Idle):
            watching = parts.runner_of(Caretaker(), crew)
            making.add_done_callback(lambda _: watching.end())
            await watching.run()
        await asyncio.wait({making, over}, return_when="FIRST_COMPLETED")
        if not making.done():
            return None
    finally:
        over.cancel()
        making.cancel()
    outcome = making.result()
    return _told(outcome) if isinstance(outcome, Raised) else outcome.value


def _told(raised: Raised) -> Raised:
    """Say what did not come back: a lost thread does not know."""
    if not isinstance(raised.cause, LeakedThreadError):
        return raised
    told = f"its __init__ gave {raised.message} (rules.max_signal_generation_seconds)"
    return describe(TimeoutError(told))
