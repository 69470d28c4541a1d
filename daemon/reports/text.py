"""How a report writes its values: prices, percents, times, tables. Nothing here can fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from daemon.core.plain_text import without_controls

MISSING = "N/A"
MINUTE_MS = 60_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARKS = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "*": "\\*", "`": "\\`", "<": "&lt;", "\n": " ", "\r": " "}
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column of a table: its title, and how a row's cell reads."""

    title: str
    cell: Callable[[T], str]


def price(value: float | None) -> str:
    """Return a price in quote units with eight decimals."""
    return MISSING if value is None else f"{value:.8f} USD"


def signed_percent(value: float | None) -> str:
    """Return percent points with their sign and two decimals."""
    if value is None:
        return MISSING
    rounded = round(value, 2)
    return "0.00%" if rounded == 0 else f"{rounded:+.2f}%"


def percent(value: float | None) -> str:
    """Return percent points with two decimals."""
    return MISSING if value is None else f"{value:.2f}%"


def number(value: float | None, decimals: int = 3) -> str:
    """Return a number with so many decimals."""
    return MISSING if value is None else f"{value:.{decimals}f}"


def minutes(value: float | None) -> str:
    """Return minutes with one decimal."""
    return number(value, 1)


def span_minutes(start_ms: int, end_ms: int) -> str:
    """Return how many minutes lie between two times."""
    return minutes((end_ms - start_ms) / MINUTE_MS)


def moment(at_ms: int) -> str:
    """Return UTC epoch ms as ISO 8601; a time beyond the calendar stays a number."""
    try:
        when = _EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError:
        return str(at_ms)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def plain(text: str | None) -> str:
    """Return `text` so that it is read as it is, inside a table too; nothing reads as missing."""
    return without_controls(text).translate(_MARKS) if text else MISSING


def table(columns: Sequence[Column[T]], rows: Sequence[T]) -> str:
    """Return a Markdown table of `rows`."""
    lines = [
        _line([column.title for column in columns]),
        _line(["---"] * len(columns)),
        *(_line([column.cell(row) for column in columns]) for row in rows),
    ]
    return "\n".join(lines)


def bullets(facts: Sequence[tuple[str, str]]) -> str:
    """Return names and values as a list."""
    return "\n".join(f"- **{name}:** {value}" for name, value in facts)


def document(*parts: str) -> str:
    """Return the parts that say something, a blank line between two."""
    return "\n\n".join(part for part in parts if part) + "\n"


def cut_note(shown: int, total: int, what: str) -> str:
    """Say that only the newest are listed; nothing when all of them are."""
    if shown >= total:
        return ""
    return f"Listed are the newest {shown:,} of {total:,} {what}; the figures cover all."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
