"""Where the shipped configuration differs from the defaults."""

from collections.abc import Mapping
from typing import Any

from daemon.app.config.problems import KeyPath

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
SHIPPED: Mapping[KeyPath, Any] = {
    ("rules", "schedule_await_minutes"): 20,
    ("risk",): ({"name": "careful", "max_positions": 2},),
    ("strategies",): (
        {
            "name": "breakout",
            "path": "daemon.strategies.breakout:Breakout",
            "symbols": SYMBOLS,
            "risk": ("careful",),
        },
        {
            "name": "pullback",
            "path": "daemon.strategies.pullback:Pullback",
            "symbols": SYMBOLS,
            "risk": ("careful",),
        },
    ),
}
"""Where the shipped file differs from the defaults, so that a newcomer sees everything happen."""


def shipped_tables() -> dict[str, Any]:
    """Return it as a file that says no more would hold it, table by table."""
    tables: dict[str, Any] = {}
    for path, value in SHIPPED.items():
        table = tables
        for part in path[:-1]:
            table = table.setdefault(str(part), {})
        table[str(path[-1])] = value
    return tables
