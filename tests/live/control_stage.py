"""A whole daemon in virtual time with a person's hand on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from daemon.app.wiring import Daemon
from daemon.core.commands import Caller, CommandName, CommandResult, Target
from daemon.core.records import CommandEntry
from daemon.live.control import LiveControl, Reload
from tests.live.scene import Scene

CALLER = Caller(origin="api", identity="somebody")


@dataclass(slots=True, kw_only=True)
class Hand:
    """The control of a running daemon, and what it wrote to the log."""

    daemon: Daemon
    control: LiveControl
    lines: list[CommandEntry] = field(default_factory=list)

    async def do(self, name: CommandName, **target: str) -> CommandResult:
        """Command one task (or all) and return what came of the first."""
        return (await self.control.command(name, Target(**target), CALLER))[0]


@asynccontextmanager
async def a_hand(
    scene: Scene, after_s: float = 30.5, reload: Reload | None = None
) -> AsyncIterator[Hand]:
    """Run the daemon of `scene`; give its control after so many virtual seconds, stop it then."""
    daemon = scene.assemble()
    daemon.supervisor.stays = True
    lines: list[CommandEntry] = []
    world = daemon.world
    control = LiveControl(
        daemon.supervisor, world.clock, world.journal, tell=lines.append, reload=reload
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(daemon.run())
        await asyncio.sleep(after_s)
        try:
            yield Hand(daemon=daemon, control=control, lines=lines)
        finally:
            scene.start_ms = world.clock.now_ms()
            daemon.stop()


def commands_of(scene: Scene) -> list[CommandEntry]:
    """Return the commands in the journal."""
    return [item.entry for item in scene.disk.entries if isinstance(item.entry, CommandEntry)]
