"""The end of a daemon, in stages: what is under way is finished, what waits is written and told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from daemon.core.errors import FatalError, TickdError, TransientError, cause_of
from daemon.core.records import StopEntry
from daemon.core.signal import Key
from daemon.live.staff import Staff


async def shut_down(
    staff: Staff,
    tasks: set[asyncio.Task[None]],
    steps: set[asyncio.Task[object]],
    services: Sequence[asyncio.Task[None]],
    farewell: Callable[[], StopEntry],
) -> None:
    """Let `tasks` finish in time, end `steps` and `services`, and write what still waits."""
    _, stuck = await asyncio.wait(tasks, timeout=staff.endurance.stop_s) if tasks else ((), ())
    for task in stuck:
        staff.crew.troubles.report(
            "stop",
            Key(exchange_name="", symbol=task.get_name(), strategy_name=""),
            "could not finish its step in time: what is on disk is what counts",
        )
    # What the tasks began meanwhile counts too.
    last_steps = set(steps)
    for ending in (*stuck, *last_steps, *services):
        ending.cancel()
    await asyncio.wait([*tasks, *last_steps, *services])
    await _last_words(staff, farewell)


@asynccontextmanager
async def telling_exit(staff: Staff) -> AsyncIterator[None]:
    """Have everybody told of the error that ends a run, and raise it again."""
    try:
        yield
    except (TickdError, ExceptionGroup) as error:
        await _tell_exit(staff, error)
        raise


async def _tell_exit(staff: Staff, error: Exception) -> None:
    """Tell what ended the run, for as long as that works at once.

    What is not delivered now is delivered by the next start, if the disk took it.
    """
    crew, stop_s = staff.crew, staff.endurance.stop_s
    whole = Key(exchange_name="", symbol="", strategy_name="")
    cause = cause_of(error) if isinstance(error, BaseExceptionGroup) else error
    crew.troubles.report_exit("daemon", whole, cause)
    with suppress(TimeoutError, TransientError, FatalError):
        async with asyncio.timeout(stop_s / 2):
            await crew.troubles.flush()
    with suppress(TimeoutError):
        async with asyncio.timeout(stop_s / 2), asyncio.TaskGroup() as group:
            group.create_task(crew.fanout.drain(stop_s / 2))
            for pump in staff.alerts:
                # Their tasks have ended with the others. Begun anew while they are to end, they
                # deliver what is there and stop at the first failure.
                await pump.drain(0.0)
                group.create_task(pump.run())


async def _last_words(staff: Staff, farewell: Callable[[], StopEntry]) -> None:
    """Write what follows and what waits, for as long as it works at once."""
    crew, stop_s = staff.crew, staff.endurance.stop_s
    # What cannot be written now is rebuilt or retold at the next start: the truth is on disk.
    with suppress(TimeoutError, TransientError):
        async with asyncio.timeout(stop_s):
            await staff.minutes.flush()
            await staff.followers.flush()
            await crew.troubles.flush()
            await staff.journal.append((farewell(),))
    async with asyncio.TaskGroup() as group:
        for drain in (crew.fanout.drain, *(pump.drain for pump in staff.alerts)):
            group.create_task(drain(stop_s / 2))
