"""How a phone reads the daemon: short lines, the important thing first."""

from collections.abc import Iterable, Sequence

from daemon.core.alert_words import Words
from daemon.core.commands import CommandResult
from daemon.core.events import SignalClosed
from daemon.core.live_statistics import LiveStatistics, live_statistics
from daemon.core.plain_text import one_line
from daemon.core.wording import (
    DAY_MS,
    day_text,
    moment_text,
    percent_text,
    price_text,
    time_text,
    uptime_text,
)
from daemon.ports import DaemonStatus, SinkStatus, TaskStatus

REASONS_MAX = 10
TASKS_MAX = 60
CARD_TITLE = "tickd"

_QUESTIONS = {
    "pause": "Open nothing new on",
    "resume": "End the pause of",
    "stop": "Stop",
    "start": "Start",
    "close": "Close now",
    "cancel": "Drop what waits on",
}


def status_words(status: DaemonStatus) -> Words:
    """Return everything at a glance, one line a task."""
    tasks = [_task_line(task) for task in status.tasks[:TASKS_MAX]]
    more = len(status.tasks) - len(tasks)
    lines = [_summary(status), *_reasons(status), *tasks]
    return Words(_standing(status), (*lines, *([f"and {more} more"] if more else [])))


def card_words(status: DaemonStatus, at_ms: int) -> Words:
    """Return the status card; `at_ms` is the time on the wall."""
    words = status_words(status)
    return Words(f"{CARD_TITLE}: {words.title}", (*words.lines, f"at {moment_text(at_ms)} UTC"))


def farewell_words(at_ms: int) -> Words:
    """Return what the card says once the daemon has stopped."""
    return Words(f"{CARD_TITLE}: ⏹ stopped", (f"at {moment_text(at_ms)} UTC",))


def positions_words(status: DaemonStatus) -> Words:
    """Return what is open and what waits, with prices and ids."""
    held = [task for task in status.tasks if task.state != "idle"]
    open_count = sum(task.state == "active" for task in held)
    lines = [line for task in held for line in _position_lines(task)]
    waiting = len(held) - open_count
    return Words(f"{open_count} open, {waiting} waiting", tuple(lines) or ("nothing is open",))


def health_words(status: DaemonStatus, strangers: int) -> Words:
    """Return whether it is well, the reasons if not, and how the sinks stand."""
    lag = f"loop lag {status.loop_lag_s * 1000:.0f} ms"
    up = f"up {uptime_text(status.uptime_s)}"
    lines = [f"{up}, {lag}", *_reasons(status), *map(_sink_line, status.sinks)]
    if strangers:
        lines.append(f"{strangers:,} messages of strangers were passed over")
    return Words(_standing(status), tuple(lines))


def version_words(status: DaemonStatus) -> Words:
    """Return which program this is."""
    up = uptime_text(status.uptime_s)
    return Words(f"tickd {status.version}", (f"{status.exchange} ({status.mode}), up {up}",))


def profit_words(closes: Sequence[SignalClosed]) -> Words:
    """Return what each strategy came to, and all of them."""
    if not closes:
        return Words("Nothing was closed yet")
    names = sorted({close.strategy_name for close in closes})
    total = live_statistics(closes)
    first = moment_text(closes[0].close_timestamp)
    lines = [f"since {first} UTC, percents added up", *_figure_lines(total)]
    for name in names if len(names) > 1 else ():
        of_one = live_statistics([close for close in closes if close.strategy_name == name])
        lines.append(f"{name}: {_sum_of(of_one)}")
    return Words(f"Profit {percent_text(total.total_pnl or 0.0)}", tuple(lines))


def daily_words(closes: Sequence[SignalClosed], now_ms: int, days: int) -> Words:
    """Return what each of the last `days` UTC days earned, today first."""
    today = now_ms // DAY_MS
    lines = []
    for day in range(today, today - days, -1):
        of_day = [close for close in closes if close.close_timestamp // DAY_MS == day]
        lines.append(f"{day_text(day * DAY_MS)}  {_sum_text(of_day)}")
    return Words(f"The last {days} days (UTC)", tuple(lines))


def performance_words(closes: Sequence[SignalClosed]) -> Words:
    """Return what each symbol earned, the best first."""
    by_symbol: dict[str, list[SignalClosed]] = {}
    for close in closes:
        by_symbol.setdefault(close.symbol, []).append(close)
    ranked = sorted(by_symbol.items(), key=lambda item: -_pnl_of(item[1]))
    lines = tuple(f"{one_line(symbol)}  {_sum_text(rows)}" for symbol, rows in ranked)
    return Words("Performance by symbol", lines or ("nothing was closed yet",))


def trades_words(closes: Sequence[SignalClosed]) -> Words:
    """Return closed positions, the newest first."""
    lines = [_trade_line(close) for close in reversed(closes)]
    return Words(f"The last {len(closes)} trades", tuple(lines) or ("nothing was closed yet",))


def preview_words(name: str, tasks: Sequence[TaskStatus]) -> Words:
    """Return the question behind a change."""
    count = len(tasks)
    whom = "one task" if count == 1 else f"{count} tasks"
    lines = [line for task in tasks[:REASONS_MAX] for line in _preview_lines(name, task)]
    more = [f"and {count - REASONS_MAX} more"] if count > REASONS_MAX else []
    return Words(f"{_QUESTIONS[name]} {whom}?", (*lines, *more))


def results_words(text: str, results: Sequence[CommandResult]) -> Words:
    """Return what came of a change, task by task."""
    lines = [
        one_line(f"{one.symbol} {one.strategy_name}: {one.message}") for one in results[:TASKS_MAX]
    ]
    outcomes = sorted({one.outcome for one in results})
    return Words(one_line(f"{text}: {', '.join(outcomes)}"), tuple(lines))


def _standing(status: DaemonStatus) -> str:
    if status.is_ready:
        return "🟢 all is well"
    return "🟠 not ready" if status.is_live else "🔴 the event loop is stuck"


def _summary(status: DaemonStatus) -> str:
    open_count = sum(task.state == "active" for task in status.tasks)
    waiting = sum(task.state == "scheduled" for task in status.tasks)
    up = uptime_text(status.uptime_s)
    return f"{status.exchange} ({status.mode}), {open_count} open, {waiting} waiting, up {up}"


def _reasons(status: DaemonStatus) -> list[str]:
    told = [f"! {one_line(reason)}" for reason in status.reasons[:REASONS_MAX]]
    more = len(status.reasons) - len(told)
    orphans = [f"! {one_line(name)}: open, but not configured" for name in status.orphans]
    return [*told, *([f"! and {more} more"] if more > 0 else []), *orphans[:REASONS_MAX]]


def _who(task: TaskStatus) -> str:
    return one_line(f"{task.symbol} {task.strategy_name}")


def _task_line(task: TaskStatus) -> str:
    flags = [
        word
        for word, holds in (
            ("paused", task.is_paused),
            ("blocked", task.is_blocked),
            (task.condition.replace("_", " "), task.condition != "running"),
        )
        if holds
    ]
    told = f" ({', '.join(flags)})" if flags else ""
    return f"{_who(task)}: {task.state} {task.position}{_progress(task)}".rstrip() + told


def _progress(task: TaskStatus) -> str:
    if task.state != "active":
        return ""
    if task.percent_tp >= task.percent_sl:
        return f", {task.percent_tp:.0f} % of the way to its target"
    return f", {task.percent_sl:.0f} % of the way to its stop"


def _position_lines(task: TaskStatus) -> Iterable[str]:
    state = {"active": "is open", "scheduled": "waits"}.get(task.state, task.state)
    yield f"{_who(task)}: {task.position} {state}{_progress(task)}"
    prices = (
        ("entry", task.price_open),
        ("price", task.price),
        ("target", task.price_take_profit),
        ("stop", task.price_stop_loss),
    )
    yield ", ".join(f"{name} {price_text(price)}" for name, price in prices if price is not None)
    yield f"id {one_line(task.signal_id)}"


def _preview_lines(name: str, task: TaskStatus) -> Iterable[str]:
    if name in ("close", "cancel"):
        return list(_position_lines(task))[:2]
    return [_task_line(task)]


def _sink_line(sink: SinkStatus) -> str:
    troubles = [
        f"{count:,} {word}"
        for word, count in (
            ("dropped", sink.dropped),
            ("failed", sink.failed),
            ("waiting", sink.queued),
        )
        if count
    ]
    return f"{sink.name}: {', '.join([f'{sink.sent:,} sent', *troubles])}"


def _figure_lines(figures: LiveStatistics) -> Iterable[str]:
    yield _sum_of(figures)
    if figures.avg_pnl is not None:
        yield f"average {percent_text(figures.avg_pnl)}"
    if figures.max_drawdown is not None:
        yield f"drawdown {figures.max_drawdown:.2f} %"


def _sum_of(figures: LiveStatistics) -> str:
    rate = "" if figures.win_rate is None else f", {figures.win_rate:.0f} % won"
    return f"{figures.total_closed:,} closed{rate}, {percent_text(figures.total_pnl or 0.0)}"


def _pnl_of(closes: Iterable[SignalClosed]) -> float:
    return sum(close.pnl.pnl_percentage for close in closes)


def _sum_text(closes: Sequence[SignalClosed]) -> str:
    if not closes:
        return "-"
    return f"{percent_text(_pnl_of(closes))}  ({len(closes):,} closed)"


def _trade_line(close: SignalClosed) -> str:
    at_ms = close.close_timestamp
    when = f"{day_text(at_ms)[5:]} {time_text(at_ms)[:5]}"
    pnl = percent_text(close.pnl.pnl_percentage)
    why = close.close_reason.replace("_", " ")
    return one_line(f"{when} {close.symbol} {close.signal.position} {pnl} {why}")
