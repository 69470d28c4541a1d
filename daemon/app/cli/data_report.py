"""How the commands of `tickd data` tell what they found, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from daemon.adapters.candles.names import Series
from daemon.app.cli.terminal import Terminal
from daemon.app.config.settings import SANDBOX_ID
from daemon.core.columns import Span, moment_text
from daemon.core.wording import count_text

GAPS_SHOWN_MAX = 10


def gaps_as_json(gaps: Sequence[Span]) -> list[dict[str, Any]]:
    """Return gaps for programs."""
    return [{"from_ms": gap.start_ms, "to_ms": gap.stop_ms, "minutes": gap.minutes} for gap in gaps]


def minutes_of(gaps: Sequence[Span]) -> int:
    """Return how many minutes are missing."""
    return sum(gap.minutes for gap in gaps)


def say_use(terminal: Terminal, series: Series) -> None:
    """Tell how a run takes candles from the store; the sandbox's market is there anyway."""
    if series.exchange != SANDBOX_ID:
        run = f"tickd backtest STRATEGY --symbol {series.symbol} --exchange {series.exchange}"
        terminal.note(f"a run on them: {run}")


def say_gaps(terminal: Terminal, gaps: Sequence[Span]) -> None:
    """Tell the largest gaps, in order of time, and how many there are in all."""
    if not gaps:
        return
    missing = count_text(minutes_of(gaps), "minute")
    terminal.say(f"missing    {missing} in {count_text(len(gaps), 'gap')}")
    largest = sorted(gaps, key=lambda gap: -gap.minutes)[:GAPS_SHOWN_MAX]
    for gap in sorted(largest):
        since, until = moment_text(gap.start_ms), moment_text(gap.stop_ms)
        terminal.say(f"  {since} to {until}  {count_text(gap.minutes, 'minute')}")
    if len(gaps) > len(largest):
        terminal.say(f"  and {len(gaps) - len(largest):,} smaller ones (--json lists all)")
