"""What `tickd lookahead` runs: a strategy as it is configured, on a file or the sandbox."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from daemon.app.candle_files import read_minutes
from daemon.app.cli.backtest_data import DataError
from daemon.app.config.problems import did_you_mean
from daemon.app.config.sections import StrategySection
from daemon.app.config.settings import Config
from daemon.app.embedded import generated_market
from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.headings import COLUMNS, places_of
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.research.columns import Minutes, minutes_of
from daemon.simulation.candle_file import SEPARATORS, parse_candles


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A strategy and the candles that it is tried on; `file` is None for the sandbox's."""

    reference: str
    key: Key
    params: Mapping[str, object]
    interval: str | None
    rules: Rules
    minutes: Minutes
    source: str
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for: `days` of the sandbox unless there is a `file`."""

    strategy: str
    symbol: str | None
    file: Path | None
    days: float


def subject_of(config: Config, wanted: Wanted) -> Subject:
    """Return what is to be tried. Raises DataError and CandleError."""
    section = _section(config, wanted.strategy)
    symbol = wanted.symbol or _symbol(config, section)
    if wanted.file is not None:
        minutes, source = read_minutes(wanted.file, gaps="fill"), str(wanted.file)
    else:
        minutes, source = sandbox_minutes(config, symbol, wanted.days), "the sandbox"
    name = wanted.strategy.rpartition(":")[2] if section is None else section.name
    return Subject(
        reference=wanted.strategy if section is None else section.path,
        key=Key(exchange_name=config.exchange.id, symbol=symbol, strategy_name=name),
        params={} if section is None else section.params,
        interval=None if section is None else section.interval,
        rules=config.rules.plain(),
        minutes=minutes,
        source=source,
        file=wanted.file,
    )


def sandbox_minutes(config: Config, symbol: str, days: float) -> Minutes:
    """Return the first `days` of the sandbox's market as configured. Raises DataError."""
    if config.sandbox.replay is not None:
        return read_minutes(config.sandbox.replay, gaps="fill")
    market = generated_market(config.sandbox)
    if symbol not in market.specs:
        known = ", ".join(market.specs)
        raise DataError(f"the sandbox has no {symbol}: it has {known}")
    stop_ms = market.start_ms + int(days * DAY_MS) // MINUTE_MS * MINUTE_MS
    return minutes_of(market.minutes(symbol, market.start_ms, stop_ms, stop_ms), "fill")


def _section(config: Config, strategy: str) -> StrategySection | None:
    """Return the table of a configured strategy, or None for "file.py:Class"."""
    for section in config.strategies:
        if section.name == strategy:
            return section
    if ":" in strategy:
        return None
    names = [section.name for section in config.strategies]
    remedy = did_you_mean(strategy, names) or f"Configured: {', '.join(names) or 'none'}"
    raise DataError(
        f'there is no strategy {strategy!r}; a class is written "file.py:Class". {remedy}'
    )


def _symbol(config: Config, section: StrategySection | None) -> str:
    if section is not None:
        return section.symbols[0]
    return config.sandbox.pairs[0].symbol


def changed_text(path: Path, minutes: Minutes) -> str | None:
    """Return the text of a CSV file with the candles of `minutes` in it; what is over is left out.

    All else stays: columns, their order, the times as they were written. None for a file that is
    no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return None
    header, *lines = text.splitlines()
    separator = max(SEPARATORS, key=header.count)
    places = places_of(header.split(separator))
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\n")
    written.write(f"{header}\n")
    cells_of = (cells for cells in csv.reader(lines, delimiter=separator) if any(cells))
    for cells, candle in zip(cells_of, parse_candles(text), strict=True):
        index = (candle.timestamp - minutes.start_ms) // MINUTE_MS
        if index >= len(minutes):
            break
        for place, name in zip(places[1:], COLUMNS[1:], strict=True):
            value = float(getattr(minutes, name)[index])
            # What did not change stays as it was written, to the last digit.
            if value != float(cells[place]):
                cells[place] = repr(value)
        writer.writerow(cells)
    return written.getvalue()
