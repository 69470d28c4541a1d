"""The candles beside a journal: the history that strategies read before its first minute."""

from collections.abc import Sequence
from pathlib import Path

from daemon.app.candle_files import read_minutes
from daemon.app.cli.backtest_data import DataError
from daemon.app.config.settings import SANDBOX_ID, Config
from daemon.app.embedded import generated_market
from daemon.core.candles import DAY_MS
from daemon.research.columns import Minutes, minutes_of
from daemon.research.parity_record import Record

SANDBOX_MS = 3 * DAY_MS
"""How much of the generated market before the journal is taken."""


def candles_beside(
    config: Config, record: Record, symbols: Sequence[str], files: Sequence[str]
) -> dict[str, Minutes]:
    """Return candles by symbol: of `files` ("FILE", or "A/B=FILE" for each of several symbols).

    Without any, a generated sandbox tells its own earlier candles, if they fit to the journal.
    Raises CandleError, and DataError for a file without a symbol.
    """
    if files:
        return dict(_read(text, symbols) for text in files)
    section = config.sandbox
    if config.exchange.id != SANDBOX_ID or section.url or section.replay:
        return {}
    market = generated_market(section)
    found: dict[str, Minutes] = {}
    for symbol in symbols:
        first = record.candles[symbol][0]
        start_ms = max(market.start_ms, first.timestamp - SANDBOX_MS)
        if symbol not in market.specs or start_ms >= first.timestamp:
            continue
        stop_ms = record.candles[symbol][1].timestamp
        rows = market.minutes(symbol, start_ms, stop_ms, stop_ms)
        # Another seed or other pairs since: then its past is not that of the journal.
        if rows and rows[-1] == first:
            found[symbol] = minutes_of(rows, "fill")
    return found


def _read(text: str, symbols: Sequence[str]) -> tuple[str, Minutes]:
    symbol, sign, path = text.partition("=")
    if not sign and len(symbols) == 1:
        symbol, path = symbols[0], text
    if symbol not in symbols or not path:
        raise DataError(f"--data {text}: write A/B=FILE, where A/B is one of {', '.join(symbols)}")
    return symbol, read_minutes(Path(path), gaps="fill")
