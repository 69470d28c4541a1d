"""The service: one process from the first line to the exit code, with its signals.

The first SIGTERM or SIGINT asks for a graceful stop; a second one ends the process at once. What
is on disk is whole either way.
"""

import asyncio
import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, replace

import uvloop

from daemon.adapters.systemd import Manager
from daemon.app.config.settings import Config
from daemon.app.control_wiring import Load, wire_control
from daemon.app.exit_codes import ExitCode
from daemon.app.fork_guard import no_copies_of
from daemon.app.loading import Code, load_code_to_run
from daemon.app.opening import open_world
from daemon.app.outlets import Voices, open_pages, open_voices, watch_daemon
from daemon.app.page_wiring import remember_recent
from daemon.app.past_results import read_past_results
from daemon.app.registry import REGISTRY
from daemon.app.service_loop import ServiceLoop
from daemon.app.service_notifier import ServiceNotifier, Watched
from daemon.app.state_folder import state_folder
from daemon.app.telegram_bot import open_bot
from daemon.app.version import tickd_version
from daemon.app.wiring import Daemon, Outlets, assemble, plans_of
from daemon.app.world import World
from daemon.core.errors import TickdError, cause_of
from daemon.core.signal import Key
from daemon.core.states import row_of
from daemon.core.strategy import Strategy
from daemon.live.workers import ThreadWorkers

GARBAGE_THRESHOLDS = 20_000, 20, 20
"""A process that lives for months looks for circles of objects more often than a command does."""

Opener = Callable[
    [Config, tuple[Key, ...], tuple[type[Strategy], ...]], AbstractAsyncContextManager[World]
]
"""What opens the world of a daemon: its storage, its exchange and its clock."""


def run_service(
    config: Config,
    *,
    stop_after_s: float | None = None,
    opener: Opener = open_world,
    load: Load | None = None,
    manager: Manager | None = None,
) -> int:
    """Run the daemon of `config` until a signal, `stop_after_s` seconds, or a fatal error.

    `load` reads the configuration again for a reload; `manager` is told how all fares. Returns the
    process's exit code. Raises TickdError for what the operator must mend.
    """
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    code = load_code_to_run(config)
    is_fast = config.daemon.loop == "uvloop"
    service_loop = ServiceLoop(uvloop.new_event_loop if is_fast else asyncio.new_event_loop)
    with no_copies_of(config.daemon.state_dir), open_voices(config, REGISTRY.subjects) as opened:
        voices = replace(opened, manager=manager or Manager())
        try:
            terms = _Terms(stop_after_s, opener, load, service_loop)
            exit_code = service_loop.run(_serve(config, code, voices, terms))
        except BaseExceptionGroup as group:
            raise cause_of(group) from group
    service_loop.leave(exit_code)
    return exit_code


@dataclass(frozen=True, slots=True)
class _Terms:
    """How a run was asked for."""

    stop_after_s: float | None
    opener: Opener
    load: Load | None
    service_loop: ServiceLoop


async def _serve(config: Config, code: Code, voices: Voices, terms: _Terms) -> int:
    log = voices.logging.log
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(aclosing(voices.channels))
        daemon = await stack.enter_async_context(
            open_daemon(config, code, voices.outlets, terms.opener)
        )
        # Whoever stops every task may want to start one again.
        daemon.supervisor.stays = True
        control = wire_control(daemon, voices, (config, code), terms.load)
        api = await control.open_api()
        url = await stack.enter_async_context(open_pages(config.http, daemon.status, voices, api))
        await stack.enter_async_context(open_bot(config, daemon, control.control, voices))
        log.info(
            "started",
            version=tickd_version(),
            exchange=daemon.world.where,
            tasks=len(daemon.supervisor.slots),
            pages=url or "off",
        )
        for note in daemon.world.notes:
            log.warning("storage", message=note)
        watch_daemon(voices.metrics, daemon)
        notifier = _notifier_of(config, daemon, voices)
        if control.reloader is not None:
            control.reloader.around = notifier.reloading
        with reload_at_hangup(control.reload_by_signal):
            async with _beside(config, daemon, voices, terms), notifier.notifying():
                await daemon.run()
        status = daemon.status.snapshot()
        log.info("stopped", open_signals=status.open_count, waiting_signals=status.waiting_count)
    return ExitCode.OK


@asynccontextmanager
async def _beside(
    config: Config, daemon: Daemon, voices: Voices, terms: _Terms
) -> AsyncIterator[None]:
    """Do what is done beside the daemon while the body runs it."""
    loop = asyncio.get_running_loop()
    after_s = terms.stop_after_s
    timer = None if after_s is None else loop.call_later(after_s, daemon.stop)
    until = daemon.world.journal.last_number
    tasks = (
        loop.create_task(_tell_recovery(daemon, voices)),
        loop.create_task(_remember(config, voices, until)),
        terms.service_loop.attend(daemon),
    )
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if timer is not None:
            timer.cancel()


async def _remember(config: Config, voices: Voices, until: int) -> None:
    """Let the gauges of equity and the page go on from what the journal holds."""
    folder = state_folder(config)
    try:
        await read_past_results(voices.metrics, folder, until)
        await remember_recent(voices.recent, folder, until)
    except TickdError as error:
        voices.logging.log.warning("equity", message=f"and page begin at nothing: {error}")


def _notifier_of(config: Config, daemon: Daemon, voices: Voices) -> ServiceNotifier:
    watched = Watched(
        status=daemon.status,
        supervisor=daemon.supervisor,
        writing_s=daemon.world.writing_s,
        start_timeout_s=config.daemon.start_timeout_s,
    )
    return ServiceNotifier(voices.manager, watched, voices.logging.log)


async def _tell_recovery(daemon: Daemon, voices: Voices) -> None:
    """Say what a restart found, once it is known."""
    log = voices.logging.log
    await daemon.supervisor.has_recovered.wait()
    held = [keeper.held for keeper in daemon.supervisor.keepers.values()]
    rows = [row for item in held if (row := row_of(item.state)) is not None]
    waiting_count = sum(row.is_scheduled for row in rows)
    log.info(
        "recovered",
        open_signals=len(rows) - waiting_count,
        waiting_signals=waiting_count,
        orphans=len(daemon.supervisor.orphans),
    )
    for row in rows:
        log.info(
            "signal_restored",
            symbol=row.symbol,
            strategy=row.strategy_name,
            state="waiting" if row.is_scheduled else "open",
            position=row.position,
            entry=_shown(row.price_open),
            take_profit=_shown(row.price_take_profit),
            stop=_shown(row.price_stop_loss),
            signal_id=row.id,
        )


def _shown(price: float) -> float:
    """Return a price with as many digits as people read; the file keeps them all."""
    return float(f"{price:.8g}")


@asynccontextmanager
async def open_daemon(
    config: Config, code: Code, outlets: Outlets, opener: Opener = open_world
) -> AsyncIterator[Daemon]:
    """Make the daemon of `config` and take it down again at the end.

    Raises StateLockedError, FatalError, RejectedError, PortInUseError: nothing runs then.
    """
    keys = tuple(plan.key for plan in plans_of(config, code))
    async with opener(config, keys, tuple(code.strategies.values())) as world:
        workers = ThreadWorkers(config.daemon.strategy_threads)
        daemon = assemble(config, code, world, outlets, workers)
        daemon.containment.install()
        try:
            yield daemon
        finally:
            daemon.containment.uninstall()
            workers.close()


@contextmanager
def reload_at_hangup(reload: Callable[[], Coroutine[object, object, object]]) -> Iterator[None]:
    """Call `reload` at each SIGHUP while the body runs, one after the other."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[object]] = set()

    def on_hangup() -> None:
        # One that waits for the one under way reads the file after it: a third has nothing to add.
        if len(reloads) >= 2:
            return
        task: asyncio.Task[object] = loop.create_task(reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
