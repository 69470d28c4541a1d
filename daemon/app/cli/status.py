"""`tickd status`: how the running daemon stands, as a table for people or JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from daemon.app.cli.probe import Answer, NoAnswerError, ask
from daemon.app.cli.terminal import Terminal
from daemon.app.config.address import Address
from daemon.app.config.problems import one_line

STYLES: Mapping[str, str] = {
    "active": "bold green",
    "scheduled": "yellow",
    "opening": "yellow",
    "closing": "yellow",
    "idle": "dim",
    "running": "green",
    "starting": "yellow",
    "backing_off": "red",
    "circuit_open": "bold red",
    "off": "red",
    "stopped": "dim",
    "long": "green",
    "short": "magenta",
}

Row = Mapping[str, Any]


def show_status(terminal: Terminal, address: Address, timeout_s: float, *, as_json: bool) -> bool:
    """Print the daemon's status; return whether it is ready. Raises NoAnswerError."""
    answer = ask(address, "/status", timeout_s)
    status = _parse(answer, address)
    if as_json:
        terminal.say(json.dumps(status, indent=2))
    else:
        print_status(terminal.console(), status)
    return bool(status.get("is_ready"))


def print_status(console: Console, status: Row) -> None:
    """Print a status as tables."""
    parts: list[RenderableType] = [_summary(status)]
    tasks = _rows(status, "tasks")
    if tasks:
        parts.append(_tasks(tasks))
    sinks = _rows(status, "sinks")
    if sinks:
        parts.append(_sinks(sinks))
    console.print(Group(*parts))


def _parse(answer: Answer, address: Address) -> Row:
    try:
        status = json.loads(answer.body)
    except ValueError:
        status = None
    if answer.status != 200 or not isinstance(status, dict) or "tasks" not in status:
        raise NoAnswerError(f"what answers at {address} is no tickd (HTTP {answer.status})")
    return status


def _summary(status: Row) -> Panel:
    is_ready = bool(status.get("is_ready"))
    word = Text("ready", "bold green") if is_ready else Text("not ready", "bold red")
    line = Text.assemble(
        word,
        f"  tickd {_plain(status.get('version'))}  ",
        (_plain(status.get("exchange")), "cyan"),
        f" ({_plain(status.get('mode'))})  market time ",
        (_moment(status.get("market_time_ms")), "cyan"),
        _speed(status.get("speed")),
        f"  up {_span(status.get('uptime_s'))}  loop lag {_milliseconds(status.get('loop_lag_s'))}",
    )
    open_count, waiting_count = (
        _plain(status.get(name)) or "0" for name in ("open_count", "waiting_count")
    )
    held = Text(f"signals: {open_count} open, {waiting_count} waiting for their entry")
    reasons = [Text(f"! {_plain(reason)}", "red") for reason in status.get("reasons") or ()]
    orphans = [
        Text(f"! {_plain(name)}: an open signal of a strategy that is not configured", "yellow")
        for name in status.get("orphans") or ()
    ]
    return Panel(Group(line, *reasons, *orphans, held), title="tickd", border_style="dim")


def _tasks(tasks: Sequence[Row]) -> Table:
    table = _table(
        "tasks",
        ("symbol", "strategy", "condition", "state", "side"),
        ("price", "open", "target", "stop", "progress", "price age", "next ask"),
    )
    for task in tasks:
        table.add_row(
            _text(task, "symbol"),
            _text(task, "strategy_name"),
            _condition(task),
            _styled(task.get("state")),
            _styled(task.get("position")),
            _price(task.get("price")),
            _price(task.get("price_open")),
            _price(task.get("price_take_profit")),
            _price(task.get("price_stop_loss")),
            _progress(task),
            _span(task.get("price_age_s")),
            _clock(task.get("next_ask_ms")),
        )
    return table


def _sinks(sinks: Sequence[Row]) -> Table:
    table = _table("sinks", ("sink",), ("sent", "dropped", "failed", "queued"))
    for sink in sinks:
        table.add_row(
            _text(sink, "name"),
            _count(sink, "sent", ""),
            _count(sink, "dropped", "yellow"),
            _count(sink, "failed", "red"),
            _count(sink, "queued", ""),
        )
    return table


def _table(title: str, words: Iterable[str], numbers: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _condition(task: Row) -> Text:
    condition = _styled(task.get("condition"))
    for flag, word in (("is_paused", "paused"), ("is_blocked", "blocked")):
        if task.get(flag):
            condition.append(f" {word}", "yellow")
    reason = _plain(task.get("reason"))
    if reason:
        condition.append(f" ({reason})", "red" if not task.get("is_ready") else "dim")
    return condition


def _progress(task: Row) -> Text:
    gain, loss = task.get("percent_tp") or 0.0, task.get("percent_sl") or 0.0
    if task.get("state") != "active":
        return Text("")
    if gain >= loss:
        return Text(f"+{gain:.0f} %", "green")
    return Text(f"-{loss:.0f} %", "red")


def _rows(status: Row, name: str) -> Sequence[Row]:
    rows = status.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _plain(value: object) -> str:
    """Return text that cannot draw on the screen: it may come from a strategy."""
    return one_line(str(value or ""))


def _text(row: Row, name: str) -> Text:
    return Text(_plain(row.get(name)))


def _styled(value: object) -> Text:
    word = _plain(value)
    return Text(word.replace("_", " "), STYLES.get(word, ""))


def _count(row: Row, name: str, style: str) -> Text:
    count = row.get(name) or 0
    return Text(str(count), style if count else "dim")


def _price(value: object) -> str:
    return f"{value:.8g}" if isinstance(value, int | float) else ""


def _span(value: object) -> str:
    if not isinstance(value, int | float):
        return "-"
    if value < 60:
        return f"{value:.1f} s"
    minutes, hours, days = int(value // 60), int(value // 3600), int(value // 86_400)
    if hours == 0:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if days == 0 else f"{days} d {hours % 24} h"


def _milliseconds(value: object) -> str:
    return f"{value * 1000:.0f} ms" if isinstance(value, int | float) else "-"


def _moment(value: object) -> str:
    if not isinstance(value, int | float):
        return "-"
    return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock(value: object) -> str:
    if not isinstance(value, int | float):
        return "-"
    return datetime.fromtimestamp(value / 1000, UTC).strftime("%H:%M")


def _speed(value: object) -> str:
    is_real = not isinstance(value, int | float) or value == 1
    return "" if is_real else f" (x{value:g})"
