"""What strategies came to before this start, read from the journal for the gauges of equity.

Without it every restart would begin a new equity at 0, and end the alert on a drawdown.
"""

import asyncio
from collections import defaultdict
from pathlib import Path

from daemon.adapters.sinks.prometheus import Equity, Metrics
from daemon.adapters.storage.journal_tools import read_closes


async def read_past_results(metrics: Metrics, folder: Path, until: int) -> None:
    """Put what the journal in `folder` holds up to the number `until` into the gauges.

    Raises FatalError where it cannot be read.
    """
    metrics.begin_after(await asyncio.to_thread(_equities, folder, until))


def _equities(folder: Path, until: int) -> dict[str, Equity]:
    equities: defaultdict[str, Equity] = defaultdict(Equity)
    for closed in read_closes(folder, until=until):
        equities[closed.strategy_name].add(closed.pnl.pnl_percentage / 100)
    return equities
