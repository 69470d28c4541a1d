"""A person's hand on the running daemon: commands, what came of them, and the trail they leave.

Every command is journaled with who gave it, before anything is done and with what came of it
before it is answered. Given twice, the second does nothing and says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TypeVar

from daemon.core.commands import (
    Caller,
    CommandName,
    CommandResult,
    Outcome,
    ReloadResult,
    Target,
    keys_of,
    printable,
    words_of,
)
from daemon.core.errors import RejectedError, TransientError
from daemon.core.events import SignalCancelled, SignalClosed
from daemon.core.records import ASKED, CommandEntry
from daemon.core.signal import Key
from daemon.core.states import Active, Idle, Scheduled, State, row_of
from daemon.live.command_effect import CommandEffect
from daemon.live.supervisor import Supervisor
from daemon.ports import Clock, Journal

COMMAND_S_MAX = 8.0
"""A command that takes longer is answered as pending, and goes on."""
IDENTITY_LENGTH_MAX = 80

Tell = Callable[[CommandEntry], None]
Reload = Callable[[bool | None], Awaitable[ReloadResult]]
Result = TypeVar("Result")


class LiveControl:
    """The control port over a supervisor. `tell` writes a line of the log, `reload` reloads."""

    def __init__(
        self,
        supervisor: Supervisor,
        clock: Clock,
        journal: Journal,
        *,
        tell: Tell,
        reload: Reload | None = None,
    ) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._journal = journal
        self._tell = tell
        self._reload = reload

    async def command(
        self, name: CommandName, target: Target, caller: Caller
    ) -> tuple[CommandResult, ...]:
        """Do it to every task that fits. Raises UnknownTargetError where none does."""
        try:
            keys = self._keys_of(target)
        except RejectedError as error:
            self._tell(self._entry(name, words_of(target), caller, f"refused: {error}"))
            raise
        done = await self._carry(self._perform(name, target, keys, caller))
        if done is not None:
            return done
        message = f"not done within {COMMAND_S_MAX:.0f} s; it goes on: see the log for its end"
        return tuple(_result(key, "pending", message) for key in keys)

    async def reload(self, caller: Caller, *, drains: bool | None = None) -> ReloadResult:
        """Take the configuration anew, or say why not."""
        done = await self._carry(self._perform_reload(caller, drains=drains))
        message = f"not done within {COMMAND_S_MAX:.0f} s; it goes on: see the log for its end"
        return done or ReloadResult(outcome="pending", message=message)

    async def _carry(self, work: Coroutine[object, object, Result]) -> Result | None:
        """Carry `work` to its end, whoever stops waiting for it; None: it takes long.

        Raises RejectedError where it failed, or nothing runs.
        """
        task = self._supervisor.run_command(work)
        await asyncio.wait({task}, timeout=COMMAND_S_MAX)
        if not task.done():
            return None
        result = None if task.cancelled() else task.result()
        if result is None:
            raise RejectedError("it failed: the log says why")
        return result

    async def _perform(
        self, name: CommandName, target: Target, keys: Sequence[Key], caller: Caller
    ) -> tuple[CommandResult, ...]:
        words = words_of(target)
        await self._note(name, words, caller, ASKED)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._do(name, key, target.signal_id)) for key in keys]
        results = tuple(task.result() for task in tasks)
        await self._note(name, words, caller, _summary(results))
        return results

    async def _perform_reload(self, caller: Caller, *, drains: bool | None) -> ReloadResult:
        await self._note("reload", "configuration", caller, ASKED)
        if self._reload is None:
            result = ReloadResult(outcome="refused", message="this daemon was given no file")
        else:
            result = await self._reload(drains)
        await self._note("reload", "configuration", caller, f"{result.outcome}: {result.message}")
        return result

    async def _do(self, name: CommandName, key: Key, signal_id: str) -> CommandResult:
        before = self._supervisor.keepers[key].held.state
        row = row_of(before)
        seen_id = signal_id or ("" if row is None else row.id)
        idle = _without_signal(name, before)
        if idle:
            return _result(key, "nothing", idle)
        try:
            effect = await self._supervisor.command(key, name, seen_id)
        except RejectedError as error:
            return _result(key, "refused", str(error), seen_id)
        outcome, message = self._told(name, key, effect)
        return _result(key, outcome, message, seen_id)

    def _told(self, name: CommandName, key: Key, effect: CommandEffect) -> tuple[Outcome, str]:
        if name in ("close", "cancel"):
            ended = _end_of(effect)
            if ended:
                return "done", ended
            return "nothing", "the signal had ended by itself before"
        held = self._supervisor.keepers[key].held
        state = _state_words(held.state)
        match name:
            case "pause":
                message = f"paused: it opens nothing new{state}"
            case "resume":
                message = "goes on" if not held.is_stopped else "goes on once it is started"
            case "stop":
                ended = _end_of(effect)
                message = f"stopped: it opens nothing new{f'; {ended}' if ended else state}"
            case _:
                message = "started" if not held.is_paused else "started, and still paused"
        if effect.is_news:
            return "done", message
        return "already", f"{_ALREADY[name]}; nothing was changed"

    async def _note(self, command: str, target: str, caller: Caller, result: str) -> None:
        """Leave a line in the log and in the journal; a full disk keeps nobody from a command."""
        entry = self._entry(command, target, caller, result)
        self._tell(entry)
        try:
            await self._journal.append((entry,))
        except TransientError:
            return  # the log has it, and whoever watches the disk was told already

    def _entry(self, command: str, target: str, caller: Caller, result: str) -> CommandEntry:
        return CommandEntry(
            command=command,
            target=target,
            origin=caller.origin,
            identity=printable(caller.identity)[:IDENTITY_LENGTH_MAX],
            result=printable(result),
            at_ms=self._clock.now_ms(),
        )

    def _keys_of(self, target: Target) -> tuple[Key, ...]:
        """Return every task that fits. Raises UnknownTargetError."""
        keepers = self._supervisor.keepers
        if not keepers:
            raise RejectedError("the daemon is still recovering: try again in a moment")
        states = {key: keepers[key].held.state for key in self._supervisor.slots if key in keepers}
        return keys_of(target, {key: row_of(state) for key, state in states.items()})


_ALREADY: Mapping[CommandName, str] = {
    "pause": "already paused",
    "resume": "not paused",
    "stop": "already stopped",
    "start": "not stopped",
}


def _result(key: Key, outcome: Outcome, message: str, signal_id: str = "") -> CommandResult:
    return CommandResult(
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        outcome=outcome,
        message=message,
        signal_id=signal_id,
    )


def _without_signal(name: CommandName, state: State) -> str:
    """Say why there is nothing to close or cancel, "" where there is."""
    if name == "close" and not isinstance(state, Active):
        has_waiting = isinstance(state, Scheduled)
        return "no open signal" + ("; the waiting one can be cancelled" if has_waiting else "")
    if name == "cancel" and not isinstance(state, Scheduled):
        has_open = isinstance(state, Active)
        return "no waiting signal" + ("; the open one can be closed" if has_open else "")
    return ""


def _end_of(effect: CommandEffect) -> str:
    events = () if effect.after is None else effect.after.events
    for event in events:
        if isinstance(event, SignalClosed):
            gain = f"{event.pnl.pnl_percentage:+.2f} % after costs"
            return f"closed the {event.signal.position} at {event.current_price:.8g} ({gain})"
        if isinstance(event, SignalCancelled):
            return f"cancelled the {event.signal.position} that waited for its entry"
    return ""


def _state_words(state: State) -> str:
    match state:
        case Idle():
            return ""
        case Scheduled():
            return "; the waiting signal is dropped if its entry is reached"
        case _:
            return f"; the open {state.signal.position} is watched to its end"


def _summary(results: Sequence[CommandResult]) -> str:
    if len(results) == 1:
        return f"{results[0].outcome}: {results[0].message}"
    counts: dict[str, int] = {}
    for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
