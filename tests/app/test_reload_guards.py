"""What keeps a reload whole: secrets first, and SIGHUP by the hundred reads no file as often."""

import asyncio
import os
import signal
from collections.abc import Callable

from daemon.app.config.settings import Config
from daemon.app.reloading import Fresh, Reloader
from daemon.app.service import reload_at_hangup
from daemon.core.commands import ReloadResult
from daemon.core.errors import FatalError
from daemon.core.signal import Key
from daemon.simulation.loop import run_virtual
from tests.app.test_reloading import BOTH, a_buying_scene, a_fresh
from tests.live.control_stage import CALLER, a_hand
from tests.live.scripted import KEY


class Slow:
    """Reloads one at a time, when it is let."""

    def __init__(self) -> None:
        self.begun_count = 0
        self.goes_on = asyncio.Event()

    async def reload_by_signal(self) -> None:
        self.begun_count += 1
        await self.goes_on.wait()


async def test_of_a_storm_of_hangups_one_waits_for_the_one_under_way() -> None:
    control = Slow()
    with reload_at_hangup(control.reload_by_signal):
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert control.begun_count == 2

        control.goes_on.set()
        while control.begun_count < 3:
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0)


def test_secrets_that_cannot_be_read_change_nothing() -> None:
    scene = a_buying_scene()

    async def play() -> tuple[ReloadResult, set[Key], Fresh]:
        async def renew(config: Config) -> Callable[[], None]:
            raise FatalError(f"the token of {config.exchange.id} can be read by others")

        async with a_hand(scene) as hand:
            old = Fresh(config=scene.config, code=scene.code)
            reloader = Reloader(
                daemon=hand.daemon, fresh=old, load=lambda: a_fresh(BOTH), renew=renew
            )
            hand.control._reload = reloader
            told = await hand.control.reload(CALLER)
            return told, set(hand.daemon.supervisor.slots), reloader.fresh

    told, keys, fresh = run_virtual(play())

    assert told.outcome == "refused"
    assert told.message == "nothing was changed: the token of sandbox can be read by others"
    assert keys == {KEY}
    assert fresh.config is scene.config
