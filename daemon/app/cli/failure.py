"""`tickd report-failure UNIT`: the last word on a service that systemd has given up on.

It goes to the log of the machine with the highest priority, and to every alert sink that is
configured, as an `exit` event.
"""

import asyncio
import os
from collections.abc import Mapping
from contextlib import aclosing

from daemon.adapters.clock import wall_ms
from daemon.app.channels import open_channels
from daemon.app.cli.terminal import Terminal
from daemon.app.config.problems import one_line
from daemon.app.config.settings import Config
from daemon.app.exit_codes import ExitCode
from daemon.core.errors import TickdError
from daemon.core.events import ExitContract
from daemon.core.records import Journaled, TransitionEntry
from daemon.core.redaction import Redactor
from daemon.core.signal import Key, make_id
from daemon.ports import AlertSink

TELL_S_MAX = 20
"""How long one sink may take: the next one is to hear of it too."""

RESULT, STATUS = "MONITOR_SERVICE_RESULT", "MONITOR_EXIT_STATUS"
"""Variables in which systemd tells a unit of OnFailure= how the other one ended."""

ALERT_PRIORITY = "<1>"
"""What systemd's log takes for the priority of a line: act at once."""


def report_failure(terminal: Terminal, config: Config, unit: str) -> int:
    """Tell of the failure of `unit` everywhere; return 69 if an alert sink was not reached."""
    text = failure_text(unit, os.environ)
    prefix = ALERT_PRIORITY if os.environ.get("JOURNAL_STREAM") else ""
    terminal.fail(f"{prefix}tickd: {text}")
    faults = asyncio.run(_tell_all(config, _entry(config, unit, text)))
    for fault in faults:
        terminal.fail(f"tickd: the failure could not be told: {fault}")
    return ExitCode.UNAVAILABLE if faults else ExitCode.OK


def failure_text(unit: str, environ: Mapping[str, str]) -> str:
    """Return in one line what systemd says of the failure."""
    told = f"{unit} has failed and is not started again"
    if environ.get(RESULT):
        told += f" ({environ[RESULT]}, last exit {environ.get(STATUS) or 'unknown'})"
    return one_line(f"{told}: see journalctl --unit {unit}")


def _entry(config: Config, unit: str, text: str) -> Journaled:
    key = Key(exchange_name=config.exchange.id, symbol="", strategy_name="")
    at_ms = wall_ms()
    event = ExitContract(
        id=make_id("exit", key, at_ms, unit),
        key=key,
        where="service",
        error="ServiceFailed",
        message=text,
        at_ms=at_ms,
    )
    return Journaled(number=0, entry=TransitionEntry(key=key, events=(event,), at_ms=at_ms))


async def _tell_all(config: Config, entry: Journaled) -> list[str]:
    """Deliver to every sink that wants it; return what went wrong."""
    faults = []
    async with aclosing(open_channels(config, Redactor(config.secret_values))) as channels:
        for sink in channels.sinks:
            if not sink.wants(entry):
                continue
            try:
                async with asyncio.timeout(TELL_S_MAX):
                    await _tell(sink, entry)
            except TimeoutError:
                faults.append(f"{sink.name}: no answer in {TELL_S_MAX} s")
            except TickdError as error:
                faults.append(f"{sink.name}: {error}")
    return faults


async def _tell(sink: AlertSink, entry: Journaled) -> None:
    """Deliver, waiting for the sink's turn where it says so."""
    progress = await sink.deliver((entry,))
    while progress is not None:
        await asyncio.sleep(max(progress.wait_s, 0.1))
        progress = await sink.deliver((entry,))
