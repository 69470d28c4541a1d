"""`Live`: run registered strategies in real time from a program of your own.

The same supervisor, rules and recovery as `tickd run` has, on the same state folder. All runs of
a process share one daemon; a run that is added later restarts it, which costs what any restart
costs: nothing but a moment.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from daemon.app.config.load import load_config
from daemon.app.config.sections import ExchangeSection, HttpSection, StrategySection
from daemon.app.config.settings import Config
from daemon.app.defaults import get_config, get_default_config
from daemon.app.loading import Code
from daemon.app.outlets import open_voices
from daemon.app.registry import REGISTRY, ExchangeSchema
from daemon.app.service import open_daemon
from daemon.core.errors import TickdError, cause_of
from daemon.core.events import DoneContract, SignalCancelled, SignalClosed, SignalOpened, TickResult
from daemon.core.signal import Key

if TYPE_CHECKING:
    from daemon.app.wiring import Daemon

RunStatus = Literal["pending", "fulfilled", "rejected"]
Told = SignalOpened | SignalClosed | SignalCancelled
"""What a run yields: everything but idle, active and scheduled."""
StopRun = Callable[[], Awaitable[None]]


class LiveRunError(TickdError, RuntimeError):
    """A live run was asked for that cannot be: it runs already, or on another exchange."""


@dataclass(slots=True, kw_only=True)
class LiveRun:
    """One run: its task, how it fares, and when it is over."""

    key: Key
    status: RunStatus = "pending"
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None


class Live:
    """Starts, stops and lists live runs. All of it belongs on one event loop."""

    @staticmethod
    async def run(
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str = "sandbox",
        config: Config | None = None,
    ) -> AsyncGenerator[Told, None]:
        """Run until the strategy is stopped; yield what it opens, closes and cancels.

        `config` brings the settings of everything but the strategy; without it they are those of
        `config.toml` in the working directory, or the packaged ones. Raises UnknownNameError,
        LiveRunError, and whatever keeps the daemon from starting. Leaving it early
        (under `contextlib.aclosing`) ends the run as the end of a process would: all is kept, and
        recovered by the next run.
        """
        told: asyncio.Queue[Told | None] = asyncio.Queue()

        def hear(result: TickResult) -> None:
            is_ours = (result.symbol, result.strategy_name) == (symbol, strategy_name)
            if is_ours and isinstance(result, SignalOpened | SignalClosed | SignalCancelled):
                told.put_nowait(result)

        # Raises before anybody listens: nobody would end that. It starts at the loop's next turn.
        run = SHARED.start(symbol, strategy_name, exchange_name, config)
        unsubscribe = REGISTRY.subjects.signal_live.subscribe(hear)
        waiting = asyncio.get_running_loop().create_task(_tell_end(run, told))
        try:
            while (result := await told.get()) is not None:
                yield result
            if run.error is not None:
                raise run.error
        finally:
            unsubscribe()
            waiting.cancel()
            await SHARED.leave(run)

    @staticmethod
    def background(
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str = "sandbox",
        config: Config | None = None,
    ) -> StopRun:
        """Run without yielding, from the loop's next turn on; return an async function to stop it.

        Stopped, the strategy makes no new signal and what waits is cancelled: the function returns
        when that is on disk. What is open is watched to its end for as long as the loop runs, and
        `done_live` tells when there is nothing left. What keeps the run from starting, or ends it,
        is the `error` of its entry in `Live.list()`; nothing raises it. A running loop is needed.
        Raises UnknownNameError for a strategy that is not registered, LiveRunError where it runs
        already or other runs of the process trade on another exchange.
        """
        run = SHARED.start(symbol, strategy_name, exchange_name, config)

        async def stop() -> None:
            await SHARED.stop(run.key)

        return stop

    @staticmethod
    async def stop(symbol: str, strategy_name: str) -> None:
        """Let the strategy make no new signal: what waits is cancelled, what is open is watched.

        Returns when that is on disk; the run goes on until the open signal has ended.
        """
        for run in SHARED.runs.values():
            if (run.key.symbol, run.key.strategy_name) == (symbol, strategy_name):
                await SHARED.stop(run.key)

    @staticmethod
    def list() -> tuple[LiveRun, ...]:
        """Return the runs of this process, in the order in which they were started."""
        return tuple(SHARED.runs.values())


async def _tell_end(run: LiveRun, told: asyncio.Queue[Told | None]) -> None:
    await run.is_over.wait()
    # What the listeners have yet to hear comes before the end.
    await asyncio.sleep(0)
    told.put_nowait(None)


class SharedDaemon:
    """The one daemon of a process, rebuilt whenever a run comes or goes."""

    def __init__(self) -> None:
        self.runs: dict[Key, LiveRun] = {}
        self._config: Config | None = None
        self._daemon: Daemon | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._is_changed = False
        self._served = asyncio.Event()

    def start(
        self, symbol: str, strategy_name: str, exchange_name: str, config: Config | None
    ) -> LiveRun:
        """Add a run; the daemon starts, or starts anew with it, at the loop's next turn."""
        REGISTRY.strategy(strategy_name)
        exchange = REGISTRY.exchanges.get(exchange_name) or ExchangeSchema(
            exchange_name=exchange_name, exchange_id=exchange_name
        )
        key = Key(exchange_name=exchange.exchange_id, symbol=symbol, strategy_name=strategy_name)
        running = [run for run in self.runs.values() if run.status == "pending"]
        if any(run.key == key for run in running):
            raise LiveRunError(f"{key} runs already")
        if any(run.key.exchange_name != key.exchange_name for run in running):
            raise LiveRunError(f"one process trades on one exchange: {running[0].key} runs already")
        self.runs.pop(key, None)
        run = self.runs[key] = LiveRun(key=key)
        if config is not None or not running:
            self._config = config
        self._is_changed = True
        if self._daemon is not None:
            self._daemon.stop()
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.get_running_loop().create_task(self._keep(), name="live-runs")
            self._keeping.add_done_callback(self._kept)
        return run

    async def stop(self, key: Key) -> None:
        """Stop the strategy of one run, if it is running."""
        daemon = self._daemon
        if daemon is not None and key in daemon.supervisor.slots:
            await daemon.supervisor.has_recovered.wait()
            await daemon.supervisor.command(key, "stop")

    async def leave(self, run: LiveRun) -> None:
        """End a run whose caller has left; the others go on."""
        if run.status != "pending":
            return
        self._finish(run, None)
        self._is_changed = True
        keeping, served = self._keeping, self._served
        if self._daemon is not None:
            self._daemon.stop()
        if keeping is not None and not keeping.done():
            await served.wait()

    def _pending(self) -> "list[LiveRun]":
        return [run for run in self.runs.values() if run.status == "pending"]

    def _finish(self, run: LiveRun, error: BaseException | None) -> None:
        run.status = "rejected" if error else "fulfilled"
        run.error = error
        run.is_over.set()

    async def _keep(self) -> None:
        """Run the daemon for as long as any run is pending."""
        while runs := self._pending():
            self._is_changed = False
            try:
                await self._serve([run.key for run in runs])
            except (TickdError, BaseExceptionGroup) as error:
                cause = cause_of(error) if isinstance(error, BaseExceptionGroup) else error
                for run in runs:
                    self._finish(run, cause)
            else:
                if not self._is_changed:
                    for run in runs:
                        self._finish(run, None)
            self._served.set()
            self._served = asyncio.Event()

    def _kept(self, keeping: "asyncio.Task[None]") -> None:
        """End what is still pending where a bug of ours has ended the daemon: nobody would."""
        error = None if keeping.cancelled() else keeping.exception()
        for run in self._pending() if error else ():
            self._finish(run, error)

    async def _serve(self, keys: list[Key]) -> None:
        config, code = self._settings(keys)
        forget = REGISTRY.subjects.done_live.subscribe(self._done)
        with open_voices(config, REGISTRY.subjects, owns_process=False) as voices:
            try:
                async with (
                    aclosing(voices.channels),
                    open_daemon(config, code, voices.outlets) as daemon,
                ):
                    self._daemon = daemon
                    daemon.supervisor.resumes = True
                    await daemon.run()
            finally:
                self._daemon = None
                forget()

    def _done(self, done: DoneContract) -> None:
        """A stopped strategy has nothing left to watch: its run is over, the others go on."""
        for run in self._pending():
            if (run.key.symbol, run.key.strategy_name) == (done.symbol, done.strategy_name):
                self._finish(run, None)

    def _settings(self, keys: list[Key]) -> tuple[Config, Code]:
        base = self._config or _default_config()
        strategies = {key.strategy_name: REGISTRY.strategy(key.strategy_name) for key in keys}
        sections = tuple(
            StrategySection(
                name=name,
                path=f"{strategy.__module__}:{strategy.__name__}",
                symbols=tuple(key.symbol for key in keys if key.strategy_name == name),
            )
            for name, strategy in strategies.items()
        )
        exchange = base.exchange
        if exchange.id != keys[0].exchange_name:
            exchange = ExchangeSection(id=keys[0].exchange_name)
        config = base.model_copy(update={"strategies": sections, "exchange": exchange})
        return config, Code(strategies=strategies, profiles=tuple(REGISTRY.risks.values()))


def _default_config() -> Config:
    """Return the settings of the working directory, or the packaged ones, without pages."""
    config = load_config(environ=os.environ).config
    update: dict[str, object] = {"http": HttpSection(enabled=False)}
    if get_config() != get_default_config():
        update["rules"] = get_config()
    return config.model_copy(update=update)


SHARED = SharedDaemon()
"""The daemon of this process."""
