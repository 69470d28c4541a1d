"""Where the daemon tells what happens: the log, the metrics, the alerts and the pages."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from daemon.adapters.http.api import Api
from daemon.adapters.http.page import Recent
from daemon.adapters.http.server import HttpServer
from daemon.adapters.memory_limit import memory_limit_bytes
from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.adapters.sinks.prometheus.sink import PrometheusSink
from daemon.adapters.sinks.structured_log.library import ProgramLogging
from daemon.adapters.sinks.structured_log.setup import Logging, configure_logging
from daemon.adapters.sinks.structured_log.sink import LogSink
from daemon.adapters.systemd import Manager
from daemon.app.channels import Channels, open_channels
from daemon.app.config.sections import HttpSection
from daemon.app.config.settings import Config
from daemon.app.page_wiring import open_site
from daemon.app.wiring import Daemon, Outlets
from daemon.core.redaction import Redactor
from daemon.core.subjects import Subjects
from daemon.ports import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """The outlets of a daemon, and what the service itself speaks through."""

    outlets: Outlets
    channels: Channels
    logging: Logging | ProgramLogging
    metrics: Metrics
    recent: Recent
    manager: Manager = field(default_factory=Manager)


@contextmanager
def open_voices(
    config: Config, subjects: Subjects, *, owns_process: bool = True
) -> Iterator[Voices]:
    """Set logging up, and give it back at the end.

    It is that of the process where the process is ours; inside another program it is one logger
    among others. Raises MissingLibraryError, FatalError for a channel that cannot be used.
    """
    redactor = Redactor(config.secret_values)
    channels = open_channels(config, redactor)
    logging = _logging_of(config, redactor) if owns_process else ProgramLogging(redactor)
    metrics = Metrics()
    metrics.watch("log_drops", lambda: logging.drops)
    metrics.watch("memory_limit", memory_limit_bytes)
    recent = Recent()
    if isinstance(logging, Logging):
        # Inside another program its own log has the lines.
        logging.tap(recent.on_line)
    try:
        outlets = Outlets(
            subjects=subjects,
            meter=metrics,
            sinks=(LogSink(logging.log), PrometheusSink(metrics), recent),
            alert_sinks=channels.sinks,
            redactor=redactor,
            minute_listeners=(recent.on_minute,),
        )
        yield Voices(
            outlets=outlets, channels=channels, logging=logging, metrics=metrics, recent=recent
        )
    finally:
        logging.close()


def _logging_of(config: Config, redactor: Redactor) -> Logging:
    return configure_logging(
        config.log.format,
        config.log.level,
        redactor=redactor,
        identity={"exchange": config.exchange.id, "mode": config.daemon.mode},
    )


def watch_daemon(metrics: Metrics, daemon: Daemon) -> None:
    """Read off `daemon` at each scrape what it counts by itself."""
    budget, clock_watch = daemon.world.budget, daemon.clock_watch
    metrics.watch("journal_entries", lambda: daemon.world.journal.last_number)
    metrics.watch("flat_minutes", lambda: daemon.supervisor.flat_minutes)
    metrics.watch("callbacks_left_behind", lambda: daemon.fanout.left_behind)
    metrics.watch("storage_failing", lambda: len(daemon.health.failing))
    if clock_watch is not None:
        metrics.watch("exchange_clock_skew", lambda: clock_watch.ahead_s)
    if budget is not None:
        metrics.watch("rate_limit_weight_used", lambda: budget.used_share)
        metrics.watch("rate_limit_refusals", lambda: budget.refusals)


@asynccontextmanager
async def open_pages(
    section: HttpSection, status: Status, voices: Voices, api: Api | None = None
) -> AsyncIterator[str]:
    """Serve the pages and tell where, "" where they are not wanted. Raises BindError."""
    if not section.enabled:
        yield ""
        return
    server = HttpServer(
        status,
        voices.metrics,
        allowed_hosts=section.allowed_hosts,
        allow_remote=section.allow_remote,
        redactor=voices.outlets.redactor,
    )
    server.api = api
    server.control_socket = section.control_socket if section.control else None
    server.site = await open_site(status, voices.recent, voices.outlets.redactor)
    await server.start(section.host, section.port)
    try:
        yield server.url
    finally:
        await server.stop()
