"""The log as a sink: one line a transition, under a fixed name, with the event's flat fields."""

import asyncio
import logging
from collections.abc import Sequence

from structlog.typing import FilteringBoundLogger

from daemon.core.events import (
    Announcement,
    DoneContract,
    ErrorContract,
    ExitContract,
    PerformanceContract,
    ProgressBacktestContract,
    RiskContract,
    SignalActive,
    SignalIdle,
)
from daemon.core.fields import Fields, flat_fields, log_name

DIGITS = 10
"""Significant digits of a figure in a line: a price of 64210.12345 is whole."""

LINES_AT_ONCE = 20
"""After so many lines the event loop gets a turn: a burst must not hold up the ticks."""


class LogSink:
    """Logs every transition and the end of a run. Ticks at which nothing happened are not news."""

    name = "log"

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    def wants(self, event: Announcement) -> bool:
        quiet = SignalIdle | SignalActive | PerformanceContract | ProgressBacktestContract
        return not isinstance(event, quiet)

    async def send(self, events: Sequence[Announcement]) -> None:
        for number, event in enumerate(events, start=1):
            self._log.log(_level(event), log_name(event), **_readable(flat_fields(event)))
            if number % LINES_AT_ONCE == 0:
                await asyncio.sleep(0)


def _readable(fields: Fields) -> Fields:
    """Round figures to what people read; the journal and the alerts keep them all."""
    return {
        key: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
        for key, value in fields.items()
    }


def _level(event: Announcement) -> int:
    match event:
        case ExitContract():
            return logging.CRITICAL
        case ErrorContract():
            return logging.ERROR
        case RiskContract():
            return logging.WARNING
        case DoneContract():
            return logging.INFO
        case _:
            return logging.INFO
