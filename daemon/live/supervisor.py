"""The supervisor: one task per (symbol, strategy), started, watched, restarted, stopped.

A fault stops the smallest thing. A task that dies is started again with growing pauses; what
can no longer be helped ends the whole daemon at once and loudly, never silently in part.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from daemon.core.commands import CommandName
from daemon.core.errors import FatalError, RejectedError
from daemon.core.events import Announcement, DoneContract
from daemon.core.records import StopEntry
from daemon.core.signal import Key
from daemon.live.adopting import adopted
from daemon.live.command_effect import CommandEffect, apply_command
from daemon.live.following import follow_market
from daemon.live.gaps import watch_gaps
from daemon.live.health import backoff_s
from daemon.live.keeper import Keeper, Ledger
from daemon.live.loop_monitor import BEAT_S
from daemon.live.recovery import Recovered
from daemon.live.runner import Runner
from daemon.live.runner_start import RunnerParts, make_runner
from daemon.live.shutdown import shut_down, telling_exit
from daemon.live.staff import Plan, Staff
from daemon.live.status import Slot, status_of
from daemon.ports import TaskStatus

if TYPE_CHECKING:
    from daemon.live.feed import MarketFeed

RETIRING_S = 2.0
"""So long a task that is taken off the list may take over the step that is under way."""

Result = TypeVar("Result")


class Supervisor:
    """Runs the plans until `stop` is called or something ends the daemon. Call `run` once.

    With `resumes` set before, a strategy that a person had stopped starts again. With `stays` it
    runs on when every task was stopped, for they may be started again. `beat_s` is the loop's time
    of its last look at its tasks; `ending` is set once the stop has begun.
    """

    def __init__(self, plans: Sequence[Plan], staff: Staff) -> None:
        self.slots: dict[Key, Slot] = {plan.key: Slot(key=plan.key) for plan in plans}
        self.orphans: tuple[Key, ...] = ()
        self.feed: MarketFeed | None = None
        self.has_recovered = asyncio.Event()
        self.resumes = False
        self.stays = False
        self.keepers: dict[Key, Keeper] = {}
        self._plans = {plan.key: plan for plan in plans}
        self._staff = staff
        self._crew = staff.crew
        self._loop = asyncio.get_running_loop()
        self.beat_s = self._loop.time()
        self.ending = asyncio.Event()
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._ledger: Ledger | None = None
        self._steps: set[asyncio.Task[object]] = set()

    async def run(self) -> None:
        """Recover, run every task, and wind up. Raises FatalError, StateLockedError."""
        async with asyncio.TaskGroup() as services:
            background = [
                services.create_task(self._crew.fanout.run(), name="fanout"),
                services.create_task(self._crew.troubles.run(), name="troubles"),
                services.create_task(self._staff.monitor.run(), name="loop-monitor"),
            ]
            try:
                async with telling_exit(self._staff):
                    await self._work()
            finally:
                for task in background:
                    task.cancel()

    def stop(self) -> None:
        """Begin the graceful stop: steps under way are finished, nothing new begins."""
        self.ending.set()
        for slot in self.slots.values():
            if slot.runner is not None:
                slot.runner.end()

    async def command(self, key: Key, name: CommandName, signal_id: str = "") -> CommandEffect:
        """Do what a person commands of one task; return when it is on disk.

        Raises KeyError for an unknown key, RejectedError where the task cannot do it now.
        """
        await self.has_recovered.wait()
        effect = await apply_command(self.slots[key], self.keepers[key], name, signal_id)
        if name == "start" and self._crew.hang_guard.is_refused(key):
            await self.end_task(key)
            await self.start_task(replace(self._plans[key], fault=""))
            return CommandEffect(is_news=True)
        if name == "start":
            self._begin_again(self.slots[key])
        return effect

    def spawn(self, work: Coroutine[object, object, Result]) -> "asyncio.Task[Result]":
        """Carry work to its end though who asked for it may be cancelled. Only while it runs."""
        assert self._group is not None, "only what runs has steps"
        task = self._group.create_task(work)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        return task

    def run_command(self, work: Coroutine[object, object, Result]) -> "asyncio.Task[Result | None]":
        """Do what a person asked for. A fault of it is told, costs nothing else, and gives None.

        Raises RejectedError where nothing runs, or no longer.
        """
        if self._group is None or self.ending.is_set():
            work.close()
            raise RejectedError("the daemon is starting" if not self._group else "it is stopping")
        return self.spawn(self._contained(work))

    async def _contained(self, work: Coroutine[object, object, Result]) -> Result | None:
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - a command that fails must not end the daemon
            nobody = Key(exchange_name="", symbol="", strategy_name="")
            self._crew.troubles.report("control", nobody, error)
            return None

    async def start_task(self, plan: Plan) -> None:
        """Start a task while others run, or one that was ended, whatever it did before."""
        await self._crew.hang_guard.forget(plan.key)
        kept = await self._staff.recovery.wait_for_init(plan.key)
        recovered = await self._staff.recovery.recovered()
        assert self.feed is not None
        self._plans[plan.key] = plan
        self.slots[plan.key] = Slot(key=plan.key)
        others = tuple(key for key in self.orphans if key != plan.key)
        self.orphans = (*others, plan.key) if plan.is_leaving else others
        self.feed.add(plan.key.symbol)
        keeper = self._keep(plan.key, plan.risk_names, recovered)
        if not kept.block:
            keeper.reassign(self._staff.desk_of(plan.key, plan.risk_names))
        self._begin(plan)

    async def end_task(self, key: Key) -> None:
        """End the task of `key` after its step. What it holds is kept, and watched by nobody."""
        slot, task = self.slots[key], self._tasks[key]
        slot.is_retiring = True
        runs = slot.runner is not None and slot.runner.is_running
        if slot.runner is not None:
            slot.runner.end()
        if not task.done():
            await asyncio.wait({task}, timeout=RETIRING_S if runs else 0.0)
            # A strategy that thinks: its answer is wanted no more, and a step goes on by itself.
            task.cancel()
            await asyncio.wait({task})

    def forget_task(self, key: Key) -> None:
        """Forget a task that has ended and holds nothing."""
        del self._plans[key], self.slots[key], self._tasks[key]
        self.orphans = tuple(other for other in self.orphans if other != key)
        if self.feed is not None and all(key.symbol != other.symbol for other in self._plans):
            self.feed.drop(key.symbol)

    def snapshot(self) -> tuple[TaskStatus, ...]:
        """Return how every task stands."""
        now_s = self._loop.time()
        return tuple(status_of(slot, now_s) for slot in self.slots.values())

    @property
    def flat_minutes(self) -> int:
        """Return how many minutes without a trade were filled flat since the start."""
        return 0 if self.feed is None else self.feed.filled_count

    async def _work(self) -> None:
        recovered = await self._staff.recovery.recovered()
        self._adopt(recovered)
        for pump in self._staff.alerts:
            # Before anything can happen: a crash could make a new sink forget what came first.
            await pump.open()
        await self._staff.journal.append((self._staff.run_entry,))
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._ledger = self._make_ledger()
            for key in {**recovered.keys, **self._plans}:
                names = self._plans[key].risk_names if key in self._plans else ()
                self._keep(key, names, recovered)
            for kept in recovered.keys.values():
                self._staff.followers.mark(kept.held)
            self.feed = self._staff.make_feed(sorted({key.symbol for key in self._plans}))
            services = [
                group.create_task(follow_market(self.feed, self._staff.connect), name="feed"),
                group.create_task(self._staff.followers.run(), name="followers"),
                group.create_task(self._staff.minutes.run(), name="minutes"),
                group.create_task(
                    watch_gaps(recovered, self.keepers, self.feed, self._staff.rules, self._crew),
                    name="gaps",
                ),
            ]
            for pump in self._staff.alerts:
                group.create_task(pump.run(), name=pump.name)
            for plan in self._plans.values():
                self._begin(plan)
            self.has_recovered.set()
            await self._until_over()
            await self._shut_down(services)

    def _make_ledger(self) -> Ledger:
        crew = self._crew
        return Ledger(
            store=self._staff.store,
            journal=self._staff.journal,
            announce=self._announce,
            health=crew.health,
            troubles=crew.troubles,
            timings=crew.timings,
            spawn=self.spawn,
            has_changed=self._staff.followers.mark,
        )

    def _announce(self, events: Sequence[Announcement]) -> None:
        self._crew.fanout.announce(events)
        for pump in self._staff.alerts:
            pump.notify()

    def _adopt(self, recovered: Recovered) -> None:
        self.orphans = recovered.orphans
        self._plans = adopted(self._plans, recovered, self._crew)
        self.slots |= {key: Slot(key=key) for key in recovered.orphans}

    def _keep(self, key: Key, risk_names: tuple[str, ...], recovered: Recovered) -> Keeper:
        if key not in self.keepers:
            assert self._ledger is not None
            kept = recovered.of(key)
            self.keepers[key] = Keeper(
                replace(kept.held, risk_names=risk_names or kept.held.risk_names),
                self._staff.desk_of(key, risk_names),
                self._ledger,
                is_schedule_stale=kept.is_schedule_stale,
            )
        return self.keepers[key]

    def _begin(self, plan: Plan) -> None:
        """Start the task of a plan; where it had ended before, it starts anew."""
        assert self._group is not None
        self._tasks[plan.key] = self._group.create_task(self._supervise(plan), name=str(plan.key))

    def _begin_again(self, slot: Slot) -> None:
        if self.ending.is_set():
            raise RejectedError(f"the daemon is stopping: {slot.key} starts with its next run")
        if slot.condition == "stopped":
            slot.condition = "starting"
            self._begin(self._plans[slot.key])

    async def _supervise(self, plan: Plan) -> None:
        """Run one task, again after each failure, until it ends by itself or the daemon stops."""
        slot = self.slots[plan.key]
        failures = 0
        while not (self.ending.is_set() or slot.is_retiring):
            started_s = self._loop.time()
            try:
                runner = await self._make_runner(plan, slot)
                await runner.run()
            except Exception as error:  # noqa: BLE001 - whatever ends a task ends no other
                self._crew.troubles.report("task", plan.key, error)
                slot.reason = f"failed: {error}"
            else:
                self._finished(slot)
                return
            is_steady = self._loop.time() - started_s > self._staff.endurance.steady_s
            failures = 1 if is_steady else failures + 1
            await self._pause(slot, failures)

    async def _pause(self, slot: Slot, failures: int) -> None:
        endurance = self._staff.endurance
        has_given_up = failures >= endurance.restarts_in_row_max
        slot.condition = "circuit_open" if has_given_up else "backing_off"
        slot.restarts += 1
        self._crew.meter.count("task_restarts")
        pause_s = endurance.pause_s_max if has_given_up else backoff_s(failures)
        try:
            async with asyncio.timeout(pause_s):
                await self.ending.wait()
        except TimeoutError:
            return

    async def _make_runner(self, plan: Plan, slot: Slot) -> Runner:
        """Return a runner with its memory recovered, watching only if its strategy is no good."""
        kept = await self._staff.recovery.wait_for_init(plan.key)
        recovered = await self._staff.recovery.recovered()
        keeper = self._keep(plan.key, plan.risk_names, recovered)
        if self.feed is None:
            raise FatalError("a task was started before the market feed")
        if self.resumes and keeper.held.is_stopped:
            await keeper.mark(is_stopped=False)
        parts = RunnerParts(
            slot=slot,
            keeper=keeper,
            desk=self._staff.desk_of(plan.key, plan.risk_names),
            feed=self.feed.of(plan.key.symbol),
            block=kept.block,
            fault=plan.fault,
            is_leaving=plan.is_leaving,
        )
        return await make_runner(plan.make, parts, self._crew, self.ending)

    def _finished(self, slot: Slot) -> None:
        if self.ending.is_set() or slot.is_retiring:
            return
        slot.condition = "stopped"
        if self._plans[slot.key].is_leaving:
            self.forget_task(slot.key)
        self._crew.fanout.announce(
            (
                DoneContract(
                    exchange_name=slot.key.exchange_name,
                    strategy_name=slot.key.strategy_name,
                    symbol=slot.key.symbol,
                    backtest=False,
                ),
            )
        )

    async def _until_over(self) -> None:
        """Wait for the stop, or until every task has ended by itself."""
        ending = self._loop.create_task(self.ending.wait())
        try:
            # Looked up each time: a task that had ended may have been started again.
            while not ending.done() and ((tasks := self._awaited()) or self.stays):
                await asyncio.wait({ending, *tasks}, timeout=BEAT_S, return_when="FIRST_COMPLETED")
                self.beat_s = self._loop.time()
        finally:
            ending.cancel()

    def _awaited(self) -> set[asyncio.Task[None]]:
        return set() if self.stays else {task for task in self._tasks.values() if not task.done()}

    async def _shut_down(self, services: Sequence["asyncio.Task[None]"]) -> None:
        """End in stages: the tasks finish their steps, then the feed, then what is in line."""
        self.stop()
        tasks = set(self._tasks.values())
        await shut_down(self._staff, tasks, self._steps, services, self._farewell)

    def _farewell(self) -> StopEntry:
        held = sum(task.state != "idle" for task in self.snapshot())
        return StopEntry(open_count=held, at_ms=self._crew.clock.now_ms())
