"""The control of a served daemon: wired to its log, and to the API where that is wanted."""

import asyncio
import os

from daemon.adapters.http.api import Api
from daemon.adapters.storage.opening import folder_of
from daemon.adapters.storage.schema import Identity
from daemon.app.config.settings import Config
from daemon.app.control_token import control_token
from daemon.app.outlets import Voices
from daemon.app.wiring import Daemon
from daemon.core.records import CommandEntry
from daemon.live.control import LiveControl


def control_of(daemon: Daemon, voices: Voices) -> LiveControl:
    """Return the control of `daemon`, which writes each command to the log."""
    log = voices.logging.log

    def tell(entry: CommandEntry) -> None:
        log.info(
            "command",
            command=entry.command,
            target=entry.target,
            origin=entry.origin,
            identity=entry.identity,
            result=entry.result,
        )

    return LiveControl(daemon.supervisor, daemon.world.clock, daemon.world.journal, tell=tell)


async def api_of(
    config: Config, daemon: Daemon, control: LiveControl, voices: Voices
) -> Api | None:
    """Return the control API, None where it is not wanted. Raises FatalError for its token."""
    if not (config.http.enabled and config.http.control):
        return None
    identity = Identity(exchange=config.exchange.id, mode=config.daemon.mode)
    folder = folder_of(config.daemon.state_dir, identity)
    token = await asyncio.to_thread(control_token, config, folder, os.environ)
    redactor = voices.outlets.redactor
    redactor.learn([token])
    return Api(control, daemon.status, token, redactor)
