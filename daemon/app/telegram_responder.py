"""Answers the commands of a chat: from the status, from the journal, and through the control.

The figures are those of `tickd status` and `tickd report`, made by the same code.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from daemon.adapters.sinks.telegram.commands import Request
from daemon.adapters.storage.journal_tools import read_closes
from daemon.app import telegram_words as words_for
from daemon.core.alert_words import Words, short_words_of
from daemon.core.alerts import alerts_of
from daemon.core.commands import Caller, CommandName, CommandResult, Target
from daemon.core.errors import RejectedError
from daemon.core.events import SignalClosed
from daemon.ports import Control, DaemonStatus, Journal, Status, TaskStatus

COUNT = 10
COUNT_MAX = 50
DAYS = 7
DAYS_MAX = 90
NEEDS_TARGET = frozenset({"stop", "start", "close", "cancel"})
EVERYTHING = "all"
LOG_SPAN = 2000
"""How many of the newest journal entries, candles among them, are looked through for a log."""


class TelegramResponder:
    """Serves a daemon. `folder` is its state folder, `strangers` counts whom nobody answered."""

    def __init__(
        self,
        status: Status,
        control: Control,
        journal: Journal,
        folder: Path,
        strangers: Callable[[], int] = lambda: 0,
    ) -> None:
        self._status = status
        self._control = control
        self._journal = journal
        self._folder = folder
        self.strangers = strangers

    async def answer(self, request: Request) -> Words:
        """Answer a question. Raises RejectedError for arguments that are no good, FatalError."""
        status = self._status.snapshot()
        match request.command.name:
            case "status":
                return words_for.status_words(status)
            case "positions":
                return words_for.positions_words(status)
            case "health":
                return words_for.health_words(status, self.strangers())
            case "version":
                return words_for.version_words(status)
            case "logs":
                return await self._logs(_count(request, COUNT, COUNT_MAX))
            case name:
                return await self._figures(name, request, status)

    async def preview(self, request: Request) -> Words:
        """Say what a change would do. Raises RejectedError where it cannot be done."""
        name = request.command.name
        if name == "reload":
            return Words("Take the configuration anew?")
        tasks = self._tasks_of(request)
        if name in ("close", "cancel"):
            wanted = "active" if name == "close" else "scheduled"
            tasks = [task for task in tasks if task.state == wanted]
            if not tasks:
                what = "no position is open" if name == "close" else "no signal waits"
                raise RejectedError(f"{what} there")
        return words_for.preview_words(name, tasks)

    async def carry_out(self, request: Request) -> Words:
        """Do it through the control, which leaves its trail. Raises RejectedError."""
        caller = Caller(origin="telegram", identity=request.identity)
        name = request.command.name
        if name == "reload":
            result = await self._control.reload(caller)
            return Words(f"{request.text}: {result.outcome}", (result.message,))
        target = self._target_of(request)
        results: Sequence[CommandResult] = await self._control.command(
            _command_of(name), target, caller
        )
        if name in ("close", "cancel"):
            results = [one for one in results if one.outcome != "nothing"] or results
        return words_for.results_words(request.text, results)

    async def _figures(self, name: str, request: Request, status: DaemonStatus) -> Words:
        count = _count(request, DAYS if name == "daily" else COUNT, DAYS_MAX)
        closes = await asyncio.to_thread(self._closes)
        match name:
            case "profit":
                return words_for.profit_words(closes)
            case "daily":
                return words_for.daily_words(closes, status.market_time_ms, count)
            case "performance":
                return words_for.performance_words(closes)
            case "trades":
                return words_for.trades_words(closes[-min(count, COUNT_MAX) :])
            case _:
                raise RejectedError(f"nobody here knows /{name}")

    def _closes(self) -> list[SignalClosed]:
        return list(read_closes(self._folder, until=self._journal.last_number))

    async def _logs(self, count: int) -> Words:
        last = self._journal.last_number
        entries = await self._journal.read(max(0, last - LOG_SPAN), LOG_SPAN)
        lines = [short_words_of(alert) for entry in entries for alert in alerts_of(entry)]
        return Words("The newest events", tuple(lines[-count:]) or ("nothing happened lately",))

    def _tasks_of(self, request: Request) -> list[TaskStatus]:
        target = self._target_of(request)
        tasks = [task for task in self._status.snapshot().tasks if _fits(task, target)]
        if not tasks:
            raise RejectedError(f"there is no {' '.join(request.arguments)}: /positions, /status")
        return tasks

    def _target_of(self, request: Request) -> Target:
        """Return whom the arguments name. Raises RejectedError where a name is needed."""
        name, arguments = request.command.name, list(request.arguments)
        if not arguments and name in NEEDS_TARGET:
            raise RejectedError(f"say who: /{name} BTC/USDT, /{name} breakout, /{name} all")
        names = {task.strategy_name for task in self._status.snapshot().tasks}
        found: dict[str, str] = {}
        for word in arguments:
            if word.lower() == EVERYTHING:
                continue
            part = "symbol" if "/" in word else "strategy" if word in names else "signal"
            if part in found:
                raise RejectedError(f"{found[part]} and {word} at once: one at a time, or all")
            found[part] = word.upper() if part == "symbol" else word
        return Target(
            symbol=found.get("symbol", ""),
            strategy_name=found.get("strategy", ""),
            signal_id=found.get("signal", ""),
        )


def _fits(task: TaskStatus, target: Target) -> bool:
    return (
        target.symbol in ("", task.symbol)
        and target.strategy_name in ("", task.strategy_name)
        and target.signal_id in ("", task.signal_id)
    )


def _command_of(name: str) -> CommandName:
    match name:
        case "pause" | "resume" | "stop" | "start" | "close" | "cancel":
            return name
        case _:
            raise RejectedError(f"nobody here knows /{name}")


def _count(request: Request, default: int, count_max: int) -> int:
    if not request.arguments:
        return default
    word = request.arguments[0]
    if not (word.isascii() and word.isdigit()) or not 1 <= int(word) <= count_max:
        raise RejectedError(f"/{request.command.name} takes a number from 1 to {count_max}")
    return int(word)
