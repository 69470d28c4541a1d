"""Where each report's file goes, relative to the folder of dumps."""

from hashlib import blake2b
from typing import Literal
from urllib.parse import quote

ReportKind = Literal[
    "backtest", "live", "schedule", "performance", "heatmap", "partial", "risk", "walker", "search"
]
ReportFormat = Literal["md", "json", "csv", "html"]

NAME_LENGTH_MAX = 200
"""File systems take 255; a temp file's prefix needs some."""

_READABLE_LENGTH_MAX = 120


def report_path(
    kind: ReportKind, name: str, *, symbol: str | None = None, suffix: ReportFormat = "md"
) -> str:
    """Return the relative path of a report, with `/` between its parts: `backtest/sma.md`.

    `name` is the strategy's, or the walker's. With `symbol` (partial and risk) the file is
    `{symbol}_{name}`. Whatever the names hold, the path stays in its folder, and two different
    pairs of names never share a file.
    """
    own = _safe(name)
    # The first underscore ends the symbol, so that "A_B"+"C" and "A"+"B_C" differ.
    stem = own if symbol is None else f"{_safe(symbol).replace('_', '%5F')}_{own}"
    return f"{kind}/{_short(stem)}.{suffix}"


def _safe(name: str) -> str:
    escaped = quote(name, safe="", errors="surrogatepass").replace("~", "%7E")
    if not escaped:
        return "%"  # no other name is escaped to this
    # A leading dot would hide the file.
    return "%2E" + escaped[1:] if escaped.startswith(".") else escaped


def _short(stem: str) -> str:
    if len(stem) <= NAME_LENGTH_MAX:
        return stem
    digest = blake2b(stem.encode("ascii"), digest_size=16).hexdigest()
    return f"{stem[:_READABLE_LENGTH_MAX]}~~{digest}"
