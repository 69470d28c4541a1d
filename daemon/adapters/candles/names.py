"""Where the candles of a market lie: `<exchange>/<symbol>/<year>-<month>.parquet`.

A symbol's slash becomes an underscore, as in `binance/BTC_USDT/2025-01.parquet`; what could be
taken for one, or means something to a file system, is percent-encoded, so that names read back.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, unquote

from daemon.core.columns import Span

SUFFIX = ".parquet"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_ESCAPED = {"_": "%5F", ".": "%2E", "~": "%7E"}


class Series(NamedTuple):
    """The one-minute candles of one market of one exchange."""

    exchange: str
    symbol: str

    def __str__(self) -> str:
        return f"{self.symbol} on {self.exchange}"


def folder_name(text: str) -> str:
    """Return the name of the folder of a symbol or an exchange."""
    return "_".join(_quoted(part) for part in text.split("/"))


def text_of(folder: str) -> str | None:
    """Return what `folder_name` made a name of, or None if it did not."""
    text = "/".join(unquote(part) for part in folder.split("_"))
    return text if folder_name(text) == folder else None


def month_of(at_ms: int) -> str:
    """Return the month of a moment as in "2025-01"."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m}"


def is_month(text: str) -> bool:
    """Say whether `text` names a month."""
    return _MONTH.fullmatch(text) is not None


def span_of_month(month: str) -> Span:
    """Return from when to when "2025-01" lasts, in UTC epoch ms."""
    year, number = map(int, month.split("-"))
    start = datetime(year, number, 1, tzinfo=UTC)
    stop = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Span(round(start.timestamp() * 1000), round(stop.timestamp() * 1000))


def months_in(span: Span) -> list[str]:
    """Return the months that `span` touches, in order."""
    months = []
    at_ms = span.start_ms
    while at_ms < span.stop_ms:
        months.append(month_of(at_ms))
        at_ms = span_of_month(months[-1]).stop_ms
    return months


def _quoted(part: str) -> str:
    text = quote(part, safe="")
    return "".join(_ESCAPED.get(letter, letter) for letter in text)
