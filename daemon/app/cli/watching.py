"""Run long work from the command line: a bar on a screen, and Ctrl-C that leaves what there is."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, nullcontext, redirect_stdout, suppress
from types import FrameType

PROGRESS_EVERY_S = 0.1

Stand = Callable[[], tuple[str, float]]
"""Returns what is being done, and how much of it is (0 to 1)."""


SAVE_EVERY_S = 10.0
"""What there is so far is written down so often, for the case that the process is killed."""

SAVE_SHARE_MAX = 0.05
"""Writing it takes at most so much of the time."""


def save_nothing() -> None:
    """Write nothing: nobody asked for a report."""


async def run_watched(
    told: AsyncGenerator[object, None], stand: Stand, save: Callable[[], None] = save_nothing
) -> bool:
    """Run `told` to its end; return whether somebody ended it before: Ctrl-C or SIGTERM.

    What strategies print goes to the standard error output: the other one is the result's.
    `save` writes what there is so far, every now and then. Raises what `told` and `save` raise.
    """
    loop = asyncio.get_running_loop()
    working = loop.create_task(_drain(told))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            # A second one ends the process at once: Python's own handler would raise in the
            # author's code, as one more fault of it.
            before[number] = signal.SIG_DFL
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(working.cancel)

    # Not by the loop's own way: that takes every signal through a socket, which is full when the
    # looks at a strategy that hangs are in it, and Ctrl-C would be lost.
    for number in before:
        signal.signal(number, interrupt)
    try:
        with redirect_stdout(sys.stderr):
            # It begins before the bar does: that has a thread, and copies of a process want none.
            await asyncio.sleep(0)
            with _bar() if sys.stderr.isatty() else nullcontext(_tell_nobody) as tell:
                await _watch(working, stand, save, tell)
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    return working.cancelled()


async def _drain(told: AsyncGenerator[object, None]) -> None:
    async with aclosing(told):
        async for _ in told:
            pass


async def _watch(
    working: asyncio.Task[None],
    stand: Stand,
    save: Callable[[], None],
    tell: Callable[[str, float], None],
) -> None:
    """Tell how far the work is until it is over, and raise what it raised."""
    clock = asyncio.get_running_loop().time
    due_s = clock() + SAVE_EVERY_S
    while not working.done():
        tell(*stand())
        await asyncio.wait([working], timeout=PROGRESS_EVERY_S)
        began_s = clock()
        if began_s >= due_s:
            save()
            due_s = clock() + max(SAVE_EVERY_S, (clock() - began_s) / SAVE_SHARE_MAX)
    with suppress(asyncio.CancelledError):
        working.result()


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
    """Show a bar on the screen; give what moves it."""
    from rich.console import Console  # noqa: PLC0415 - only where somebody watches
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0)

        def tell(name: str, share: float) -> None:
            progress.update(task, completed=share, description=name)

        yield tell


def _tell_nobody(_name: str, _share: float) -> None:
    """Leave it untold: there is no screen."""
