"""Lines, markers and axes of charts, as plotly's script takes them: plain values, no library."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from daemon.core.events import SignalClosed
from daemon.reports.html.sheets import Bars
from daemon.reports.text import signed_percent

Trace = Mapping[str, object]

BINS_MAX = 60
"""On either side of zero; `bin_width` needs forty for all."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GRID = "--line"


def stamp(at_ms: int) -> str:
    """Return UTC epoch ms as plotly reads times."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%d %H:%M:%S")


def layout_of(height: int) -> dict[str, object]:
    """Return the layout that every chart begins with; `height` in pixels."""
    return {
        "height": height,
        "margin": {"l": 54, "r": 14, "t": 24, "b": 36},
        "hovermode": "closest",
        "showlegend": False,
    }


def axis(title: str = "") -> dict[str, object]:
    """Return an axis in the colours of the page."""
    plain: dict[str, object] = {
        "gridcolor": _GRID,
        "zerolinecolor": _GRID,
        "linecolor": _GRID,
        "automargin": True,
    }
    return plain | {"title": {"text": title, "standoff": 8}} if title else plain


def legend() -> dict[str, object]:
    """Return a legend above the chart, in a row."""
    return {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def line(
    name: str,
    at: Sequence[str],
    values: Sequence[float],
    colour: str,
) -> dict[str, object]:
    """Return a line that holds each value until the next."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain_name(name),
        "x": list(at),
        "y": list(values),
        "line": {"color": colour, "width": 2, "shape": "hv"},
        "hovertemplate": "%{text}<br>%{x|%Y-%m-%d %H:%M}<br>%{y:,.2f}"
        "<extra>%{fullData.name}</extra>",
    }


def plain_name(name: str) -> str:
    """Return a text for a chart, where markup would be read as such."""
    return escape(name.encode("utf-8", "replace").decode("utf-8"), quote=False)


def columns(
    name: str, at: Sequence[str], values: Sequence[float], colour: str
) -> dict[str, object]:
    """Return columns of percents of time."""
    return {
        "type": "bar",
        "name": name,
        "x": list(at),
        "y": list(values),
        "marker": {"color": colour},
        "hovertemplate": "%{x|%Y-%m-%d %H:%M}: %{y:.1f} %<extra>" + name + "</extra>",
    }


def candles(bars: Bars) -> dict[str, object]:
    """Return candles that leave the foreground to the trades."""
    return {
        "type": "candlestick",
        "name": f"Candles of {bars.interval}",
        "x": [stamp(at_ms) for at_ms in bars.at_ms],
        "open": list(bars.open),
        "high": list(bars.high),
        "low": list(bars.low),
        "close": list(bars.close),
        "increasing": {"line": {"color": "--soft", "width": 1}, "fillcolor": "rgba(0,0,0,0)"},
        "decreasing": {"line": {"color": "--soft", "width": 1}, "fillcolor": "--soft"},
        "opacity": 0.75,
    }


def levels(
    name: str, trades: Sequence[SignalClosed], colour: str, *, is_target: bool
) -> dict[str, object]:
    """Return where targets, or stops, lay while each position was open."""
    at: list[str | None] = []
    values: list[float | None] = []
    for event in trades:
        row = event.signal
        level = row.price_take_profit if is_target else row.price_stop_loss
        at += [stamp(row.pending_at), stamp(event.close_timestamp), None]
        values += [level, level, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": at,
        "y": values,
        "line": {"color": colour, "width": 1.5, "dash": "dot"},
        "hovertemplate": name + " %{y}<extra></extra>",
    }


def entries(name: str, trades: Sequence[SignalClosed], symbol: str) -> dict[str, object]:
    """Return a mark where each position was opened."""
    return _markers(
        name,
        [stamp(event.signal.pending_at) for event in trades],
        [event.signal.price_open for event in trades],
        {
            "symbol": symbol,
            "size": 10,
            "color": "--accent",
            "line": {"color": "--card", "width": 1},
        },
        [told(event) for event in trades],
    )


def exits(name: str, trades: Sequence[SignalClosed], colour: str) -> dict[str, object]:
    """Return a mark where each position was closed."""
    return _markers(
        name,
        [stamp(event.close_timestamp) for event in trades],
        [event.current_price for event in trades],
        {"symbol": "x", "size": 7, "color": colour},
        [told(event) for event in trades],
    )


def _markers(
    name: str,
    at: Sequence[str],
    prices: Sequence[float],
    marker: Mapping[str, object],
    text: Sequence[str],
) -> dict[str, object]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": list(at),
        "y": list(prices),
        "marker": marker,
        "text": list(text),
        "hovertemplate": "%{text}<br>%{x|%Y-%m-%d %H:%M} at %{y}<extra></extra>",
    }


def told(event: SignalClosed, *, with_note: bool = True) -> str:
    """Return a trade in a few words, its note below."""
    row = event.signal
    pnl = signed_percent(event.pnl.pnl_percentage)
    note = f"<br>{plain_name(row.note)}" if row.note and with_note else ""
    return f"{row.position} {pnl}, {event.close_reason.replace('_', ' ')}{note}"


def is_win(event: SignalClosed) -> bool:
    """Say whether a trade brought more than it cost."""
    return event.pnl.pnl_percentage > 0


def bin_width(width: float) -> float:
    """Return a round width of a bin, so that some thirty of them cover `width`."""
    if width <= 0:
        return 0.1
    step = 1e-6
    while width / step > 40:
        step *= 2 if f"{step:.0e}"[0] in "15" else 2.5
    return step
