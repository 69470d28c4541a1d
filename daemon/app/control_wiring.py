"""The control of a served daemon: its log, its API, its reload, and the secrets of all that."""

import asyncio
import os
from collections.abc import Callable
from functools import partial

from daemon.adapters.http.api import Api
from daemon.adapters.sinks.webhook import WebhookAlertSink
from daemon.app.config.settings import Config
from daemon.app.control_token import control_token
from daemon.app.loading import Code
from daemon.app.outlets import Voices
from daemon.app.reloading import Fresh, Reloader
from daemon.app.state_folder import state_folder
from daemon.app.wiring import Daemon
from daemon.core.commands import Caller, ReloadResult
from daemon.core.errors import RejectedError
from daemon.core.records import CommandEntry
from daemon.live.control import LiveControl
from daemon.live.workers import ThreadWorkers

Load = Callable[[], Fresh]


class ControlWiring:
    """Who commands `daemon`: wired once. Without `load` there is nothing to reload.

    `api` is None until `open_api`, and where it is not wanted. `reloader` may be told what is to
    be around each reload.
    """

    def __init__(self, daemon: Daemon, voices: Voices, fresh: Fresh, load: Load | None) -> None:
        self.api: Api | None = None
        self._daemon = daemon
        self._voices = voices
        self._running = fresh.config
        self.reloader: Reloader | None = None
        if load is not None:
            self.reloader = Reloader(
                daemon=daemon, fresh=fresh, load=load, renew=self._renew, workers=ThreadWorkers(1)
            )
        world = daemon.world
        self.control = LiveControl(
            daemon.supervisor,
            world.clock,
            world.journal,
            tell=self._tell,
            reload=self.reloader,
        )

    async def open_api(self) -> Api | None:
        """Return the API, None where it is not wanted. Raises FatalError for its token."""
        http = self._running.http
        if http.enabled and http.control:
            token = await self._token(self._running)
            redactor = self._voices.outlets.redactor
            self.api = Api(self.control, self._daemon.status, token, redactor)
        return self.api

    async def reload_by_signal(self) -> ReloadResult | None:
        """Reload because of a SIGHUP; None where the daemon is starting or stopping."""
        try:
            return await self.control.reload(Caller(origin="signal", identity="SIGHUP"))
        except RejectedError as error:
            self._voices.logging.log.warning("reload_refused", message=str(error))
            return None

    async def _renew(self, config: Config) -> Callable[[], None]:
        """Read the secrets of a new configuration; return what takes them. Raises FatalError."""
        self._voices.outlets.redactor.learn(config.secret_values)
        token = None if self.api is None else await self._token(config)
        return partial(self._take, config, token)

    def _take(self, config: Config, control_token: str | None) -> None:
        if self.api is not None and control_token is not None:
            self.api.change_token(control_token)
        secret = config.alerts.webhook.secret
        for sink in self._voices.outlets.alert_sinks:
            if isinstance(sink, WebhookAlertSink):
                sink.change_secret(None if secret is None else secret.get_secret_value())
        token, telegram = config.alerts.telegram.token, self._voices.channels.api
        if token is not None and telegram is not None:
            telegram.change_token(token.get_secret_value())

    async def _token(self, config: Config) -> str:
        folder = state_folder(config)
        token = await asyncio.to_thread(control_token, config, folder, os.environ)
        self._voices.outlets.redactor.learn([token])
        return token

    def _tell(self, entry: CommandEntry) -> None:
        log = self._voices.logging.log
        write = log.warning if entry.result.startswith("refused") else log.info
        write(
            "command",
            command=entry.command,
            target=entry.target,
            origin=entry.origin,
            identity=entry.identity,
            result=entry.result,
        )


def wire_control(
    daemon: Daemon, voices: Voices, running: tuple[Config, Code], load: Load | None
) -> ControlWiring:
    """Return who commands a daemon that runs this configuration."""
    config, code = running
    return ControlWiring(daemon, voices, Fresh(config=config, code=code), load)
