"""Troubles are appended to the journal once, whoever asks for it and when."""

import asyncio

from daemon.core.errors import TransientError
from daemon.core.events import ErrorContract
from daemon.core.records import TransitionEntry
from daemon.core.signal import Key
from daemon.live.troubles import Troubles
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import DiskTrouble, MemoryDisk, MemoryJournal, Operation

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")


def test_a_stop_in_the_middle_of_an_append_neither_breaks_nor_repeats_it() -> None:
    """The daemon's last flush meets the one that its task has under way."""

    async def scene() -> list[str]:
        disk = MemoryDisk()
        clock = VirtualClock(asyncio.get_running_loop(), 0)

        def slow_disk(operation: Operation, subject: str) -> DiskTrouble:
            return DiskTrouble(delay_s=0.01)

        troubles = Troubles(clock, MemoryJournal(disk, slow_disk), lambda _: None, str)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(troubles.run())
            troubles.report("feed", KEY, TransientError("first"))
            await asyncio.sleep(0.005)
            troubles.report("feed", KEY, TransientError("second"))
            await troubles.flush()
            running.cancel()
        return [
            event.message
            for item in disk.entries
            if isinstance(item.entry, TransitionEntry)
            for event in item.entry.events
            if isinstance(event, ErrorContract)
        ]

    assert [message.split()[0] for message in run_virtual(scene())] == ["first", "second"]
