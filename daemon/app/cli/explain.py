"""`tickd explain`: why one signal was opened, what became of it and why, with the candles."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from daemon.adapters.storage.journal_tools import read_events
from daemon.app.cli.journal import moment_text
from daemon.app.cli.terminal import Terminal
from daemon.app.cli.trades import trade_record
from daemon.app.cli.whole_journal import read_whole
from daemon.app.config.problems import one_line
from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.errors import RejectedError
from daemon.core.events import (
    ErrorContract,
    ExitContract,
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
)
from daemon.core.records import CandleEntry, CommandEntry
from daemon.core.rules import Rules
from daemon.core.signal import SignalRow
from daemon.core.stories import Story, Told, gather_stories
from daemon.core.vwap import vwap
from daemon.reports.as_json import as_json

AROUND = 2
"""How many minutes before and after a fact are shown."""

LIKE_IT_MAX = 5


class UnknownSignalError(RejectedError, ValueError):
    """No signal, or more than one, goes by the id that was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A story, the minutes of its symbol from before its first word to after its last."""

    story: Story
    candles: Sequence[Candle]
    commands: Sequence[CommandEntry]


def show_explained(
    terminal: Terminal, folder: Path, signal: str, rules: Rules, *, as_json: bool
) -> None:
    """Print everything that is known of the signal whose id begins with `signal`.

    Raises FatalError if there is no journal, UnknownSignalError if it knows no such signal.
    """
    explained = explain(terminal, folder, signal, rules)
    if as_json:
        terminal.say(json.dumps(_record(explained), ensure_ascii=False, indent=2))
        return
    for line in (*_head(explained), "", *_course(explained), "", *_minutes(explained, rules)):
        terminal.say(line)


def explain(terminal: Terminal, folder: Path, signal: str, rules: Rules) -> Explained:
    """Return what the journal in `folder` knows of a signal. Raises UnknownSignalError."""
    story = _find(gather_stories(read_whole(terminal, folder)), signal, folder)
    start_ms = story.begun_ms - (rules.avg_price_candles_count + AROUND) * MINUTE_MS
    end_ms = (story.ended_ms or story.told[-1].event.at_ms) + (AROUND + 1) * MINUTE_MS
    candles: list[Candle] = []
    commands: list[CommandEntry] = []
    for journaled in read_events(folder):
        entry = journaled.entry
        if isinstance(entry, CandleEntry) and entry.symbol == story.row.symbol:
            if start_ms <= entry.candle.timestamp < end_ms:
                candles.append(entry.candle)
        elif isinstance(entry, CommandEntry) and start_ms <= entry.at_ms < end_ms:
            commands.append(entry)
    return Explained(story=story, candles=candles, commands=commands)


def _find(stories: dict[str, Story], signal: str, folder: Path) -> Story:
    found = [story for name, story in stories.items() if name.startswith(signal.strip())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnknownSignalError(
            f"the journal in {folder} knows no signal {signal!r}: `tickd trades --all` lists them"
        )
    some = ", ".join(story.row.id for story in found[:LIKE_IT_MAX])
    raise UnknownSignalError(f"{len(found)} signals begin with {signal!r}: {some} ...")


def _head(explained: Explained) -> list[str]:
    story = explained.story
    row = story.row
    whose = f"{row.position} {row.symbol} by {row.strategy_name} on {row.exchange_name}"
    levels = (
        f"entry {_price(row.price_open)}"
        f", target {_price(row.price_take_profit)} ({_away(row, row.price_take_profit)})"
        f", stop {_price(row.price_stop_loss)} ({_away(row, row.price_stop_loss)})"
    )
    lines = [
        f"signal {row.id}: {whose}, {story.standing}{_result(story)}",
        f"  {levels}, at most {row.minute_estimated_time} minutes",
    ]
    if row.note:
        lines.append(f"  the strategy's note: {one_line(row.note)}")
    return lines


def _course(explained: Explained) -> list[str]:
    facts = [(told.event.at_ms, told.number, _fact(told)) for told in explained.story.told]
    asked = [
        (entry.at_ms, 0, f"command  {entry.command} {entry.target} by {entry.origin}")
        for entry in explained.commands
    ]
    return [
        one_line(f"{moment_text(at_ms)}  {text}" + (f"  [journal {number}]" if number else ""))
        for at_ms, number, text in sorted(facts + asked)
    ]


def _fact(told: Told) -> str:
    """Say what happened and why: by which price against which level."""
    event, price = told.event, "" if told.seen is None else _price(told.seen.price)
    match event:
        case SignalScheduled(signal=row):
            now = _price(event.current_price)
            return f"scheduled  waits for {_price(row.price_open)}; the price was {now}"
        case SignalOpened(signal=row) if row.scheduled_at < row.pending_at:
            return f"opened  at {_price(row.price_open)}: the price {price} had reached its entry"
        case SignalOpened(signal=row):
            return f"opened  at {_price(row.price_open)}, the price when the strategy answered"
        case PartialProfitContract() | PartialLossContract():
            return (
                f"level {event.level} in {'profit' if event.kind == 'partial_profit' else 'loss'}"
                f"  at {_price(event.current_price)}: {event.progress_percent:+.1f} % of the way,"
                f" {event.price_percent:+.2f} % in price"
            )
        case SignalClosed():
            return f"closed  at {_price(event.current_price)}: {_why_closed(event, price)}"
        case SignalCancelled():
            return f"cancelled  {_why_cancelled(event, price)}"
        case RiskContract():
            note = f" ({event.note})" if event.note else ""
            return f"refused  by risk {event.risk_name}: {event.comment}{note}"
        case ErrorContract() | ExitContract():
            return f"{event.kind}  in {event.where}: {event.error}: {event.message}"
        case _:
            assert_never(event)


def _why_closed(event: SignalClosed, price: str) -> str:
    row = event.signal
    match event.close_reason:
        case "take_profit":
            return f"the price {price} had reached the target {_price(row.price_take_profit)}"
        case "stop_loss":
            return f"the price {price} had reached the stop {_price(row.price_stop_loss)}"
        case "time_expired":
            return f"its {row.minute_estimated_time} minutes were over"
        case "user":
            return "a person closed it"
        case _:
            assert_never(event.close_reason)


def _why_cancelled(event: SignalCancelled, price: str) -> str:
    match event.reason:
        case "timeout":
            return f"the price never reached {_price(event.signal.price_open)} in time"
        case "stop_loss":
            return f"the price {price} was at its stop before it could be entered"
        case "user":
            return "a person cancelled it"
        case "stopped":
            return "its task was stopped"
        case "data_end":
            return "the candles ended"
        case _:
            assert_never(event.reason)


def _minutes(explained: Explained, rules: Rules) -> list[str]:
    """Return the candles around each fact, with the VWAP at each one's end."""
    if not explained.candles:
        return ["the journal holds no candles of that time"]
    shown = _shown_minutes(explained)
    count = rules.avg_price_candles_count
    lines = [f"{'minute (UTC)':20}{'low':>14}{'high':>14}{'close':>14}{f'VWAP of {count}':>14}"]
    last_ms: int | None = None
    for place, candle in enumerate(explained.candles):
        if candle.timestamp not in shown:
            continue
        if last_ms is not None and candle.timestamp > last_ms + MINUTE_MS:
            lines.append("...")
        last_ms = candle.timestamp
        window = explained.candles[max(0, place + 1 - count) : place + 1]
        whole = len(window) == count and window[0].timestamp == last_ms - (count - 1) * MINUTE_MS
        average = _price(vwap(window, count)) if whole else ""
        prices = "".join(
            f"{_price(value):>14}" for value in (candle.low, candle.high, candle.close)
        )
        marks = shown[candle.timestamp]
        lines.append(f"{moment_text(last_ms)[:16]:20}{prices}{average:>14}  {marks}".rstrip())
    return lines


def _shown_minutes(explained: Explained) -> dict[int, str]:
    """Return the minutes (UTC epoch ms) that are shown, each with what happened in it."""
    shown: dict[int, str] = {}
    for told in explained.story.told:
        minute = told.event.at_ms // MINUTE_MS * MINUTE_MS
        for step in range(-AROUND, AROUND + 1):
            shown.setdefault(minute + step * MINUTE_MS, "")
        name = _fact(told).split("  ")[0]
        shown[minute] = ", ".join(filter(None, (shown[minute], name)))
    return shown


def _record(explained: Explained) -> dict[str, object]:
    return {
        **trade_record(explained.story),
        "events": [
            {
                "number": told.number,
                "text": _fact(told),
                "event": as_json(told.event),
                "observation": as_json(told.seen),
            }
            for told in explained.story.told
        ],
        "commands": as_json(explained.commands),
        "candles": [list(candle) for candle in explained.candles],
    }


def _result(story: Story) -> str:
    if story.closed is None:
        return ""
    gain = story.closed.pnl.pnl_percentage
    lasted = (story.closed.at_ms - story.row.pending_at) / MINUTE_MS
    return f" by {story.closed.close_reason} after {lasted:.0f} minutes, {gain:+.2f} % after costs"


def _away(row: SignalRow, price: float) -> str:
    return f"{(price / row.price_open - 1.0) * 100.0:+.2f} %"


def _price(value: float) -> str:
    return f"{value:.10g}"
