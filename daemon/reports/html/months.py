"""What each calendar month (UTC, by close) brought."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from daemon.core.events import SignalClosed
from daemon.reports.html.markup import Html, element, join, text
from daemon.reports.text import signed_percent

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The trades that closed in one month: their sum of PnL (percent points), and how many."""

    year: int
    month: int
    pnl: float
    count: int


def by_month(closed: Iterable[SignalClosed]) -> tuple[Month, ...]:
    """Return each month in which a trade closed, oldest first."""
    dated = sorted((_month(event), event.pnl.pnl_percentage) for event in closed)
    months = []
    for (year, month), group in groupby(dated, key=lambda item: item[0]):
        pnls = [pnl for _, pnl in group]
        months.append(Month(year=year, month=month, pnl=sum(pnls), count=len(pnls)))
    return tuple(months)


def month_table(closed: Iterable[SignalClosed]) -> Html:
    """Return a table of years by months, the deeper the colour the larger the sum."""
    months = by_month(closed)
    if not months:
        return Html("")
    largest = max(abs(month.pnl) for month in months) or 1.0
    cells = {(month.year, month.month): _cell(month, largest) for month in months}
    head = join(
        element("th", "Year", kind="word"), *(element("th", name) for name in (*MONTHS, "Sum"))
    )
    rows = []
    for year in range(months[0].year, months[-1].year + 1):
        of_year = [month for month in months if month.year == year]
        total = sum(month.pnl for month in of_year)
        row = [element("th", str(year), kind="word")]
        row += [element("td", cells.get((year, number), text(""))) for number in range(1, 13)]
        row.append(element("td", signed_percent(total) if of_year else ""))
        rows.append(element("tr", *row))
    table = Html(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")
    return element("div", table, kind="scroll months")


def _month(event: SignalClosed) -> tuple[int, int]:
    at = _EPOCH + timedelta(milliseconds=event.close_timestamp)
    return at.year, at.month


def _cell(month: Month, largest: float) -> Html:
    depth = 0.12 + (_DEEPEST - 0.12) * abs(month.pnl) / largest
    colour = "16,160,110" if month.pnl >= 0 else "225,60,80"
    trades = "1 trade" if month.count == 1 else f"{month.count:,} trades"
    return Html(
        f'<span class="cell" title="{trades}" style="background:rgba({colour},{depth:.2f})">'
        f"{signed_percent(month.pnl)}</span>"
    )
