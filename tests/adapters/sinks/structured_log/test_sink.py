"""The log sink: one line a transition, under its fixed name, with its flat fields."""

import asyncio
import json
import os
from dataclasses import replace
from math import floor, log10
from pathlib import Path

import structlog

from daemon.adapters.sinks.structured_log import LogSink, configure_logging
from daemon.core.fields import Fields, flat_fields, log_name
from tests.core.some_events import (
    a_done,
    a_performance,
    an_active,
    an_idle,
    an_opened,
    every_event,
    every_transition,
)


def test_it_wants_what_is_news() -> None:
    sink = LogSink(structlog.get_logger())

    wanted = [event for event in every_event() if sink.wants(event)]

    assert wanted == [*every_transition(), a_done()]
    assert not any(sink.wants(event) for event in (an_idle(), an_active(), a_performance()))


def test_each_transition_is_one_line_with_its_fields(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    handle = configure_logging("json", fd=fd)
    asyncio.run(LogSink(handle.log).send(every_transition()))
    handle.close(10.0)
    os.close(fd)

    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    levels = [line.pop("level") for line in lines]
    for line in lines:
        del line["timestamp"]
    assert lines == [
        {"event": log_name(event), **_rounded(flat_fields(event))} for event in every_transition()
    ]
    assert levels == ["info"] * 6 + ["warning", "error", "critical"]
    structlog.reset_defaults()


def _rounded(fields: Fields) -> Fields:
    return {
        key: round(value, 9 - floor(log10(abs(value))))
        if isinstance(value, float) and value
        else value
        for key, value in fields.items()
    }


async def test_figures_are_as_people_read_them() -> None:
    log = structlog.testing.CapturingLogger()
    wrapped = structlog.wrap_logger(log, processors=[])

    await LogSink(wrapped).send([replace(an_opened(), current_price=0.1 + 0.2)])

    assert log.calls[0].kwargs["current_price"] == 0.3


async def test_a_burst_gives_the_loop_its_turns() -> None:
    turns = 0
    log = structlog.wrap_logger(structlog.testing.CapturingLogger())
    sink = LogSink(log)

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count())
        await sink.send([an_opened()] * 100)
        counting.cancel()

    assert turns >= 5
