"""The gauges of equity go on over a restart: they begin with what the journal holds."""

import asyncio
import time
from pathlib import Path

from daemon.adapters.sinks.prometheus import Metrics
from daemon.app.past_results import read_past_results
from tests.adapters.sinks.some_status import a_status
from tests.adapters.storage.samples import a_candle, a_closed, a_storage, a_write
from tests.alerts.daemons import DaemonProcess


def shown(metrics: Metrics) -> list[str]:
    page = metrics.render(a_status()).decode().splitlines()
    return [line for line in page if line.startswith("tickd_strategy_")]


async def test_what_was_closed_before_the_start_counts(tmp_path: Path) -> None:
    metrics = Metrics()
    async with a_storage(tmp_path) as storage:
        await storage.journal.append(
            [a_candle(1), a_write(1, a_closed(number=1)), a_write(2, a_closed(number=2))]
        )
        until = storage.journal.last_number
        await storage.journal.append([a_write(3, a_closed(number=3))])

        await read_past_results(metrics, tmp_path, until)

    assert await asyncio.to_thread(shown, metrics) == [
        'tickd_strategy_pnl_ratio{strategy="breakout"} 0.03',
        'tickd_strategy_drawdown_ratio{strategy="breakout"} 0.0',
    ]


async def test_a_first_start_has_no_past(tmp_path: Path) -> None:
    metrics = Metrics()

    await read_past_results(metrics, tmp_path, 0)

    assert await asyncio.to_thread(shown, metrics) == []


def test_a_daemon_that_starts_again_shows_what_it_has_earned(tmp_path: Path) -> None:
    async def trade() -> None:
        async with a_storage(tmp_path / "dump" / "sandbox-signal") as storage:
            await storage.journal.append([a_write(1, a_closed())])

    asyncio.run(trade())
    daemon = DaemonProcess(tmp_path, "breakout", strategy="Raising")
    daemon.start()
    try:
        until_s = time.perf_counter() + 30
        while 'tickd_strategy_pnl_ratio{strategy="breakout"} 0.015' not in daemon.page():
            assert time.perf_counter() < until_s, daemon.last_words()
            time.sleep(0.1)
    finally:
        daemon.end()
