"""The service: one process from the first line to the exit code, with its signals.

The first SIGTERM or SIGINT asks for a graceful stop; a second one ends the process at once. What
is on disk is whole either way.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

import uvloop

from daemon.app.exit_codes import ExitCode
from daemon.app.config.settings import Config
from daemon.app.loading import Code, load_code
from daemon.app.registry import REGISTRY
from daemon.app.wiring import Daemon, open_daemon
from daemon.core.subjects import Subjects


def run_service(config: Config, *, stop_after_s: float | None = None) -> int:
    """Run the daemon of `config` until a signal, `stop_after_s` seconds, or a fatal error.

    Returns the process's exit code. Raises TickdError for what the operator must mend.
    """
    code = load_code(config)
    loop_factory = uvloop.new_event_loop if config.daemon.loop == "uvloop" else None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(serve(config, code, stop_after_s))


async def serve(config: Config, code: Code, stop_after_s: float | None) -> int:
    """Run the daemon on the current loop; return the exit code."""
    async with open_daemon(config, code, outlets) as daemon:
        forget = _watch_signals(daemon)
        loop = asyncio.get_running_loop()
        timer = None if stop_after_s is None else loop.call_later(stop_after_s, daemon.stop)
        try:
            await daemon.run()
        finally:
            if timer is not None:
                timer.cancel()
            forget()
    return ExitCode.OK


@asynccontextmanager
async def open_daemon(config: Config, code: Code, outlets: Outlets) -> AsyncIterator[Daemon]:
    """Make the daemon of `config` and take it down again at the end.

    Raises StateLockedError, FatalError, RejectedError, PortInUseError: nothing runs then.
    """
    keys = tuple(plan.key for plan in plans_of(config, code))
    async with open_world(config, keys, tuple(code.strategies.values())) as world:
        workers = ThreadWorkers(config.daemon.strategy_threads)
        daemon = assemble(config, code, world, outlets, workers)
        daemon.containment.install()
        try:
            yield daemon
        finally:
            daemon.containment.uninstall()
            workers.close()


def _watch_signals(daemon: Daemon) -> Callable[[], None]:
    loop = asyncio.get_running_loop()
    has_begun = False

    def on_signal(number: int) -> None:
        nonlocal has_begun
        if has_begun:
            # Whoever asks twice wants no ceremony: the disk is whole at every moment.
            os._exit(128 + number)
        has_begun = True
        daemon.stop()

    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, on_signal, number)

    def forget() -> None:
        for number in numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    return forget
