"""How the commands of `tickd data` tell what they found, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from daemon.app.cli.terminal import Terminal
from daemon.core.columns import Span, moment_text

GAPS_SHOWN_MAX = 10


def gaps_as_json(gaps: Sequence[Span]) -> list[dict[str, Any]]:
    """Return gaps for programs."""
    return [{"from_ms": gap.start_ms, "to_ms": gap.stop_ms, "minutes": gap.minutes} for gap in gaps]


def minutes_of(gaps: Sequence[Span]) -> int:
    """Return how many minutes are missing."""
    return sum(gap.minutes for gap in gaps)


def say_gaps(terminal: Terminal, gaps: Sequence[Span]) -> None:
    """Tell the largest gaps, in order of time, and how many there are in all."""
    if not gaps:
        return
    count = f"{len(gaps):,} gap{'s' if len(gaps) > 1 else ''}"
    terminal.say(f"missing    {minutes_of(gaps):,} minutes in {count}")
    largest = sorted(gaps, key=lambda gap: -gap.minutes)[:GAPS_SHOWN_MAX]
    for gap in sorted(largest):
        since, until = moment_text(gap.start_ms), moment_text(gap.stop_ms)
        terminal.say(f"  {since} to {until}  {gap.minutes:,} minutes")
    if len(gaps) > len(largest):
        terminal.say(f"  and {len(gaps) - len(largest):,} smaller ones (--json lists all)")
