"""`tickd parity`: a live journal beside a backtest of the same time, every difference with why."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from daemon.adapters.storage.journal_tools import read_events
from daemon.app.cli.backtest_data import DataError
from daemon.app.cli.parity_data import candles_beside
from daemon.app.cli.terminal import Terminal
from daemon.app.config.settings import Config
from daemon.app.loading import Code
from daemon.app.whole_run import run_whole
from daemon.app.wiring import plans_of
from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.signal import Key
from daemon.core.wording import count_text
from daemon.research.columns import Minutes, minutes_of
from daemon.research.parity import Cast, Comparison, Parity, compared
from daemon.research.parity_facts import Difference, Outcome, Where
from daemon.research.parity_record import Record, record_of

PLACES: tuple[Where, ...] = get_args(Where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which candles are taken beside the journal's, and how the answer is printed.

    `limit` differences are in the table, 0 shows all.
    """

    data: tuple[str, ...]
    limit: int
    as_json: bool


def compare(terminal: Terminal, config: Config, code: Code, folder: Path, shown: Shown) -> None:
    """Compare the journal of the state folder with a backtest and print what differs.

    Raises FatalError if there is no journal, DataError if nothing in it can be compared, and
    CandleError.
    """
    record = record_of(item.entry for item in read_events(folder))
    casts = tuple(
        Cast(key=plan.key, make=plan.make, risk_names=plan.risk_names)
        for plan in plans_of(config, code)
        if len(record.candles.get(plan.key.symbol, ())) > 1
    )
    if not casts:
        raise DataError(
            f"{folder}: the journal holds no minutes of a configured symbol to compare with"
        )
    symbols = sorted({cast.key.symbol for cast in casts})
    beside = candles_beside(config, record, symbols, shown.data)
    comparison = Comparison(
        record=record,
        minutes={symbol: _minutes(record, symbol, beside.get(symbol)) for symbol in symbols},
        casts=casts,
        rules=config.rules.plain(),
        profiles=code.profiles,
    )
    # What strategies print is no part of the answer.
    with redirect_stdout(sys.stderr):
        parity = run_whole(compared(comparison), terminal.note)
    differences = [*_candle_differences(config, record, beside), *parity.differences]
    differences.sort(key=lambda one: one.at_ms)
    notes = list(_notes(config, record, {cast.key for cast in casts}))
    if shown.as_json:
        terminal.say(_json(parity, differences, notes))
    else:
        _print(terminal, parity, differences, shown.limit)
        for note in notes:
            terminal.say(f"note  {note}")


def _minutes(record: Record, symbol: str, beside: Minutes | None) -> Minutes:
    """Return the journal's candles of a symbol, with those beside it before and between them."""
    rows = {} if beside is None else {row.timestamp: row for row in beside.rows()}
    own = record.candles[symbol]
    last_ms = own[-1].timestamp
    rows = {at_ms: row for at_ms, row in rows.items() if at_ms <= last_ms}
    rows.update({row.timestamp: row for row in own})
    return minutes_of([rows[at_ms] for at_ms in sorted(rows)], "fill")


def _candle_differences(
    config: Config, record: Record, beside: Mapping[str, Minutes]
) -> Iterator[Difference]:
    """Yield the minutes that stand otherwise beside the journal than in it."""
    for symbol, minutes in beside.items():
        key = Key(exchange_name=config.exchange.id, symbol=symbol, strategy_name="")
        rows = {row.timestamp: row for row in minutes.rows()}
        for row in record.candles[symbol]:
            other = rows.get(row.timestamp)
            if other is not None and other != row:
                yield Difference(
                    at_ms=row.timestamp,
                    key=key,
                    where="candle",
                    live=_candle_text(row),
                    backtest=_candle_text(other),
                    cause="data",
                    why="the candles given with --data have another one",
                )


def _candle_text(row: Candle) -> str:
    return " ".join(f"{value:.8g}" for value in row[1:])


def _notes(config: Config, record: Record, keys: set[Key]) -> Iterator[str]:
    if record.config_hash != config.fingerprint:
        yield (
            "the journal was written with another configuration "
            f"({record.config_hash}, this one is {config.fingerprint})"
        )
    for key in record.lanes:
        if key not in keys and record.lanes[key].signals:
            yield f"{key} is in the journal and not in the configuration: it was left out"
    if len(record.runs_ms) > 1:
        yield f"the daemon was started {len(record.runs_ms)} times in this journal"


def _json(parity: Parity, differences: list[Difference], notes: list[str]) -> str:
    causes = Counter(one.cause for one in differences)
    told = {
        **asdict(parity),
        "differences": [asdict(one) for one in differences],
        "causes": dict(causes.most_common()),
        "notes": notes,
    }
    return json.dumps(told, indent=2)


# -- For people ------------------------------------------------------------------------------------


def _print(terminal: Terminal, parity: Parity, differences: list[Difference], limit: int) -> None:
    from rich.table import Table  # noqa: PLC0415 - only where a table is wanted

    console = terminal.console()
    minutes = count_text((parity.end_ms - parity.start_ms) // MINUTE_MS, "minute")
    terminal.say(f"{_moment(parity.start_ms)} to {_moment(parity.end_ms)}, {minutes}")
    lanes = Table("task", "asked again", "signals", "late s", "live", "backtest", box=None)
    for lane in parity.lanes:
        late = f"{lane.lateness_ms[0] / 1000:.1f}, at most {lane.lateness_ms[1] / 1000:.1f}"
        asked = f"{lane.ask_count:,}"
        if lane.skipped_count:
            asked += f" ({lane.skipped_count:,} not: no history)"
        outcomes = (_outcome(lane.live), _outcome(lane.backtest))
        lanes.add_row(str(lane.key), asked, f"{lane.signal_count:,}", late, *outcomes)
    console.print(lanes)
    if not differences:
        terminal.say("ok    no difference")
        return
    terminal.say("")
    causes = Table("cause", "differences", *PLACES, box=None)
    counts = Counter((one.cause, one.where) for one in differences)
    for cause, count in Counter(one.cause for one in differences).most_common():
        causes.add_row(cause, f"{count:,}", *(f"{counts[cause, each]:,}" for each in PLACES))
    console.print(causes)
    terminal.say("")
    shown = differences if limit == 0 else differences[:limit]
    table = Table("time", "task", "", "live", "backtest", "cause", "why", box=None)
    for one in shown:
        cells = (one.where, one.live, one.backtest, one.cause, one.why)
        table.add_row(_moment(one.at_ms), f"{one.key}", *map(terminal.redactor.redact, cells))
    console.print(table, markup=False)
    if len(shown) < len(differences):
        left = len(differences) - len(shown)
        terminal.say(f"and {left:,} more: --limit 0 shows all, --json gives them to programs")


def _outcome(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    return (
        f"{outcome.closed_count:,} closed, {outcome.cancelled_count:,} cancelled,"
        f" {outcome.pnl_percentage:+.2f} %"
    )


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
