"""Which strategies took the daemon down with them, how often in a row, and which are asked no more.

Counted for each task, and for each strategy over all of its tasks: a fault of the market of one
symbol costs that task alone, a fault of the strategy itself is found before every task had it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from daemon.core.signal import Key

HangCounts = Mapping[tuple[str, str], int]
"""Ends in a row by (symbol, strategy); the symbol is empty for all of a strategy's together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangCount:
    """How often in a row the daemon has ended while it was in a strategy's code."""

    symbol: str
    strategy_name: str
    count: int


def counts_after_hang(counts: HangCounts, key: Key) -> HangCounts:
    """Return the counts once the daemon has ended, or was ended, in the code of `key`."""
    more = {whose: counts.get(whose, 0) + 1 for whose in _counted(key)}
    return {**counts, **more}


def counts_after_answer(counts: HangCounts, key: Key) -> HangCounts:
    """Return the counts once `key` has answered, or a person wants it asked again."""
    answered = _counted(key)
    return {whose: count for whose, count in counts.items() if whose not in answered}


def find_hang(counts: HangCounts, key: Key, hangs_max: int) -> str:
    """Say why `key` must not be asked again, and how to have it asked; "" if it may."""
    worst = max(counts.get(whose, 0) for whose in _counted(key))
    if worst < hangs_max:
        return ""
    return (
        f"the daemon hung or ended in its code {worst} times in a row; it is asked again after:"
        f" tickd start-task {key.symbol} {key.strategy_name}"
    )


def _counted(key: Key) -> tuple[tuple[str, str], tuple[str, str]]:
    return (key.symbol, key.strategy_name), ("", key.strategy_name)
